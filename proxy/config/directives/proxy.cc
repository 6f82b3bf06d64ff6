// proxy_*: how a request goes to an upstream and what of the answer comes back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {

// proxy_pass.cc
void ApplyProxyPass(BuildContext& context, const Directive& directive);

namespace {

constexpr auto kProxy = &LocationSettings::proxy;

constexpr std::array<Word<uint32_t>, 12> kNextUpstream = {{{"error", kNextError},
                                                           {"timeout", kNextTimeout},
                                                           {"invalid_header", kNextInvalidHeader},
                                                           {"non_idempotent", kNextNonIdempotent},
                                                           {"http_500", kNextHttp500},
                                                           {"http_502", kNextHttp502},
                                                           {"http_503", kNextHttp503},
                                                           {"http_504", kNextHttp504},
                                                           {"http_403", kNextHttp403},
                                                           {"http_404", kNextHttp404},
                                                           {"http_429", kNextHttp429},
                                                           {"off", kNextOff}}};

constexpr std::array<Word<uint32_t>, 9> kIgnoreHeaders = {
    {{"X-Accel-Redirect", kIgnoreAccelRedirect},
     {"X-Accel-Expires", kIgnoreAccelExpires},
     {"X-Accel-Limit-Rate", kIgnoreAccelLimitRate},
     {"X-Accel-Buffering", kIgnoreAccelBuffering},
     {"X-Accel-Charset", kIgnoreAccelCharset},
     {"Expires", kIgnoreExpires},
     {"Cache-Control", kIgnoreCacheControl},
     {"Set-Cookie", kIgnoreSetCookie},
     {"Vary", kIgnoreVary}}};

// ---- sizes that depend on each other

uint64_t UsualBusySize(const ProxySettings& proxy) {
  return 2 * std::max(proxy.buffer_size, proxy.buffers_size);
}

// The busy size follows the buffers until proxy_busy_buffers_size says otherwise.
void ChangeBuffers(BuildContext& context, const Directive& directive, uint64_t ProxySettings::*size,
                   const std::string& text) {
  const auto value = ReadSize(context, directive, text);
  if (!value) return;
  if (*value == 0) {
    context.Error(
        directive,
        fmt::format("\"{}\" directive invalid value \"0\", a buffer has a size", directive.name));
    return;
  }
  ProxySettings& proxy = context.settings->proxy;
  const bool follows = proxy.busy_buffers_size == UsualBusySize(proxy);
  proxy.*size = *value;
  if (follows) proxy.busy_buffers_size = UsualBusySize(proxy);
}

void ApplyBufferSize(BuildContext& context, const Directive& directive) {
  ChangeBuffers(context, directive, &ProxySettings::buffer_size, directive.args[0]);
}

void ApplyBuffers(BuildContext& context, const Directive& directive) {
  const auto count = ReadNumber(context, directive, directive.args[0], Range{2, 1 << 20});
  if (!count) return;
  context.settings->proxy.buffers_count = *count;
  ChangeBuffers(context, directive, &ProxySettings::buffers_size, directive.args[1]);
}

void ApplyTempPath(BuildContext& context, const Directive& directive) {
  for (size_t i = 1; i < directive.args.size(); ++i) {
    if (!ReadNumber(context, directive, directive.args[i], Range{1, 10})) return;
  }
  context.settings->proxy.temp_path = context.config.FullPath(directive.args[0]);
}

// ---- the request to the upstream

void ApplySetHeader(BuildContext& context, const Directive& directive) {
  std::vector<HeaderLine>& list = context.settings->proxy.set_header;
  if (context.first_in_block) list.clear();
  if (!IsToken(directive.args[0])) {
    context.Error(directive, fmt::format("invalid header name \"{}\" in \"proxy_set_header\" "
                                         "directive",
                                         directive.args[0]));
    return;
  }
  if (auto value = ReadTemplate(context, directive, directive.args[1])) {
    list.push_back(HeaderLine{.name = directive.args[0], .value = std::move(*value)});
  }
}

void ApplyHttpVersion(BuildContext& context, const Directive& directive) {
  ProxySettings& proxy = context.settings->proxy;
  const std::string& text = directive.args[0];
  if (text == "2" || text == "2.0") {
    context.Error(directive, "HTTP/2 to upstreams is not supported, 1.0 or 1.1 was expected");
    return;
  }
  if (text != "1.0" && text != "1.1") {
    ReportUnknownWord(context, directive, text, {"1.0", "1.1"});
    return;
  }
  proxy.http11 = text == "1.1";
  proxy.http_version_set = true;
}

void ApplyBind(BuildContext& context, const Directive& directive) {
  ProxySettings& proxy = context.settings->proxy;
  const std::string& text = directive.args[0];
  auto value = ReadTemplate(context, directive, text);
  if (!value) return;
  if (text != "off" && value->constant() && !IpAddress::Parse(text) &&
      !SocketAddress::Parse(text)) {
    context.Error(directive,
                  fmt::format("invalid address \"{}\" in \"proxy_bind\" directive, an IP address "
                              "[transparent] or off was expected",
                              text));
    return;
  }
  proxy.bind_transparent = false;
  if (directive.args.size() > 1) {
    if (directive.args[1] != "transparent") {
      ReportInvalidParameter(context, directive, directive.args[1], "ADDRESS [transparent] | off");
      return;
    }
    proxy.bind_transparent = true;
  }
  proxy.bind = std::move(*value);
}

// ---- the answer

template <auto kList>
void HeaderName(BuildContext& context, const Directive& directive) {
  std::vector<std::string>& list = context.settings->proxy.*kList;
  if (context.first_in_block) list.clear();
  list.push_back(directive.args[0]);
}

// "off" alone, or two arguments. False: done or reported.
bool WantsRewrite(BuildContext& context, const Directive& directive,
                  std::vector<ProxyCookieRewrite>& list) {
  if (context.first_in_block) list.clear();
  if (directive.args.size() == 2) return true;
  if (directive.args[0] != "off") {
    ReportInvalidParameter(context, directive, directive.args[0], "FROM TO | off");
  }
  list.clear();
  return false;
}

bool ReadRewriteRegex(BuildContext& context, const Directive& directive, std::string_view pattern,
                      Regex::Case sensitivity, RegexUse& regex) {
  auto use = CompileRegex(context.config, pattern, sensitivity, directive.at);
  if (!use) {
    context.Error(directive, use.error().message);
    return false;
  }
  regex = std::move(*use);
  return true;
}

// "~REGEX" or "~*REGEX"; the rest of `text` and whether case counts.
std::string_view AfterTilde(std::string_view text, Regex::Case* sensitivity) {
  text.remove_prefix(1);
  *sensitivity = Regex::Case::kSensitive;
  if (text.starts_with('*')) {
    text.remove_prefix(1);
    *sensitivity = Regex::Case::kInsensitive;
  }
  return text;
}

void ApplyCookieDomain(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->proxy.cookie_domain;
  if (!WantsRewrite(context, directive, list)) return;
  std::string_view from = directive.args[0];
  std::string_view to = directive.args[1];
  ProxyCookieRewrite rewrite;
  if (from.starts_with('~')) {
    rewrite.kind = ProxyCookieRewrite::Kind::kRegex;
    if (!ReadRewriteRegex(context, directive, from.substr(1), Regex::Case::kInsensitive,
                          rewrite.regex)) {
      return;
    }
  } else {
    // A leading dot of a cookie's domain means nothing (RFC 6265 5.2.3).
    if (from.starts_with('.')) from.remove_prefix(1);
    if (to.starts_with('.')) to.remove_prefix(1);
    auto value = ReadTemplate(context, directive, from);
    if (!value) return;
    rewrite.from = std::move(*value);
  }
  auto value = ReadTemplate(context, directive, to);
  if (!value) return;
  rewrite.to = std::move(*value);
  list.push_back(std::move(rewrite));
}

void ApplyCookiePath(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->proxy.cookie_path;
  if (!WantsRewrite(context, directive, list)) return;
  ProxyCookieRewrite rewrite;
  if (directive.args[0].starts_with('~')) {
    rewrite.kind = ProxyCookieRewrite::Kind::kRegex;
    Regex::Case sensitivity;
    const std::string_view pattern = AfterTilde(directive.args[0], &sensitivity);
    if (!ReadRewriteRegex(context, directive, pattern, sensitivity, rewrite.regex)) return;
  } else {
    auto value = ReadTemplate(context, directive, directive.args[0]);
    if (!value) return;
    rewrite.from = std::move(*value);
  }
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  rewrite.to = std::move(*value);
  list.push_back(std::move(rewrite));
}

void ApplyCookieFlags(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->proxy.cookie_flags;
  if (context.first_in_block) list.clear();
  const std::string& cookie = directive.args[0];
  if (directive.args.size() == 1) {
    if (cookie != "off") {
      ReportInvalidParameter(context, directive, cookie, "COOKIE FLAG ... | off");
    }
    list.clear();
    return;
  }
  constexpr std::array<std::string_view, 8> kFlags = {
      "secure",     "nosecure",      "httponly",        "nohttponly",
      "nosamesite", "samesite=none", "samesite=strict", "samesite=lax"};
  ProxyCookieFlags flags;
  if (cookie.starts_with('~')) {
    flags.is_regex = true;
    if (!ReadRewriteRegex(context, directive, std::string_view(cookie).substr(1),
                          Regex::Case::kInsensitive, flags.regex)) {
      return;
    }
  } else {
    auto value = ReadTemplate(context, directive, cookie);
    if (!value) return;
    flags.cookie = std::move(*value);
  }
  for (size_t i = 1; i < directive.args.size(); ++i) {
    auto value = ReadTemplate(context, directive, directive.args[i]);
    if (!value) return;
    if (value->constant() &&
        std::find(kFlags.begin(), kFlags.end(), directive.args[i]) == kFlags.end()) {
      ReportInvalidParameter(context, directive, directive.args[i],
                             "secure, nosecure, httponly, nohttponly, samesite=strict|lax|none and "
                             "nosamesite");
      return;
    }
    flags.flags.push_back(std::move(*value));
  }
  list.push_back(std::move(flags));
}

void ApplyRedirect(BuildContext& context, const Directive& directive) {
  ProxySettings& proxy = context.settings->proxy;
  if (context.first_in_block) {
    proxy.redirects.clear();
    proxy.redirect_default = false;
    proxy.redirect_off = false;
  }
  const std::string& from = directive.args[0];
  if (directive.args.size() == 1) {
    if (from == "off") {
      proxy.redirect_off = true;
      proxy.redirect_default = false;
      proxy.redirects.clear();
      return;
    }
    if (from != "default") {
      ReportInvalidParameter(context, directive, from, "FROM TO | default | off");
      return;
    }
    const bool is_location = context.context == kLocation || context.context == kIfInLocation ||
                             context.context == kLimitExcept;
    if (!is_location || !context.location->proxy_pass.set) {
      context.Error(directive,
                    "\"proxy_redirect default\" should be placed after the "
                    "\"proxy_pass\" directive");
    } else if (context.location->proxy_pass.has_variables) {
      context.Error(directive,
                    "\"proxy_redirect default\" cannot be used with \"proxy_pass\" "
                    "directive with variables");
    }
    proxy.redirect_default = true;
    return;
  }
  ProxyRedirect redirect;
  if (from.starts_with('~')) {
    redirect.kind = ProxyRedirect::Kind::kRegex;
    Regex::Case sensitivity;
    const std::string_view pattern = AfterTilde(from, &sensitivity);
    if (!ReadRewriteRegex(context, directive, pattern, sensitivity, redirect.regex)) return;
  } else {
    auto value = ReadTemplate(context, directive, from);
    if (!value) return;
    redirect.from = std::move(*value);
  }
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  redirect.to = std::move(*value);
  proxy.redirects.push_back(std::move(redirect));
}

constexpr ContextSet kHsl = kHttpServerLocation;

void ApplyForceRanges(BuildContext& context, const Directive& directive) {
  if (directive.args[0] == "off") return;
  context.diagnostics.Warn(
      directive.at,
      "\"proxy_force_ranges\" has no effect here: ranges are the upstream's to "
      "answer");
}

constexpr DirectiveSpec kRows[] = {
    {.name = "proxy_pass",
     .contexts = kLocation | kIfInLocation | kLimitExcept,
     .arity = {1, 1},
     .apply = ApplyProxyPass,
     .inherits = Inherits::kNotInherited,
     .doc = "URL: where requests go; an address, a name, an upstream block, or a text with names"},
    List("proxy_set_header", kHsl, {2, 2}, ApplySetHeader,
         "NAME VALUE: a field sent to the upstream; an empty value drops it"),
    One("proxy_method", kHsl, TemplateText<kProxy, &ProxySettings::method>,
        "METHOD: instead of the client's"),
    One("proxy_set_body", kHsl, TemplateText<kProxy, &ProxySettings::set_body>,
        "TEXT: sent instead of the client's body"),
    One("proxy_http_version", kHsl, ApplyHttpVersion, "1.0 | 1.1: towards the upstream"),
    One("proxy_pass_request_headers", kHsl, Flag<kProxy, &ProxySettings::pass_request_headers>,
        "on | off: send the client's fields; on unless set"),
    One("proxy_pass_request_body", kHsl, Flag<kProxy, &ProxySettings::pass_request_body>,
        "on | off: send the client's body; on unless set"),
    One("proxy_request_buffering", kHsl, Flag<kProxy, &ProxySettings::request_buffering>,
        "on | off: read the whole body before the upstream is asked; on unless set"),
    One("proxy_buffering", kHsl, Flag<kProxy, &ProxySettings::buffering>,
        "on | off: take the answer as fast as the upstream gives it; on unless set"),
    One("proxy_buffer_size", kHsl, ApplyBufferSize,
        "SIZE: limit of the answer's head; 4k unless set"),
    {.name = "proxy_buffers",
     .contexts = kHsl,
     .arity = {2, 2},
     .apply = ApplyBuffers,
     .doc = "NUMBER SIZE: what is held of an answer in memory; 8 4k unless set"},
    One("proxy_busy_buffers_size", kHsl, Size<kProxy, &ProxySettings::busy_buffers_size>,
        "SIZE: of them on the way to the client"),
    One("proxy_max_temp_file_size", kHsl, Size<kProxy, &ProxySettings::max_temp_file_size>,
        "SIZE: held of an answer in a file; 0 is none; 1024m unless set"),
    {.name = "proxy_temp_path",
     .contexts = kHsl,
     .arity = {1, 4},
     .apply = ApplyTempPath,
     .doc = "PATH [LEVEL ...]: folder of answers; levels are checked and not used"},
    One("proxy_connect_timeout", kHsl, Time<kProxy, &ProxySettings::connect_timeout>,
        "TIME: to connect; 60s unless set"),
    One("proxy_send_timeout", kHsl, Time<kProxy, &ProxySettings::send_timeout>,
        "TIME: between two writes to the upstream; 60s unless set"),
    One("proxy_read_timeout", kHsl, Time<kProxy, &ProxySettings::read_timeout>,
        "TIME: between two reads from the upstream; 60s unless set"),
    {.name = "proxy_next_upstream",
     .contexts = kHsl,
     .arity = {1, kMany},
     .apply = Mask<kNextUpstream, kProxy, &ProxySettings::next_upstream>,
     .repeatable = true,
     .doc = "error | timeout | invalid_header | http_NNN | non_idempotent | off ...: when the next "
            "server is asked"},
    One("proxy_next_upstream_tries", kHsl, Number<kProxy, &ProxySettings::next_upstream_tries>,
        "NUMBER: of servers asked; 0 is no limit"),
    One("proxy_next_upstream_timeout", kHsl, Time<kProxy, &ProxySettings::next_upstream_timeout>,
        "TIME: after which no other server is asked; 0 is no limit"),
    One("proxy_intercept_errors", kHsl, Flag<kProxy, &ProxySettings::intercept_errors>,
        "on | off: error_page for answers of 300 and more; off unless set"),
    One("proxy_ignore_client_abort", kHsl, Flag<kProxy, &ProxySettings::ignore_client_abort>,
        "on | off: go on when the client has left; off unless set"),
    {.name = "proxy_ignore_headers",
     .contexts = kHsl,
     .arity = {1, kMany},
     .apply = Mask<kIgnoreHeaders, kProxy, &ProxySettings::ignore_headers>,
     .repeatable = true,
     .doc = "NAME ...: fields of the answer that have no effect here"},
    List("proxy_hide_header", kHsl, {1, 1}, HeaderName<&ProxySettings::hide_header>,
         "NAME: a field of the answer that is not passed on"),
    List("proxy_pass_header", kHsl, {1, 1}, HeaderName<&ProxySettings::pass_header>,
         "NAME: a field of the answer that is passed on though it usually is not"),
    List("proxy_redirect", kHsl, {1, 2}, ApplyRedirect,
         "FROM TO | default | off: changes Location and Refresh"),
    List("proxy_cookie_domain", kHsl, {1, 2}, ApplyCookieDomain,
         "FROM TO | off: changes the domain in Set-Cookie"),
    List("proxy_cookie_path", kHsl, {1, 2}, ApplyCookiePath,
         "FROM TO | off: changes the path in Set-Cookie"),
    List("proxy_cookie_flags", kHsl, {1, 4}, ApplyCookieFlags,
         "COOKIE FLAG ... | off: changes the flags in Set-Cookie"),
    {.name = "proxy_bind",
     .contexts = kHsl,
     .arity = {1, 2},
     .apply = ApplyBind,
     .doc = "ADDRESS [transparent] | off: our address towards the upstream"},
    One("proxy_socket_keepalive", kHsl, Flag<kProxy, &ProxySettings::socket_keepalive>,
        "on | off: SO_KEEPALIVE towards the upstream; off unless set"),
    One("proxy_limit_rate", kHsl, TemplateSize<kProxy, &ProxySettings::limit_rate>,
        "RATE: octets per second from the upstream; 0 is no limit"),
    One("proxy_force_ranges", kHsl, ApplyForceRanges,
        "off: ranges are the upstream's to answer; on has no effect"),
};

}  // namespace

std::span<const DirectiveSpec> ProxyDirectives() { return kRows; }

}  // namespace framewall::config
