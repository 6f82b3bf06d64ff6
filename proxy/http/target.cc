#include "proxy/http/target.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

// nginx's words, so that they can be searched for.
Error InvalidTarget() {
  return {ErrorKind::kSyntax, ErrorSource::kClient, "client sent invalid request", 0};
}
Error InvalidHost() {
  return {ErrorKind::kSyntax, ErrorSource::kClient, "client sent invalid host", 0};
}

bool IsControlOrSpace(char c) { return static_cast<uint8_t>(c) <= 0x20 || c == 0x7f; }

bool IsSchemeChar(char c) { return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.'; }

// What may stand between "[" and "]": RFC 3986 unreserved, sub-delims and ':'.
bool IsLiteralChar(char c) {
  return IsAlpha(c) || IsDigit(c) ||
         std::string_view("-._~!$&'()*+,;=:").find(c) != std::string_view::npos;
}

// host[:port] of an absolute-form or authority-form target: letters, digits, '.', '-', or an IP
// literal, then digits.
bool IsAuthority(std::string_view text) {
  size_t end = 0;
  if (!text.empty() && text[0] == '[') {
    end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, end - 1);
    if (!std::all_of(literal.begin(), literal.end(), IsLiteralChar)) return false;
    ++end;
  } else {
    while (end < text.size() &&
           (IsAlpha(text[end]) || IsDigit(text[end]) || text[end] == '.' || text[end] == '-')) {
      ++end;
    }
    if (end == 0) return false;
  }
  if (end == text.size()) return true;
  if (text[end] != ':') return false;
  const std::string_view port = text.substr(end + 1);
  return std::all_of(port.begin(), port.end(), IsDigit);
}

// Fills path and query from what follows the authority (or is the whole target).
void SplitPath(std::string_view rest, RequestTarget& target) {
  rest = rest.substr(0, rest.find('#'));
  const size_t question = rest.find('?');
  target.path = rest.substr(0, question);
  if (question != std::string_view::npos) {
    target.query = rest.substr(question + 1);
    target.has_query = true;
  }
  if (target.path.empty()) target.path = "/";
}

// "a:80", "a:", "a:80:90" (nginx takes a second port; ours is then unknown).
Status ParsePort(std::string_view text, std::optional<uint16_t>* port) {
  if (!std::all_of(text.begin(), text.end(), [](char c) { return IsDigit(c) || c == ':'; })) {
    return InvalidHost();
  }
  if (text.empty() || text.find(':') != std::string_view::npos) return OkStatus();
  uint32_t value = 0;
  for (char c : text) {
    value = value * 10 + static_cast<uint32_t>(c - '0');
    if (value > 65535) return InvalidHost();
  }
  *port = static_cast<uint16_t>(value);
  return OkStatus();
}

}  // namespace

Result<RequestTarget> ParseTarget(std::string_view text, bool connect) {
  if (text.empty() || std::any_of(text.begin(), text.end(), IsControlOrSpace)) {
    return InvalidTarget();
  }
  RequestTarget target;
  if (text[0] == '/') {
    SplitPath(text, target);
    return target;
  }
  if (connect) {
    if (!IsAuthority(text)) return InvalidTarget();
    target.form = RequestTarget::Form::kAuthority;
    target.authority = text;
    target.path = "/";
    return target;
  }
  if (text == "*") {
    target.form = RequestTarget::Form::kAsterisk;
    target.path = text;
    return target;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || !IsAlpha(text[0]) || text.substr(colon, 3) != "://") {
    return InvalidTarget();
  }
  target.form = RequestTarget::Form::kAbsolute;
  target.scheme = text.substr(0, colon);
  if (!std::all_of(target.scheme.begin(), target.scheme.end(), IsSchemeChar)) {
    return InvalidTarget();
  }
  const std::string_view rest = text.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  target.authority = rest.substr(0, end);
  if (!IsAuthority(target.authority)) return InvalidTarget();
  SplitPath(rest.substr(end), target);
  return target;
}

bool IsNormalPath(std::string_view path, bool merge_slashes) {
  if (path == "*") return true;
  if (path.empty() || path[0] != '/') return false;
  bool segment_start = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%' || c == '\0') return false;
    if (segment_start) {
      if (c == '/' && merge_slashes) return false;
      if (c == '.') {
        const size_t after = i + (i + 1 < path.size() && path[i + 1] == '.' ? 2 : 1);
        if (after == path.size() || path[after] == '/') return false;
      }
    }
    segment_start = c == '/';
  }
  return true;
}

Result<std::string> NormalizePath(std::string_view path, bool merge_slashes) {
  if (path == "*") return std::string(path);
  // Escapes first: an encoded slash or dot then counts as the plain one, as in nginx. What the
  // decoder and the rules disagree about is what an attacker looks for.
  std::string decoded;
  decoded.reserve(path.size());
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '%') {
      if (i + 2 >= path.size()) return InvalidTarget();
      const int high = HexValue(path[i + 1]);
      const int low = HexValue(path[i + 2]);
      if (high < 0 || low < 0) return InvalidTarget();
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return InvalidTarget();
    decoded.push_back(c);
  }
  if (decoded.empty() || decoded[0] != '/') return InvalidTarget();

  // `out` always ends with '/' between segments. Invariant: it is never empty.
  std::string out = "/";
  out.reserve(decoded.size());
  size_t start = 1;
  while (start <= decoded.size()) {
    const size_t slash = std::min(decoded.find('/', start), decoded.size());
    const std::string_view segment = std::string_view(decoded).substr(start, slash - start);
    const bool is_last = slash == decoded.size();
    if (segment == "..") {
      if (out.size() == 1) return InvalidTarget();
      out.resize(out.rfind('/', out.size() - 2) + 1);
    } else if (segment == "." || (segment.empty() && (merge_slashes || is_last))) {
      // Nothing: the slash before it stands already.
    } else {
      out.append(segment);
      if (!is_last) out.push_back('/');
    }
    start = slash + 1;
  }
  return out;
}

Result<HostAndPort> ParseHost(std::string_view text) {
  HostAndPort result;
  size_t host_end = text.size();
  const bool is_literal = !text.empty() && text[0] == '[';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsControlOrSpace(c) || c == '/' || c == '@') return InvalidHost();
    if (c == '.' && i > 0 && text[i - 1] == '.') return InvalidHost();
  }
  if (is_literal) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket == 1) return InvalidHost();
    host_end = bracket + 1;
    if (host_end < text.size() && text[host_end] != ':') return InvalidHost();
  } else {
    host_end = std::min(text.find(':'), text.size());
  }
  if (host_end < text.size()) FW_TRY(ParsePort(text.substr(host_end + 1), &result.port));
  std::string_view host = text.substr(0, host_end);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty()) return InvalidHost();
  result.host = ToLower(host);
  return result;
}

}  // namespace framewall::http
