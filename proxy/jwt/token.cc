#include "proxy/jwt/token.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/jwt/key_set.h"

namespace framewall::jwt {
namespace {

Error Refused(ErrorKind kind, std::string why) {
  return Error{kind, ErrorSource::kClient, std::move(why), 0};
}
Error Malformed(std::string why) { return Refused(ErrorKind::kSyntax, std::move(why)); }
Error Unsupported(std::string why) { return Refused(ErrorKind::kRefused, std::move(why)); }

Result<std::string> Decode(std::string_view part, std::string_view name) {
  auto bytes = Base64UrlDecode(part);
  if (!bytes) return Malformed(fmt::format("its {} is not base64url without padding", name));
  return std::move(*bytes);
}

Result<Algorithm> AlgorithmOf(const JsonObject& header) {
  const auto name = header.String("alg");
  if (!name) return Malformed("its header has no \"alg\"");
  const auto algorithm = FindAlgorithm(*name);
  if (!algorithm) return Unsupported("its \"alg\" " + Quoted(*name) + " is not supported");
  return *algorithm;
}

Status CheckHeader(const JsonObject& header) {
  if (header.Has("crit")) return Unsupported("its header has \"crit\"");
  if (header.Has("b64")) return Unsupported("its header has \"b64\"");
  if (header.Has("kid") && !header.String("kid")) return Malformed("its \"kid\" is no string");
  const auto content = header.String("cty");
  if (content &&
      (EqualsIgnoreCase(*content, "JWT") || EqualsIgnoreCase(*content, "application/jwt"))) {
    return Unsupported("it is a nested token (cty JWT)");
  }
  return OkStatus();
}

Result<std::shared_ptr<const TokenHeader>> ReadHeader(std::string_view encoded) {
  FW_ASSIGN(const std::string text, Decode(encoded, "header"));
  auto json = JsonObject::Parse(text);
  if (!json.ok()) return Malformed("its header: " + json.error().message);
  FW_TRY(CheckHeader(*json));
  FW_ASSIGN(const Algorithm algorithm, AlgorithmOf(*json));
  std::optional<std::string> kid;
  if (const auto name = json->String("kid")) kid = std::string(*name);
  return std::shared_ptr<const TokenHeader>(
      new TokenHeader{algorithm, std::move(kid), std::move(json).value()});
}

// Headers that this thread has read last; which ones are here is nobody's secret.
class RecentHeaders {
 public:
  std::shared_ptr<const TokenHeader> Find(std::string_view encoded) const {
    for (const One& one : recent_) {
      if (one.header != nullptr && one.encoded == encoded) return one.header;
    }
    return nullptr;
  }
  void Put(std::string_view encoded, std::shared_ptr<const TokenHeader> header) {
    if (encoded.size() > kMostOctets) return;
    recent_[next_] = One{std::string(encoded), std::move(header)};
    next_ = (next_ + 1) % recent_.size();
  }

 private:
  static constexpr size_t kMostOctets = 1024;
  struct One {
    std::string encoded;
    std::shared_ptr<const TokenHeader> header;
  };
  std::array<One, 8> recent_;
  size_t next_ = 0;
};

Result<std::shared_ptr<const TokenHeader>> HeaderOf(std::string_view encoded) {
  thread_local RecentHeaders recent;
  if (auto known = recent.Find(encoded)) return known;
  FW_ASSIGN(auto read, ReadHeader(encoded));
  recent.Put(encoded, read);
  return read;
}

}  // namespace

Result<Token> Token::Parse(std::string_view compact) {
  if (compact.size() > kMostTokenOctets) {
    return Refused(ErrorKind::kLimit, fmt::format("it has {} octets, at most {} were expected",
                                                  compact.size(), kMostTokenOctets));
  }
  std::array<size_t, 4> dots{};
  size_t count = 0;
  for (size_t at = compact.find('.'); at != compact.npos; at = compact.find('.', at + 1)) {
    if (count < dots.size()) dots[count] = at;
    ++count;
  }
  if (count == 4) return Unsupported("it is encrypted (JWE)");
  if (count != 2) return Malformed("it has not three parts with dots between");
  const size_t first = dots[0];
  const size_t second = dots[1];
  FW_ASSIGN(auto header, HeaderOf(compact.substr(0, first)));
  FW_ASSIGN(std::string payload, Decode(compact.substr(first + 1, second - first - 1), "payload"));
  FW_ASSIGN(std::string signature, Decode(compact.substr(second + 1), "signature"));
  if (signature.empty()) return Malformed("it has no signature");
  return Token{std::move(header), std::move(payload), std::move(signature), compact,
               compact.substr(0, second)};
}

}  // namespace framewall::jwt
