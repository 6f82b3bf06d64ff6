// Who may: allow and deny, passwords, subrequests that decide, referers.
#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

constexpr auto kAccess = &LocationSettings::access;

// allow, deny: "all", "unix:", an address or a network.
void ApplyRule(BuildContext& context, const Directive& directive) {
  AccessList*& list = context.settings->access.list;
  if (context.first_in_block || list == nullptr) {
    list = &context.config.http.access_lists.emplace_back();
  }
  const std::string& text = directive.args[0];
  AccessRule rule;
  rule.allow = directive.name == "allow";
  if (text == "all") {
    rule.match = AccessRule::Match::kAll;
  } else if (text == "unix:") {
    rule.match = AccessRule::Match::kUnix;
  } else {
    bool host_bits_set = false;
    const auto network = Cidr::Parse(text, &host_bits_set);
    if (!network) {
      ReportInvalidParameter(context, directive, text, "ADDRESS | ADDRESS/BITS | unix: | all");
      return;
    }
    if (host_bits_set) {
      context.diagnostics.Warn(directive.at,
                               fmt::format("low address bits of {} are meaningless", text));
    }
    rule.match = AccessRule::Match::kNetwork;
    rule.network = *network;
  }
  list->rules.push_back(rule);
}

void ApplyUserFile(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  auto value = ReadTemplate(context, directive,
                            text.starts_with('$') ? text : context.config.ConfPath(text));
  if (value) context.settings->access.auth_basic_user_file = std::move(*value);
}

void ApplyAuthBasicCache(BuildContext& context, const Directive& directive) {
  if (directive.args[0] == "off") {
    context.settings->access.auth_basic_cache = Milliseconds(0);
  } else if (const auto time = ReadTime(context, directive, directive.args[0])) {
    context.settings->access.auth_basic_cache = *time;
  }
}

void ApplyAuthRequest(BuildContext& context, const Directive& directive) {
  const std::string& uri = directive.args[0];
  if (uri != "off" && !uri.starts_with('/')) {
    ReportInvalidParameter(context, directive, uri, "/URI | off");
    return;
  }
  context.settings->access.auth_request = uri == "off" ? "" : uri;
}

void ApplyAuthRequestSet(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->auth_request_set;
  if (context.first_in_block) list.clear();
  const std::string_view name = VariableNameOf(directive.args[0]);
  if (name.empty()) {
    context.Error(directive, fmt::format("invalid variable name \"{}\" in \"auth_request_set\" "
                                         "directive, it takes $NAME VALUE",
                                         directive.args[0]));
    return;
  }
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  const VariableSlot slot =
      context.config.variables.Define(ToLower(name), VariableKind::kSet, -1, directive.at);
  list.emplace_back(slot, std::move(*value));
}

void ApplyValidReferers(BuildContext& context, const Directive& directive) {
  LocationSettings::ValidReferers& referers = context.settings->referers;
  if (context.first_in_block) referers = {};
  referers.set = true;
  for (const std::string& text : directive.args) {
    if (text == "none") {
      referers.none = true;
    } else if (text == "blocked") {
      referers.blocked = true;
    } else if (text == "server_names") {
      referers.server_names = true;
    } else if (text.empty() || text == "~") {
      context.Error(directive, fmt::format("invalid referer \"{}\"", text));
    } else if (text.starts_with('~')) {
      auto use = CompileRegex(context.config, std::string_view(text).substr(1),
                              Regex::Case::kInsensitive, directive.at);
      if (use) {
        referers.regexes.push_back(use->regex);
      } else {
        context.Error(directive, use.error().message);
      }
    } else {
      const size_t slash = text.find('/');
      const std::string host = ToLower(std::string_view(text).substr(0, slash));
      referers.names.push_back(slash == std::string::npos ? host : host + text.substr(slash));
    }
  }
}

constexpr DirectiveSpec kRows[] = {
    List("allow", kHttpServerLocation | kLimitExcept, {1, 1}, ApplyRule,
         "ADDRESS | NETWORK | unix: | all: the first rule that matches decides", "access"),
    List("deny", kHttpServerLocation | kLimitExcept, {1, 1}, ApplyRule,
         "ADDRESS | NETWORK | unix: | all: the first rule that matches decides", "access"),
    One("auth_basic", kHttpServerLocation | kLimitExcept,
        TemplateText<kAccess, &AccessSettings::auth_basic>, "REALM | off: ask for a password"),
    One("auth_basic_user_file", kHttpServerLocation | kLimitExcept, ApplyUserFile,
        "FILE: lines of NAME:HASH"),
    One("auth_basic_cache", kHttpServerLocation | kLimitExcept, ApplyAuthBasicCache,
        "TIME | off: so long a right password need not be hashed again (10s)"),
    One("auth_delay", kHttpServerLocation, Time<kAccess, &AccessSettings::auth_delay>,
        "TIME: an answer of 401 waits so long"),
    One("auth_request", kHttpServerLocation, ApplyAuthRequest,
        "URI | off: a subrequest that decides; 2xx lets pass, 401 and 403 refuse"),
    List("auth_request_set", kHttpServerLocation, {2, 2}, ApplyAuthRequestSet,
         "$NAME VALUE: once auth_request has answered, evaluated in its subrequest"),
    List("valid_referers", kServer | kLocation, {1, kMany}, ApplyValidReferers,
         "none | blocked | server_names | NAME | ~REGEX ...: for all others $invalid_referer is 1"),
};

}  // namespace

std::span<const DirectiveSpec> AccessDirectives() { return kRows; }

void BuildAccessLists(Config& config) {
  for (AccessList& list : config.http.access_lists) {
    const auto count = static_cast<uint32_t>(list.rules.size());
    for (uint32_t i = 0; i < count; ++i) {
      const AccessRule& rule = list.rules[i];
      switch (rule.match) {
        case AccessRule::Match::kNetwork:
          list.networks.Add(rule.network, i, count - i);
          break;
        case AccessRule::Match::kAll:
          list.networks.AddAll(i, count - i);
          [[fallthrough]];
        case AccessRule::Match::kUnix:
          if (!list.first_for_unix) list.first_for_unix = i;
          break;
      }
    }
    list.networks.Build();
  }
}

}  // namespace framewall::config
