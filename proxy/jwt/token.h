// A signed token in compact form (RFC 7515 7.1), cut and read but not verified: nothing of it may
// be believed yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/jwt/algorithm.h"
#include "proxy/jwt/json_object.h"

namespace framewall::jwt {

inline constexpr size_t kMostTokenOctets = 16 * 1024;

// What stands before the first dot. Tokens of one issuer and key have the same, so that a thread
// reads it once for many of them.
struct TokenHeader {
  Algorithm algorithm = Algorithm::kRs256;
  // Which key its issuer says was used; a name and nothing more.
  std::optional<std::string> kid;
  JsonObject json;
};

struct Token {
  std::shared_ptr<const TokenHeader> header;
  std::string payload;
  std::string signature;
  // Views into the text that was parsed.
  std::string_view compact;
  std::string_view signing_input;

  // Refuses, with a reason that shows no piece of the token: what is too long, has not three parts
  // (five are a JWE), is no strict base64url, a header that is no object or has a name twice, an
  // `alg` that is missing or unknown ("none" among them), `crit` and `b64`, and nested tokens
  // (`cty` JWT, RFC 7519 5.2). `jwk`, `jku`, `x5u` and `x5c` of the header are not looked at.
  static Result<Token> Parse(std::string_view compact);
};

}  // namespace framewall::jwt
