// The text of a schema: it is refused with file and line, or judges any document within the
// budget and tells a place in it.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/json/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::json;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  SchemaReport report;
  const auto schema = Schema::Compile(text, "s", report);
  FW_CHECK((schema == nullptr) == !report.errors.empty());
  for (const auto* list : {&report.errors, &report.warnings}) {
    for (const std::string& line : *list) FW_CHECK(line.starts_with("s:"));
  }
  if (schema == nullptr) return 0;
  for (const char* document : {"null", "1", "-0.5", "\"aa\"", "[]", "[1,1,[2],\"a\",null]", "{}",
                               R"({"a":1,"b":[1,{"a":{"a":[]}}],"":null,"foo":"bar"})"}) {
    const auto parsed = Document::Parse(document);
    FW_CHECK(parsed.ok());
    const auto mismatch = schema->Validate(parsed->root(), 20'000);
    if (mismatch && !mismatch->instance.empty()) FW_CHECK(mismatch->instance[0] == '/');
  }
  return 0;
}
