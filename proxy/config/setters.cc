#include "proxy/config/setters.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/config/template_parser.h"

namespace framewall::config {

std::optional<bool> ReadFlag(BuildContext& context, const Directive& directive) {
  const auto value = ParseFlag(directive.args[0]);
  if (!value) {
    context.Error(
        directive,
        fmt::format("invalid value \"{}\" in \"{}\" directive, it must be \"on\" or \"off\"",
                    directive.args[0], directive.name));
  }
  return value;
}

std::optional<uint64_t> ReadNumber(BuildContext& context, const Directive& directive,
                                   std::string_view text, Range range) {
  const auto value = ParseUnsigned(text);
  if (!value) {
    context.Error(directive, fmt::format("\"{}\" directive invalid number \"{}\", decimal digits "
                                         "were expected",
                                         directive.name, text));
    return std::nullopt;
  }
  if (*value < range.min || *value > range.max) {
    constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
    context.Error(
        directive,
        range.max == kNoLimit
            ? fmt::format("\"{}\" directive value \"{}\" must be equal to or greater than {}",
                          directive.name, text, range.min)
            : fmt::format("\"{}\" directive value \"{}\" must be between {} and {}", directive.name,
                          text, range.min, range.max));
    return std::nullopt;
  }
  return value;
}

std::optional<uint64_t> ReadSize(BuildContext& context, const Directive& directive,
                                 std::string_view text) {
  const auto value = ParseSize(text);
  if (!value) {
    context.Error(directive, fmt::format("\"{}\" directive invalid value \"{}\", a size such as "
                                         "8192, 8k or 1m was expected",
                                         directive.name, text));
  }
  return value;
}

std::optional<Milliseconds> ReadTime(BuildContext& context, const Directive& directive,
                                     std::string_view text) {
  const auto value = ParseTime(text);
  if (!value) {
    context.Error(directive,
                  fmt::format("\"{}\" directive invalid value \"{}\", a time such as 30s, "
                              "1m30s or 100ms was expected",
                              directive.name, text));
  }
  return value;
}

std::optional<Template> ReadTemplate(BuildContext& context, const Directive& directive,
                                     std::string_view text) {
  auto value = ParseTemplate(context.config.variables, text, directive.at);
  if (!value) {
    context.Error(directive, value.error().message);
    return std::nullopt;
  }
  return std::move(*value);
}

void ReportUnknownWord(BuildContext& context, const Directive& directive, std::string_view found,
                       const std::vector<std::string_view>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += fmt::format("\"{}\"", words[i]);
  }
  context.Error(directive, fmt::format("invalid value \"{}\" in \"{}\" directive, it must be {}",
                                       found, directive.name, list));
}

void ReportInvalidParameter(BuildContext& context, const Directive& directive,
                            std::string_view found, std::string_view expected) {
  context.Error(directive, fmt::format("invalid parameter \"{}\" in \"{}\" directive, it takes {}",
                                       found, directive.name, expected));
}

std::optional<std::string_view> AfterPrefix(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

void AcceptSilently(BuildContext&, const Directive&) {}

}  // namespace framewall::config
