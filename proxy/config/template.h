// Text with $names: "$scheme://${host}/x$1", cut into parts once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::config {

// Index into VariableScope; the exchange room binds it to a getter when the cycle starts.
using VariableSlot = int32_t;
constexpr VariableSlot kNoVariable = -1;

struct TemplatePart {
  std::string literal;                  // used when neither of the others is set
  VariableSlot variable = kNoVariable;  // $name
  int capture = -1;                     // $1 to $9 of the last regex
};

struct Template {
  std::string source;  // as written
  std::vector<TemplatePart> parts;

  bool empty() const { return source.empty(); }
  // No names in it: the text is `constant_text()` for every request.
  bool constant() const {
    return parts.empty() ||
           (parts.size() == 1 && parts[0].variable == kNoVariable && parts[0].capture < 0);
  }
  std::string_view constant_text() const {
    return parts.empty() ? std::string_view() : std::string_view(parts[0].literal);
  }
};

// A template without names.
Template ConstantTemplate(std::string text);

}  // namespace framewall::config
