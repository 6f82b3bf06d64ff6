// Access tokens: JWTs of RFC 9068 (`typ` at+jwt, RS256), made and believed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backend/auth/ended_sessions.h"
#include "backend/auth/signing_keys.h"
#include "backend/auth/token_verifier.h"
#include "backend/store/users.h"
#include "proxy/jwt/token_cache.h"

namespace framewall::backend::auth {

struct AccessToken {
  std::string text;
  int64_t expires = 0;  // milliseconds since 1970
};

class AccessTokens final : public TokenVerifier {
 public:
  struct Options {
    std::string issuer;
    std::string audience;
    int64_t seconds = 600;
  };
  // `keys` and `ended` outlive it.
  AccessTokens(Options options, const SigningKeys& keys, const EndedSessions& ended)
      : options_(std::move(options)), keys_(keys), ended_(ended) {}

  // Claims: iss, aud, sub (the user's id), iat, exp, jti, sid (the session), name, role, scope, and
  // must_change_password where it is so.
  Result<AccessToken> Make(const store::User& user, const std::string& session, int64_t now) const;

  struct Bearer {
    Identity identity;
    bool must_change_password = false;
  };
  // Ours, of this issuer and for this audience, now, and its session has not ended. The error
  // (kRefused) says why, for the log.
  Result<Bearer> Verify(std::string_view token, int64_t now) const;

  // Refuses those whose password has to be changed: they may do nothing else.
  Result<Identity> VerifyAccessToken(std::string_view token) override;

 private:
  const Options options_;
  const SigningKeys& keys_;
  const EndedSessions& ended_;
  // Signatures that were found good with the keys that there are now. All else is asked each time.
  mutable jwt::TokenCache verified_;
};

}  // namespace framewall::backend::auth
