#include "proxy/jwt/token.h"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

Result<Token> Token::Parse(std::string_view compact) {
  if (compact.size() > kMostTokenOctets) {
    return Refused(ErrorKind::kLimit, fmt::format("it has {} octets, at most {} were expected",
                                                  compact.size(), kMostTokenOctets));
  }
  const auto dots = std::count(compact.begin(), compact.end(), '.');
  if (dots == 4) return Unsupported("it is encrypted (JWE)");
  if (dots != 2) return Malformed("it has not three parts with dots between");
  const size_t first = compact.find('.');
  const size_t second = compact.find('.', first + 1);
  FW_ASSIGN(const std::string header_text, Decode(compact.substr(0, first), "header"));
  auto header = JsonObject::Parse(header_text);
  if (!header.ok()) return Malformed("its header: " + header.error().message);
  FW_TRY(CheckHeader(*header));
  FW_ASSIGN(const Algorithm algorithm, AlgorithmOf(*header));
  FW_ASSIGN(std::string payload, Decode(compact.substr(first + 1, second - first - 1), "payload"));
  FW_ASSIGN(std::string signature, Decode(compact.substr(second + 1), "signature"));
  if (signature.empty()) return Malformed("it has no signature");
  std::optional<std::string> kid;
  if (const auto text = header->String("kid")) kid = std::string(*text);
  return Token{algorithm,
               std::move(kid),
               std::move(header).value(),
               std::move(payload),
               std::move(signature),
               compact,
               compact.substr(0, second)};
}

}  // namespace framewall::jwt
