#include "waf/secret_fields.h"

#include <algorithm>
#include <array>

namespace framewall::waf {
namespace {

constexpr std::array<std::string_view, 39> kDefaults = {
    "*password*",    "*passwd*",   "*passphrase*",
    "passwort",      "passcode",   "pass",
    "pwd",           "pw",         "*secret*",
    "*token",        "code",       "code_verifier",
    "device_code",   "user_code",  "auth_code",
    "otp",           "totp",       "pin",
    "mfa_code",      "assertion",  "client_assertion",
    "*apikey",       "access_key", "private_key",
    "*sessionid",    "session",    "sess",
    "sessid",        "phpsessid",  "jsessionid",
    "sid",           "jwt",        "bearer",
    "authorization", "credential", "credentials",
    "saml_response", "samlart",    "ticket"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsLink(char c) { return c == '_' || c == '-' || c == ' '; }

// Compares without links and case; `name` must end where `want` does unless `is_prefix`.
bool Matches(std::string_view name, std::string_view want, bool is_prefix) {
  std::size_t at = 0;
  for (const char c : want) {
    if (IsLink(c)) continue;
    while (at < name.size() && IsLink(name[at])) ++at;
    if (at == name.size() || Lower(name[at]) != Lower(c)) return false;
    ++at;
  }
  while (at < name.size() && IsLink(name[at])) ++at;
  return is_prefix || at == name.size();
}

bool PartIs(std::string_view part, std::string_view want) {
  if (part.empty()) return false;
  bool starts_anywhere = false;
  bool ends_anywhere = false;
  if (want.starts_with('*')) {
    starts_anywhere = true;
    want.remove_prefix(1);
  }
  if (want.ends_with('*')) {
    ends_anywhere = true;
    want.remove_suffix(1);
  }
  if (want.empty()) return starts_anywhere || ends_anywhere;
  if (!starts_anywhere) return Matches(part, want, ends_anywhere);
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (Lower(part[at]) == Lower(want[0]) && Matches(part.substr(at), want, ends_anywhere)) {
      return true;
    }
  }
  return false;
}

// The whole name, or one of its parts.
bool NameIs(std::string_view name, std::string_view want) {
  if (PartIs(name, want)) return true;
  constexpr std::string_view kSeparators = ".[]:/";
  std::size_t start = 0;
  while (start < name.size()) {
    const std::size_t end = std::min(name.find_first_of(kSeparators, start), name.size());
    if (end - start < name.size() && PartIs(name.substr(start, end - start), want)) return true;
    start = end + 1;
  }
  return false;
}

std::string LowerCopy(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

constexpr std::string_view kCutMark = " characters omitted)";
constexpr std::size_t kMostMarks = 8;
constexpr std::size_t kLongestMessage = 65536;

// As the library writes a value into a message: octets that are no printable text as \xNN.
std::string Escaped(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 32 && octet <= 126) {
      escaped += c;
    } else {
      escaped += "\\x";
      escaped += kHex[octet >> 4];
      escaped += kHex[octet & 15];
    }
  }
  return escaped;
}

// Where `text`, cut off in the middle of `value`, begins with it; text.size() where it does not.
// In linear time (Knuth, Morris, Pratt): both may be long, and the sender chooses them.
std::size_t CutOffAt(std::string_view text, std::string_view value) {
  constexpr std::size_t kShortestPart = 4;
  const std::size_t tail = std::min(text.size(), value.size() - 1);
  // How much of `value` is matched before each octet may be matched anew.
  std::vector<std::size_t> again(tail + 1, 0);
  for (std::size_t i = 1, length = 0; i < tail; ++i) {
    while (length > 0 && value[i] != value[length]) length = again[length];
    if (value[i] == value[length]) ++length;
    again[i + 1] = length;
  }
  std::size_t length = 0;
  for (const char c : text.substr(text.size() - tail)) {
    while (length > 0 && (length == tail || value[length] != c)) length = again[length];
    if (length < tail && value[length] == c) ++length;
  }
  return length < kShortestPart ? text.size() : text.size() - length;
}

}  // namespace

std::span<const std::string_view> DefaultSecretFields() { return kDefaults; }

bool SecretFields::Names(std::string_view name) const {
  const auto is = [name](const auto& want) { return NameIs(name, want); };
  // JSON's "json." is ours and the library's, not the sender's.
  if (std::any_of(arguments.begin(), arguments.end(), is)) return true;
  if (!on) return false;
  if (std::any_of(names.begin(), names.end(), is)) return true;
  return defaults && std::any_of(kDefaults.begin(), kDefaults.end(), is);
}

void SecretValues::Add(std::string_view value) {
  if (value.size() < kShortest) return;
  const auto add = [this](std::string one) {
    if (std::find(values_.begin(), values_.end(), one) != values_.end()) return;
    if (values_.size() >= kMost) {
      overflown_ = true;
      return;
    }
    const auto longer = [&](const std::string& other) { return other.size() >= one.size(); };
    values_.insert(std::partition_point(values_.begin(), values_.end(), longer), std::move(one));
  };
  std::string lower = LowerCopy(value);
  std::string escaped = Escaped(lower);
  if (escaped != lower) add(std::move(escaped));
  add(std::move(lower));
}

void SecretValues::Clear() {
  values_.clear();
  overflown_ = false;
}

bool SecretValues::Replace(std::string_view text, std::string* out) const {
  if (values_.empty() || text.size() < 4) return false;
  const std::string lower = LowerCopy(text);
  // Octets that belong to a secret.
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (const std::string& value : values_) {
    for (std::size_t at = lower.find(value); at != std::string::npos;
         at = lower.find(value, at + value.size())) {
      found.emplace_back(at, at + value.size());
    }
    // The library's mark stands in messages, which are short, and at most twice in one.
    std::size_t marks = lower.size() > kLongestMessage ? kMostMarks : 0;
    for (std::size_t at = lower.find(kCutMark); at != std::string::npos && marks < kMostMarks;
         at = lower.find(kCutMark, at + 1), ++marks) {
      const std::size_t bracket = lower.rfind('(', at);
      if (bracket == std::string::npos) continue;
      std::size_t end = bracket;
      while (end > 0 && (lower[end - 1] == ' ' || lower[end - 1] == '.')) --end;
      const std::size_t begin = CutOffAt(std::string_view(lower).substr(0, end), value);
      if (begin < end) found.emplace_back(begin, end);
    }
    const std::size_t begin = CutOffAt(lower, value);
    if (begin < lower.size()) found.emplace_back(begin, lower.size());
  }
  if (found.empty()) return false;
  std::sort(found.begin(), found.end());
  std::size_t done = 0;
  std::size_t covered = 0;
  for (const auto& [begin, end] : found) {
    if (begin >= covered) {
      if (covered > done) done = covered;
      out->append(text.substr(done, begin - done)).append(kMasked);
      done = end;
      covered = end;
    } else if (end > covered) {
      covered = end;
      done = end;
    }
  }
  out->append(text.substr(done));
  return true;
}

bool SecretValues::Contain(std::string_view piece) const {
  if (piece.size() < 4) return false;
  const std::string lower = LowerCopy(piece);
  return std::any_of(values_.begin(), values_.end(), [&](const std::string& value) {
    return value.find(lower) != std::string::npos;
  });
}

}  // namespace framewall::waf
