// Access tokens that come inside a message rather than in a field: a socket that stays open gets
// newer ones.
#pragma once

#include <string_view>

#include "backend/base/identity.h"
#include "proxy/base/result.h"

namespace framewall::backend::auth {

class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  // Whose it is. The error (kRefused) says why not, for the log, and shows no piece of the token.
  virtual Result<Identity> VerifyAccessToken(std::string_view token) = 0;
};

}  // namespace framewall::backend::auth
