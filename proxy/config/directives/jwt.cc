// auth_jwt*: tokens, with nginx Plus's names; and websocket_auth_*: fresh ones on a socket.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

constexpr auto kJwt = &LocationSettings::jwt;
constexpr auto kSocketToken = &LocationSettings::socket_token;
constexpr std::string_view kSubprotocolToken = "websocket_subprotocol_token";

// auth_jwt REALM [token=$variable] | off
void ApplyAuthJwt(BuildContext& context, const Directive& directive) {
  JwtSettings& jwt = context.settings->jwt;
  auto realm = ReadTemplate(context, directive, directive.args[0]);
  if (!realm) return;
  if (realm->empty()) {
    context.Error(directive, "\"auth_jwt\" takes REALM [token=$variable] or off");
    return;
  }
  Template token;
  if (directive.args.size() > 1) {
    const auto text = AfterPrefix(directive.args[1], "token=");
    if (!text || VariableNameOf(*text).empty() || realm->source == "off") {
      return ReportInvalidParameter(context, directive, directive.args[1], "REALM token=$variable");
    }
    auto value = ReadTemplate(context, directive, *text);
    if (!value) return;
    token = std::move(*value);
  }
  const std::string source = token.empty() ? std::string() : ToLower(VariableNameOf(token.source));
  jwt.token_of_subprotocol = source == kSubprotocolToken;
  if (const auto argument = AfterPrefix(source, "arg_")) {
    MaskArgument(*context.settings, *argument);
  }
  jwt.realm = std::move(*realm);
  jwt.token = std::move(token);
}

// auth_jwt_key_file FILE, auth_jwt_key_request URI; of one level together.
void ApplyKeys(BuildContext& context, const Directive& directive) {
  std::vector<JwtKeySource>& keys = context.settings->jwt.keys;
  if (context.first_in_block) keys.clear();
  const std::string& text = directive.args[0];
  const bool is_file = directive.name == "auth_jwt_key_file";
  if (text.empty() || HasNames(text)) {
    context.Error(directive, fmt::format("\"{}\" takes {} without variables: {}", directive.name,
                                         is_file ? "the name of a file" : "a URI",
                                         is_file ? "files are read at the start"
                                                 : "its keys are kept for all requests"));
    return;
  }
  if (!is_file && !text.starts_with('/')) {
    return ReportInvalidParameter(context, directive, text, "a URI that begins with \"/\"");
  }
  constexpr size_t kMostSources = 16;
  if (keys.size() >= kMostSources) {
    context.Error(directive, fmt::format("more than {} sources of keys", kMostSources));
    return;
  }
  keys.push_back({is_file ? JwtKeySource::Kind::kFile : JwtKeySource::Kind::kRequest,
                  is_file ? context.config.ConfPath(text) : text, directive.at});
}

void ApplyType(BuildContext& context, const Directive& directive) {
  const std::string& word = directive.args[0];
  if (word == "signed") return;
  if (word == "encrypted" || word == "nested") {
    context.Error(directive, fmt::format("\"auth_jwt_type {}\" is not supported: only signed "
                                         "tokens are read, let the issuer sign without encrypting",
                                         word));
    return;
  }
  ReportUnknownWord(context, directive, word, {"signed"});
}

// auth_jwt_claim_set $NAME KEY ..., auth_jwt_header_set $NAME KEY ...
void ApplyTokenVariable(BuildContext& context, const Directive& directive) {
  const std::string name = ToLower(VariableNameOf(directive.args[0]));
  if (name.empty()) {
    context.Error(directive,
                  fmt::format("invalid variable name \"{}\" in \"{}\" directive, it takes $NAME "
                              "KEY ...",
                              directive.args[0], directive.name));
    return;
  }
  for (const VariableName& known : context.config.variables.names()) {
    if (known.name != name || known.kind == VariableKind::kReferenced) continue;
    context.Error(directive, fmt::format("the duplicate \"{}\" variable", name));
    return;
  }
  auto& list = context.config.http.token_variables;
  TokenVariable& variable = list.emplace_back();
  variable.of_header = directive.name == "auth_jwt_header_set";
  variable.path.assign(directive.args.begin() + 1, directive.args.end());
  context.config.variables.Define(name, VariableKind::kToken, static_cast<int>(list.size()) - 1,
                                  directive.at);
}

// auth_jwt_require $value ... [error=401 | 403]
void ApplyRequire(BuildContext& context, const Directive& directive) {
  std::vector<JwtRequire>& list = context.settings->jwt.require;
  if (context.first_in_block) list.clear();
  JwtRequire require;
  for (size_t i = 0; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    if (const auto status = AfterPrefix(text, "error=")) {
      if ((*status != "401" && *status != "403") || i + 1 != directive.args.size() || i == 0) {
        return ReportInvalidParameter(context, directive, text, "$value ... [error=401|403]");
      }
      require.status = *status == "403" ? 403 : 401;
      continue;
    }
    auto value = ReadTemplate(context, directive, text);
    if (!value) return;
    if (value->constant() || !value->parts[0].literal.empty() || value->parts[0].capture >= 0) {
      return ReportInvalidParameter(context, directive, text,
                                    "a value that begins with a variable");
    }
    require.values.push_back(std::move(*value));
  }
  list.push_back(std::move(require));
}

// "/a/b" (RFC 6901) as names of members, one within the other; nothing where it is none.
std::optional<std::vector<std::string>> ReadPointer(std::string_view text) {
  if (text.size() < 2 || text[0] != '/') return std::nullopt;
  std::vector<std::string> path;
  for (const std::string_view part : Split(text.substr(1), '/')) {
    std::string name;
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] != '~') {
        name += part[i];
        continue;
      }
      if (++i == part.size() || (part[i] != '0' && part[i] != '1')) return std::nullopt;
      name += part[i] == '0' ? '~' : '/';
    }
    path.push_back(std::move(name));
  }
  return path;
}

// websocket_auth_message off | NAME [type=POINTER] [token=POINTER]
void ApplyMessage(BuildContext& context, const Directive& directive) {
  constexpr std::string_view kExpected = "off, or NAME [type=/POINTER] [token=/POINTER]";
  SocketTokenSettings made;
  const SocketTokenSettings& old = context.settings->socket_token;
  made.forward = old.forward;
  made.wrong = old.wrong;
  made.name = directive.args[0];
  if (made.name.empty()) return ReportInvalidParameter(context, directive, made.name, kExpected);
  made.enabled = made.name != "off";
  for (size_t i = 1; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    const auto type = AfterPrefix(text, "type=");
    const auto token = AfterPrefix(text, "token=");
    const auto path = ReadPointer(type ? *type : token.value_or(std::string_view()));
    if (!path || !made.enabled) return ReportInvalidParameter(context, directive, text, kExpected);
    (type ? made.name_at : made.token_at) = *path;
  }
  context.settings->socket_token = std::move(made);
}

constexpr std::array<Word<WrongSocketToken>, 2> kWrong = {
    {{"close", WrongSocketToken::kClose}, {"ignore", WrongSocketToken::kIgnore}}};

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    {.name = "auth_jwt",
     .contexts = kHsl | kLimitExcept,
     .arity = {1, 2},
     .apply = ApplyAuthJwt,
     .doc = "REALM [token=$variable] | off: requests need a signed token, from Authorization: "
            "Bearer or from a variable ($cookie_NAME, $arg_NAME, $websocket_subprotocol_token)"},
    List("auth_jwt_key_file", kHsl | kLimitExcept, {1, 1}, ApplyKeys,
         "FILE: a JSON Web Key Set; read at the start and at each reload", "auth_jwt_keys"),
    List("auth_jwt_key_request", kHsl | kLimitExcept, {1, 1}, ApplyKeys,
         "URI: a location that answers with a JSON Web Key Set", "auth_jwt_keys"),
    One("auth_jwt_key_cache", kHsl, Time<kJwt, &JwtSettings::key_cache>,
        "TIME: fetched keys are fetched anew after it, at most every 10 seconds; 0 unless set"),
    One("auth_jwt_type", kHsl | kLimitExcept, ApplyType,
        "signed: encrypted and nested tokens are refused"),
    {.name = "auth_jwt_claim_set",
     .contexts = kHttp,
     .arity = {2, kMany},
     .apply = ApplyTokenVariable,
     .repeatable = true,
     .doc = "$NAME KEY ...: a variable with the claim of that name, or of names one within the "
            "other; an array is its elements with commas between"},
    {.name = "auth_jwt_header_set",
     .contexts = kHttp,
     .arity = {2, kMany},
     .apply = ApplyTokenVariable,
     .repeatable = true,
     .doc = "$NAME KEY ...: the same of the token's header"},
    List("auth_jwt_require", kHsl | kLimitExcept, {1, kMany}, ApplyRequire,
         "$value ... [error=401|403]: after verification each must be set and be none of \"\", 0 "
         "and false"),
    One("auth_jwt_leeway", kHsl, Time<kJwt, &JwtSettings::leeway>,
        "TIME: exp and nbf may be off by so much; 0 unless set"),
    One("auth_jwt_token_cache", kHsl, Flag<kJwt, &JwtSettings::token_cache>,
        "on | off: a token that was verified is known again until it ends; on unless set"),
    {.name = "websocket_auth_message",
     .contexts = kHsl,
     .arity = {1, 3},
     .apply = ApplyMessage,
     .doc = "off | NAME [type=/POINTER] [token=/POINTER]: the message that brings a socket a fresh "
            "token; auth type=/type token=/token unless set"},
    One("websocket_auth_forward", kHsl, Flag<kSocketToken, &SocketTokenSettings::forward>,
        "on | off: the upstream sees such messages too; off unless set"),
    One("websocket_auth_failure", kHsl, Enum<kWrong, kSocketToken, &SocketTokenSettings::wrong>,
        "close | ignore: a fresh token that is wrong closes with 4401, or is logged only; close "
        "unless set"),
};

}  // namespace

std::span<const DirectiveSpec> JwtDirectives() { return kRows; }

}  // namespace framewall::config
