// add_header, add_trailer, expires.
#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

template <auto kList>
void AddLine(BuildContext& context, const Directive& directive) {
  std::vector<HeaderLine>& list = context.settings->headers.*kList;
  if (context.first_in_block) list.clear();
  HeaderLine line;
  line.name = directive.args[0];
  if (!IsToken(line.name)) {
    context.Error(directive, fmt::format("invalid header name \"{}\" in \"{}\" directive",
                                         line.name, directive.name));
    return;
  }
  if (directive.args.size() == 3) {
    if (directive.args[2] != "always") {
      ReportInvalidParameter(context, directive, directive.args[2], "NAME VALUE [always]");
      return;
    }
    line.always = true;
  }
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  line.value = std::move(*value);
  list.push_back(std::move(line));
}

// Empty where the value of `expires` is good, else what is wrong with it.
std::string CheckExpires(std::string_view text, bool modified) {
  if (!modified && (text == "epoch" || text == "max" || text == "off")) return {};
  const bool is_daily = text.starts_with('@');
  if (is_daily && modified) return "daily time cannot be used with \"modified\" parameter";
  if (is_daily || text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const auto time = ParseTime(text);
  if (!time) {
    return fmt::format(
        "invalid value \"{}\", [modified] [+|-]TIME, @TIME, epoch, max or off was "
        "expected",
        text);
  }
  if (is_daily && *time > std::chrono::hours(24)) {
    return "daily time value must be less than 24 hours";
  }
  return {};
}

void ApplyExpires(BuildContext& context, const Directive& directive) {
  ExpiresSettings expires;
  expires.set = true;
  if (directive.args.size() == 2) {
    if (directive.args[0] != "modified") {
      ReportInvalidParameter(context, directive, directive.args[0],
                             "[modified] TIME | epoch | max | off");
      return;
    }
    expires.modified = true;
  }
  const std::string& text = directive.args.back();
  auto value = ReadTemplate(context, directive, text);
  if (!value) return;
  if (value->constant()) {
    const std::string wrong = CheckExpires(text, expires.modified);
    if (!wrong.empty()) {
      context.Error(directive, fmt::format("\"expires\" directive {}", wrong));
      return;
    }
  }
  expires.value = std::move(*value);
  context.settings->headers.expires = std::move(expires);
}

constexpr ContextSet kPlaces = kHttpServerLocation | kIfInLocation;

constexpr DirectiveSpec kRows[] = {
    List("add_header", kPlaces, {2, 3}, AddLine<&HeaderSettings::add_header>,
         "NAME VALUE [always]: a field of the answer, with always of errors too"),
    List("add_trailer", kPlaces, {2, 3}, AddLine<&HeaderSettings::add_trailer>,
         "NAME VALUE [always]: a field after the body"),
    {.name = "expires",
     .contexts = kPlaces,
     .arity = {1, 2},
     .apply = ApplyExpires,
     .doc = "[modified] [+|-]TIME | @TIME | epoch | max | off: Expires and Cache-Control"},
};

}  // namespace

std::span<const DirectiveSpec> HeadersDirectives() { return kRows; }

}  // namespace framewall::config
