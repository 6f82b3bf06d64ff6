#include "proxy/config/template_parser.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"

namespace framewall::config {
namespace {

bool IsNameChar(char c) { return IsAlpha(c) || IsDigit(c) || c == '_'; }

Error InvalidName(std::string_view text) {
  return OperatorError(fmt::format(
      "invalid variable name in \"{}\": \"$\" is followed by a name, {{name}} or a digit", text));
}

}  // namespace

Template ConstantTemplate(std::string text) {
  Template result;
  result.source = text;
  if (!text.empty()) result.parts.push_back(TemplatePart{.literal = std::move(text)});
  return result;
}

Result<Template> ParseTemplate(VariableScope& variables, std::string_view text,
                               const SourceLocation& at) {
  Template result;
  result.source = std::string(text);
  std::string literal;
  const auto flush = [&] {
    if (literal.empty()) return;
    result.parts.push_back(TemplatePart{.literal = std::exchange(literal, {})});
  };

  size_t i = 0;
  while (i < text.size()) {
    if (text[i] != '$') {
      literal += text[i++];
      continue;
    }
    if (++i == text.size()) return InvalidName(text);
    if (text[i] >= '1' && text[i] <= '9') {
      flush();
      result.parts.push_back(TemplatePart{.capture = text[i++] - '0'});
      continue;
    }
    const bool is_braced = text[i] == '{';
    if (is_braced) ++i;
    const size_t start = i;
    while (i < text.size() && IsNameChar(text[i])) ++i;
    const std::string_view name = text.substr(start, i - start);
    if (is_braced) {
      if (i == text.size() || text[i] != '}') {
        return OperatorError(
            fmt::format("the closing bracket in \"{}\" variable is missing", name));
      }
      ++i;
    }
    if (name.empty()) return InvalidName(text);
    flush();
    result.parts.push_back(TemplatePart{.variable = variables.Reference(ToLower(name), at)});
  }
  flush();
  return result;
}

std::string_view VariableNameOf(std::string_view text) {
  if (text.size() < 2 || text[0] != '$') return {};
  text.remove_prefix(1);
  for (const char c : text) {
    if (!IsNameChar(c)) return {};
  }
  return text;
}

}  // namespace framewall::config
