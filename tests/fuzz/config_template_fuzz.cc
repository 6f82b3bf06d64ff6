// Texts with $names: what was cut can be written again and cut to the same parts, and a text
// without '$' is one constant.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

std::string Write(const Template& text, const VariableScope& variables) {
  std::string out;
  for (const TemplatePart& part : text.parts) {
    FW_CHECK((part.variable != kNoVariable) + (part.capture >= 0) + !part.literal.empty() == 1);
    if (part.variable != kNoVariable) {
      const auto slot = static_cast<size_t>(part.variable);
      FW_CHECK(slot < variables.names().size());
      out.append("${").append(variables.names()[slot].name).append("}");
    } else if (part.capture >= 0) {
      FW_CHECK(part.capture >= 1 && part.capture <= 9);
      out.append("$").append(std::to_string(part.capture));
    } else {
      FW_CHECK(!HasNames(part.literal));
      out.append(part.literal);
    }
  }
  return out;
}

void CheckSame(const Template& a, const Template& b) {
  FW_CHECK(a.parts.size() == b.parts.size());
  for (size_t i = 0; i < a.parts.size(); ++i) {
    FW_CHECK(a.parts[i].literal == b.parts[i].literal);
    FW_CHECK(a.parts[i].variable == b.parts[i].variable);
    FW_CHECK(a.parts[i].capture == b.parts[i].capture);
  }
}

void Check(std::string_view text) {
  VariableScope variables;
  const auto cut = ParseTemplate(variables, text, {});
  const std::string_view name = VariableNameOf(text);
  FW_CHECK(name.empty() || text.substr(1) == name);
  if (!cut.ok()) {
    FW_CHECK(HasNames(text) && name.empty());
    return;
  }
  FW_CHECK(cut->source == text && cut->constant() == !HasNames(text));
  if (cut->constant()) FW_CHECK(cut->constant_text() == text);
  const auto again = ParseTemplate(variables, Write(*cut, variables), {});
  FW_CHECK(again.ok());
  CheckSame(*cut, *again);
  // A name is one part, unless it begins with the digit of a group.
  if (!name.empty() && !(name[0] >= '1' && name[0] <= '9')) {
    FW_CHECK(cut->parts.size() == 1 && variables.names().size() == 1);
    FW_CHECK(variables.names()[0].name == ToLower(name));
  }
}

}  // namespace
}  // namespace framewall::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  framewall::config::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
