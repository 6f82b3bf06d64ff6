// A document against a fixed schema with every kind of keyword: parsing gives what reading its own
// text gives again, and validation ends within its budget, alike each time.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/json/equality.h"
#include "proxy/json/schema.h"

namespace framewall::json {
namespace {

constexpr char kSchema[] = R"({
  "$ref": "#/$defs/node",
  "unevaluatedProperties": {"type": ["null", "number"]},
  "$defs": {
    "node": {
      "$dynamicAnchor": "node",
      "if": {"type": "object"},
      "then": {
        "required": ["a"],
        "properties": {"a": {"$dynamicRef": "#node"}, "b": {"enum": [1, [1.0], {"x": null}]}},
        "patternProperties": {"^(c+)+$": {"multipleOf": 0.01, "exclusiveMaximum": 1e18}},
        "propertyNames": {"minLength": 1, "maxLength": 9},
        "dependentRequired": {"b": ["c"]},
        "dependentSchemas": {"d": {"maxProperties": 5}}
      },
      "else": {
        "anyOf": [
          {"type": "string", "pattern": "^\\p{L}+\\s$"},
          {"type": "array", "uniqueItems": true, "prefixItems": [{"const": 0}],
           "contains": {"type": "integer"}, "maxContains": 3, "items": {"$ref": "#/$defs/node"},
           "unevaluatedItems": false},
          {"not": {"type": ["string", "array"]}, "minimum": -9223372036854775808}
        ]
      }
    }
  }
})";

std::string Told(const std::optional<Mismatch>& mismatch) {
  if (!mismatch) return "matches";
  return mismatch->keyword + " " + mismatch->instance + " " + mismatch->schema;
}

}  // namespace
}  // namespace framewall::json

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::json;  // NOLINT
  static const std::shared_ptr<const Schema> schema = [] {
    SchemaReport report;
    return Schema::Compile(kSchema, "fixed", report);
  }();
  FW_CHECK(schema != nullptr);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = Document::Parse(text);
  if (!document.ok()) {
    FW_CHECK(document.error().message.find(": ") != std::string::npos);
    return 0;
  }
  const auto again = Document::Parse(document->root().Text());
  FW_CHECK(again.ok());
  Budget budget(10'000'000);
  FW_CHECK(Equal(document->root(), again->root(), budget) || budget.spent());
  const std::string told = Told(schema->Validate(document->root(), 20'000));
  // Time is part of the budget, so two runs may differ by that alone.
  const std::string second = Told(schema->Validate(again->root(), 20'000));
  FW_CHECK(told == second || told == "  " || second == "  ");
  return 0;
}
