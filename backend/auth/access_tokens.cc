#include "backend/auth/access_tokens.h"

#include <array>
#include <utility>

#include "backend/auth/scopes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "proxy/base/text.h"
#include "proxy/json/node.h"
#include "proxy/jwt/verifier.h"

namespace framewall::backend::auth {
namespace {

Error Refused(std::string why) {
  return Error{ErrorKind::kRefused, ErrorSource::kClient, std::move(why), 0};
}

std::vector<std::string> ScopesOf(Role role) {
  std::vector<std::string> scopes;
  for (const Scope& scope : kScopes) scopes.emplace_back(scope.name);
  if (role == Role::kAdmin) scopes.emplace_back("admin");
  return scopes;
}

}  // namespace

Result<AccessToken> AccessTokens::Make(const store::User& user, const std::string& session,
                                       int64_t now) const {
  const int64_t seconds = now / 1000;
  AccessToken token;
  token.expires = (seconds + options_.seconds) * 1000;
  std::string scope;
  for (const std::string& one : ScopesOf(user.role)) scope += (scope.empty() ? "" : " ") + one;
  json::Node claims = json::Node::Object();
  claims.Set("iss", options_.issuer)
      .Set("aud", options_.audience)
      .Set("sub", user.id)
      .Set("client_id", options_.audience)
      .Set("iat", seconds)
      .Set("exp", seconds + options_.seconds)
      .Set("jti", NewId())
      .Set("sid", session)
      .Set("name", user.name)
      .Set("role", RoleName(user.role))
      .Set("scope", scope);
  if (user.must_change_password) claims.Set("must_change_password", true);
  FW_ASSIGN(token.text, keys_.Sign(claims.Text()));
  return token;
}

Result<AccessTokens::Bearer> AccessTokens::Verify(std::string_view text, int64_t now) const {
  const std::array sets = {&keys_.verifying()};
  const std::string digest = verified_.Digest(text, sets);
  std::shared_ptr<const jwt::VerifiedToken> token = verified_.Find(digest);
  const bool is_known = token != nullptr;
  if (!is_known) {
    jwt::Verification verification = jwt::VerifySignature(text, sets);
    if (verification.token == nullptr) return Refused(std::move(verification.why));
    token = std::move(verification.token);
  }
  switch (jwt::CheckTimes(*token, now, 0)) {
    case jwt::Failure::kNone:
      break;
    case jwt::Failure::kExpired:
      return Refused("the token has expired");
    default:
      return Refused("the token does not hold yet");
  }
  const jwt::JsonObject& claims = token->claims();
  // Keys of ours sign nothing else today; what they sign tomorrow is no access token (RFC 9068 4).
  const auto typ = token->header().String("typ");
  if (!typ ||
      (!EqualsIgnoreCase(*typ, "at+jwt") && !EqualsIgnoreCase(*typ, "application/at+jwt"))) {
    return Refused("its typ is not at+jwt");
  }
  if (claims.String("iss") != options_.issuer) return Refused("it is of another issuer");
  if (claims.String("aud") != options_.audience) return Refused("it is for another audience");
  if (!token->expires()) return Refused("it has no exp");
  const auto subject = claims.String("sub");
  const auto session = claims.String("sid");
  const auto name = claims.String("name");
  const auto role = claims.String("role");
  if (!subject || !IsId(*subject) || !session || !IsId(*session) || !name || !role) {
    return Refused("it lacks sub, sid, name or role");
  }
  Bearer bearer;
  Identity& identity = bearer.identity;
  identity.kind = Identity::Kind::kSession;
  identity.user = *subject;
  identity.name = *name;
  identity.role = *role == RoleName(Role::kAdmin) ? Role::kAdmin : Role::kUser;
  identity.session = *session;
  identity.scopes = ScopesOf(identity.role);
  identity.expires = *token->expires();
  if (ended_.Contains(identity.session)) return Refused("its session has ended");
  bearer.must_change_password = claims.Has("must_change_password");
  if (!is_known) verified_.Put(digest, std::move(token), text.size());
  return bearer;
}

Result<Identity> AccessTokens::VerifyAccessToken(std::string_view token) {
  FW_ASSIGN(Bearer bearer, Verify(token, UnixMilliseconds()));
  if (bearer.must_change_password) return Refused("the password has to be changed first");
  return std::move(bearer.identity);
}

}  // namespace framewall::backend::auth
