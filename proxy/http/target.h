// The request target (RFC 9112 3.2): its four forms, nginx's normalisation, and Host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace framewall::http {

struct RequestTarget {
  enum class Form : uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };
  Form form = Form::kOrigin;
  std::string_view scheme;     // absolute form only
  std::string_view authority;  // absolute form: host[:port], as sent
  std::string_view path;       // as sent, before '?', at least "/" ("*" for asterisk form)
  std::string_view query;      // after '?', as sent; empty without one
  bool has_query = false;
};

// Splits `target`; views point into it. Refuses (kSyntax, source client) what is no target: control
// octets, space, a fragment is cut off as nginx does, empty, authority form unless
// `connect`, an absolute form without host.
Result<RequestTarget> ParseTarget(std::string_view target, bool connect);

// nginx's $uri from a path: percent-decoded, "." and ".." resolved, slashes merged if asked.
// Refuses "%00", a malformed escape, and ".." above the root.
Result<std::string> NormalizePath(std::string_view path, bool merge_slashes);
// True where NormalizePath would return `path` itself, so that it need not run.
bool IsNormalPath(std::string_view path, bool merge_slashes);

// A Host field or an authority: "a.example:8080", "[::1]", "10.0.0.1". Lower-cased host without a
// trailing dot and without port; refuses userinfo, spaces, '/', NUL, a bad port, an unclosed
// bracket.
struct HostAndPort {
  std::string host;
  std::optional<uint16_t> port;
};
Result<HostAndPort> ParseHost(std::string_view text);

}  // namespace framewall::http
