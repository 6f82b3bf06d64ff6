#include "waf/mask_text.h"

#include <algorithm>
#include <array>

#include "waf/mask_json.h"
#include "waf/message_text.h"

namespace framewall::waf {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Same(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(),
                                                [](char x, char y) { return Lower(x) == y; });
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '[' || c == ']';
}

void Found(const MaskContext& context, std::string_view sent) {
  if (context.found == nullptr) return;
  context.found->Add(sent);
  if (sent.find_first_of("%+") == std::string_view::npos) return;
  context.found->Add(DecodeForm(sent));
}

bool FormNames(const MaskContext& context, std::string_view name) {
  if (name.find_first_of("%+") == std::string_view::npos) return context.fields.Names(name);
  return context.fields.Names(DecodeForm(name));
}

// The least that must be encoded for a value to stay one.
std::string EncodeFormValue(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7f &&
        std::string_view("%&+#;=?\"").find(c) == std::string::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[octet >> 4];
      encoded += kHex[octet & 15];
    }
  }
  return encoded;
}

// A value that is no secret by its name may hold JSON or another query.
bool MaskFormValue(const MaskContext& context, std::string_view value, std::string* masked) {
  if (context.TooDeep() || value.size() < 4) return false;
  const std::string decoded = DecodeForm(value);
  std::string inner;
  if (LooksLikeJson(decoded)) {
    if (!MaskJson(context.Inside(), decoded, &inner)) return false;
  } else if (decoded.size() == value.size() || decoded.find('=') == std::string::npos ||
             !MaskUrl(context.Inside(), decoded, &inner)) {
    return false;
  }
  *masked = EncodeFormValue(inner);
  return true;
}

void MaskFormFrom(const MaskContext& context, std::string_view text, std::size_t from,
                  Rewriter* rewriter) {
  while (from < text.size()) {
    const std::size_t end = std::min(text.find_first_of("&#", from), text.size());
    // ';' and '?' begin a name to whoever takes them for separators.
    std::size_t name = from;
    for (std::size_t at = from; at < end; ++at) {
      if (text[at] == ';' || text[at] == '?') {
        name = at + 1;
      } else if (text[at] == '=') {
        if (FormNames(context, text.substr(name, at - name)) ||
            (name != from && FormNames(context, text.substr(from, at - from)))) {
          Found(context, text.substr(at + 1, end - at - 1));
          rewriter->Mask(at + 1, end);
          break;
        }
        const std::size_t stop = std::min(text.find_first_of(";?", at + 1), end);
        std::string masked;
        if (MaskFormValue(context, text.substr(at + 1, stop - at - 1), &masked)) {
          rewriter->Replace(at + 1, stop, masked);
        }
        at = stop - 1;
      }
    }
    from = end + 1;
  }
}

bool MaskCredentials(const MaskContext& context, std::string_view value, std::string* out) {
  const std::size_t space = value.find(' ');
  const std::size_t secret = space == std::string_view::npos ? 0 : space + 1;
  if (secret == value.size()) return false;
  if (context.found != nullptr) {
    context.found->Add(value.substr(secret));
    if (const auto decoded = DecodeBase64Text(value.substr(secret))) {
      context.found->Add(*decoded);
      const std::size_t colon = decoded->find(':');
      if (colon != std::string::npos)
        context.found->Add(std::string_view(*decoded).substr(colon + 1));
    }
  }
  out->append(value.substr(0, secret)).append(kMasked);
  return true;
}

bool IsTokenText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsNameChar(c) || std::string_view("%+/=~:|!*$").find(c) != std::string_view::npos;
  });
}

// `only_first`: Set-Cookie, whose further pairs are attributes.
bool MaskCookies(const MaskContext& context, std::string_view value, bool only_first,
                 std::string* out) {
  Rewriter rewriter(value, out);
  std::size_t start = 0;
  while (start < value.size()) {
    const std::size_t end = std::min(value.find(';', start), value.size());
    const std::size_t equals = value.find('=', start);
    std::size_t first = equals < end ? equals + 1 : start;  // without '=' it may be all value
    if (first == start) {
      while (first < end && IsSpace(value[first])) ++first;
    }
    const std::string_view secret = value.substr(first, end - first);
    // Every cookie is masked, but only what can be a token is looked for elsewhere: an attack that
    // stands in a cookie too must not vanish from what is said of a field.
    if (IsTokenText(secret)) Found(context, secret);
    rewriter.Mask(first, end);
    if (only_first) break;
    start = end + 1;
  }
  return rewriter.Finish();
}

// Sub-protocols in use are names; what is long or stands behind a word like "bearer" is a token.
bool IsProtocolName(std::string_view token) {
  constexpr std::size_t kLongestUnknown = 15;
  constexpr std::array<std::string_view, 13> kLongNames = {"graphql-transport-ws",
                                                           "subscriptions-transport-ws",
                                                           "actioncable-v1-json",
                                                           "actioncable-v1-msgpack",
                                                           "actioncable-unsupported",
                                                           "base64.channel.k8s.io",
                                                           "v4.base64.channel.k8s.io",
                                                           "v4.channel.k8s.io",
                                                           "v5.channel.k8s.io",
                                                           "base64.binary.k8s.io",
                                                           "wamp.2.json.batched",
                                                           "wamp.2.msgpack.batched",
                                                           "opcua+uacp"};
  if (token.size() <= kLongestUnknown) return true;
  return std::any_of(kLongNames.begin(), kLongNames.end(),
                     [token](std::string_view name) { return Same(token, name); });
}

bool MaskSubprotocols(const MaskContext& context, std::string_view value, std::string* out) {
  Rewriter rewriter(value, out);
  bool secret_follows = false;
  std::size_t start = 0;
  while (start < value.size()) {
    std::size_t end = std::min(value.find(',', start), value.size());
    const std::size_t next = end + 1;
    while (start < end && IsSpace(value[start])) ++start;
    while (end > start && IsSpace(value[end - 1])) --end;
    const std::string_view token = value.substr(start, end - start);
    // "bearer" alone announces a token, "bearer.abc" holds one.
    const bool is_named = SecretFields{}.Names(token) || Same(token, "access");
    const bool announces = is_named && token.find_first_of(".:/") == std::string_view::npos;
    if (!announces && (is_named || secret_follows || !IsProtocolName(token))) {
      if (context.found != nullptr) context.found->Add(token);
      rewriter.Mask(start, end);
    }
    secret_follows = announces;
    start = next;
  }
  return rewriter.Finish();
}

// Fields that MaskHeader reads by their own syntax.
bool HasOwnForm(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"authorization", "proxy-authorization",
                                                      "cookie",        "cookie2",
                                                      "set-cookie",    "sec-websocket-protocol"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view one) { return Same(name, one); });
}

// Octets of one quote at `at`: ' " ` \" \' &quot; \x22; 0 where there is none.
std::size_t QuoteAt(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  if (text[at] == '"' || text[at] == '\'' || text[at] == '`') return 1;
  for (const std::string_view quote :
       {"\\\\\"", "\\\"", "\\'", "\\x22", "\\u0022", "&quot;", "%22"}) {
    if (text.substr(at, quote.size()) == quote) return quote.size();
  }
  return 0;
}

// Where the value of the name before `at` begins; npos where that is no name of a value. Behind the
// quote that opens it, whose length is `quote`.
std::size_t ValueStart(std::string_view text, std::size_t at, bool is_element, std::size_t* quote) {
  *quote = 0;
  if (is_element) {
    // <name attribute="x">value</name>
    const std::size_t open = text.find_first_of("<>", at);
    if (open == std::string_view::npos || text[open] == '<' || text[open - 1] == '/') {
      return std::string_view::npos;
    }
    return open + 1;
  }
  at += QuoteAt(text, at);
  while (at < text.size() && IsSpace(text[at])) ++at;
  const std::string_view encoded = text.substr(at, 3);
  if (encoded == "%3D" || encoded == "%3d" || encoded == "%3A" || encoded == "%3a") {
    at += 3;
  } else if (at < text.size() && (text[at] == '=' || text[at] == ':')) {
    ++at;
    if (at < text.size() && text[at] == '>') ++at;
  } else {
    return std::string_view::npos;
  }
  while (at < text.size() && IsSpace(text[at])) ++at;
  *quote = QuoteAt(text, at);
  return at + *quote;
}

std::size_t ValueEnd(std::string_view text, std::size_t at, bool is_element, std::size_t quote) {
  if (is_element) return std::min(text.find('<', at), text.size());
  if (quote == 0) return std::min(text.find_first_of("&;,\"'<>{}() \t\r\n", at), text.size());
  const std::string_view closing = text.substr(at - quote, quote);
  while (at < text.size() && text.substr(at, quote) != closing) {
    at += text[at] == '\\' && quote == 1 ? 2 : 1;
  }
  return std::min(at, text.size());
}

}  // namespace

std::string DecodeForm(std::string_view text) {
  std::string decoded;
  DecodeFormPart(text, &decoded);
  return decoded;
}

bool MaskForm(const MaskContext& context, std::string_view form, std::string* out) {
  Rewriter rewriter(form, out);
  MaskFormFrom(context, form, 0, &rewriter);
  return rewriter.Finish();
}

bool MaskUrl(const MaskContext& context, std::string_view url, std::string* out) {
  Rewriter rewriter(url, out);
  const std::size_t start = url.find_first_of("?#");
  MaskFormFrom(context, url, start == std::string_view::npos ? 0 : start + 1, &rewriter);
  return rewriter.Finish();
}

bool MaskHeader(const MaskContext& context, std::string_view name, std::string_view value,
                std::string* out) {
  if (context.fields.on) {
    if (Same(name, "authorization") || Same(name, "proxy-authorization")) {
      return MaskCredentials(context, value, out);
    }
    if (Same(name, "cookie") || Same(name, "cookie2")) {
      return MaskCookies(context, value, false, out);
    }
    if (Same(name, "set-cookie")) return MaskCookies(context, value, true, out);
    if (Same(name, "sec-websocket-protocol")) return MaskSubprotocols(context, value, out);
  }
  if (name.size() > 2 && Lower(name[0]) == 'x' && name[1] == '-') name.remove_prefix(2);
  if (context.fields.Names(name)) return !value.empty() && MaskCredentials(context, value, out);
  if (value.find('=') == std::string_view::npos) return false;
  if (value.find_first_of("?#") != std::string_view::npos) return MaskUrl(context, value, out);
  return MaskFreeText(context, value, out);
}

bool MaskFreeText(const MaskContext& context, std::string_view text, std::string* out) {
  Rewriter rewriter(text, out);
  std::size_t at = 0;
  while (at < text.size()) {
    if (!IsNameChar(text[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    while (at < text.size() && IsNameChar(text[at])) ++at;
    const std::string_view name = text.substr(start, at - start);
    // A head of a request as text.
    const bool is_line = start == 0 || text[start - 1] == '\n';
    if (context.fields.on && is_line && text.substr(at).starts_with(": ") && HasOwnForm(name)) {
      const std::size_t value = at + 2;
      at = std::min(text.find_first_of("\r\n", value), text.size());
      std::string masked;
      if (MaskHeader(context, name, text.substr(value, at - value), &masked)) {
        rewriter.Replace(value, at, masked);
      }
      continue;
    }
    const bool is_element =
        start > 0 && (text[start - 1] == '<' || (text[start - 1] == ':' && at < text.size() &&
                                                 (text[at] == '>' || text[at] == ' ')));
    std::size_t quote = 0;
    const std::size_t begin = ValueStart(text, at, is_element, &quote);
    if (begin >= text.size() || !context.fields.Names(name)) continue;
    const std::size_t end = ValueEnd(text, begin, is_element, quote);
    if (begin == end) continue;
    if (context.found != nullptr) context.found->Add(text.substr(begin, end - begin));
    rewriter.Mask(begin, end);
    at = end;
  }
  return rewriter.Finish();
}

}  // namespace framewall::waf
