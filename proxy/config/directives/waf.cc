// The ModSecurity connector's directives and ours beside them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kWaf = &LocationSettings::waf;

constexpr std::array<Word<WafOrder>, 2> kOrder = {
    {{"connector", WafOrder::kConnector}, {"late", WafOrder::kLate}}};
constexpr std::array<Word<OnWafError>, 2> kOnError = {
    {{"deny", OnWafError::kDeny}, {"pass", OnWafError::kPass}}};
constexpr std::array<Word<WafBodyEncoding>, 3> kEncoding = {{{"inflate", WafBodyEncoding::kInflate},
                                                             {"refuse", WafBodyEncoding::kRefuse},
                                                             {"pass", WafBodyEncoding::kPass}}};

// Sources add up from http to location, as the connector merges its rule sets.
void ApplyRules(BuildContext& context, const Directive& directive) {
  ModSecuritySource source;
  source.at = directive.at;
  if (directive.name == "modsecurity_rules") {
    source.kind = ModSecuritySource::Kind::kInline;
    source.text = directive.args[0];
  } else if (directive.name == "modsecurity_rules_file") {
    source.kind = ModSecuritySource::Kind::kFile;
    source.text = context.config.ConfPath(directive.args[0]);
  } else {
    source.kind = ModSecuritySource::Kind::kRemote;
    source.key = directive.args[0];
    source.text = directive.args[1];
    if (!source.text.starts_with("https://")) {
      context.Error(directive,
                    fmt::format("invalid URL \"{}\" in \"modsecurity_rules_remote\" directive, "
                                "https:// was expected",
                                source.text));
      return;
    }
  }
  context.settings->waf.sources.push_back(std::move(source));
}

// "country": what a rule calls TX:country. Digits alone are captures, ws_ belongs to messages.
bool IsRuleVariableName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits) &&
         !(name[0] >= '0' && name[0] <= '9') && !name.starts_with("ws_");
}

// Added to those of the blocks around; the same name again replaces its value.
void ApplyVariable(BuildContext& context, const Directive& directive) {
  const std::string name = ToLower(directive.args[0]);
  if (!IsRuleVariableName(name)) {
    ReportInvalidParameter(context, directive, directive.args[0],
                           "a NAME of letters, digits, _ and -, that begins with none of a digit "
                           "and ws_");
    return;
  }
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  auto& variables = context.settings->waf.variables;
  for (auto& [known, text] : variables) {
    if (known != name) continue;
    text = std::move(*value);
    return;
  }
  variables.emplace_back(name, std::move(*value));
}

void ApplyAuditMaskFields(BuildContext& context, const Directive& directive) {
  WafSettings& waf = context.settings->waf;
  if (context.first_in_block) {
    waf.audit_mask = true;
    waf.audit_mask_defaults = false;
    waf.audit_mask_fields.clear();
  }
  for (const std::string& name : directive.args) {
    if (name == "off") {
      if (directive.args.size() > 1) {
        ReportInvalidParameter(context, directive, name, "NAME ..., or \"off\" alone");
      }
      waf.audit_mask = false;
      return;
    }
    if (name == "default") {
      waf.audit_mask_defaults = true;
      continue;
    }
    if (std::none_of(name.begin(), name.end(), [](char c) { return IsAlpha(c) || IsDigit(c); })) {
      ReportInvalidParameter(context, directive, name, "the name of a field");
      return;
    }
    waf.audit_mask_fields.push_back(name);
  }
}

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    One("modsecurity", kHsl, Flag<kWaf, &WafSettings::enabled>,
        "on | off: run the rules; off unless set"),
    {.name = "modsecurity_rules",
     .contexts = kHsl,
     .arity = {1, 1},
     .apply = ApplyRules,
     .repeatable = true,
     .doc = "'RULES': written here; added to those of the blocks around"},
    {.name = "modsecurity_rules_file",
     .contexts = kHsl,
     .arity = {1, 1},
     .apply = ApplyRules,
     .repeatable = true,
     .doc = "FILE: of rules; added to those of the blocks around"},
    {.name = "modsecurity_rules_remote",
     .contexts = kHsl,
     .arity = {2, 2},
     .apply = ApplyRules,
     .repeatable = true,
     .doc = "KEY URL: rules fetched at start"},
    {.name = "modsecurity_variable",
     .contexts = kHsl,
     .arity = {2, 2},
     .apply = ApplyVariable,
     .repeatable = true,
     .doc =
         "NAME TEXT: framewall's own; what rules see as TX:NAME from phase 1 on, of a message as "
         "of its handshake; added to those of the blocks around"},
    One("modsecurity_transaction_id", kHsl, TemplateText<kWaf, &WafSettings::transaction_id>,
        "TEXT: the id of a transaction in logs; one of ours unless set"),
    One("modsecurity_use_error_log", kHsl, Flag<kWaf, &WafSettings::use_error_log>,
        "on | off: what rules log goes to the error log; on unless set"),
    List("modsecurity_audit_mask_fields", kHsl, {1, kMany}, ApplyAuditMaskFields,
         "NAME ... [default] | off: framewall's own; fields whose values are *** in audit records "
         "and in what rules log; default: passwords, codes, tokens and their kin"),
    One("modsecurity_order", kHsl, Enum<kOrder, kWaf, &WafSettings::order>,
        "connector | late: framewall's own; when the rules run: early as the connector, or after "
        "access control"),
    One("waf_on_error", kHsl, Enum<kOnError, kWaf, &WafSettings::on_error>,
        "deny | pass: framewall's own; when the rules cannot run; deny unless set"),
    One("waf_request_encoding", kHsl, Enum<kEncoding, kWaf, &WafSettings::request_encoding>,
        "inflate | refuse | pass: framewall's own; request bodies with a Content-Encoding; inflate "
        "unless set"),
    One("waf_response_encoding", kHsl, Enum<kEncoding, kWaf, &WafSettings::response_encoding>,
        "inflate | refuse | pass: framewall's own; refuse does not pass Accept-Encoding on where "
        "responses are inspected; refuse unless set"),
    One("waf_inflate_limit", kHsl, Size<kWaf, &WafSettings::inflate_limit>,
        "SIZE: framewall's own; of a body after inflating; 1m unless set"),
    One("waf_request_hold_limit", kHsl, Size<kWaf, &WafSettings::request_hold_limit>,
        "SIZE: framewall's own; held for inspection of one request; 16m unless set"),
    One("waf_worker_hold_limit", kHsl, Size<kWaf, &WafSettings::worker_hold_limit>,
        "SIZE: framewall's own; held for inspection in one worker; 256m unless set"),
};

}  // namespace

std::span<const DirectiveSpec> WafDirectives() { return kRows; }

}  // namespace framewall::config
