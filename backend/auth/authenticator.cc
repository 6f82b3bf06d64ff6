#include "backend/auth/authenticator.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "backend/base/time.h"
#include "backend/store/api_keys.h"
#include "proxy/base/digest.h"
#include "proxy/base/log.h"
#include "proxy/base/text.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kBetweenUses = 60'000;
constexpr size_t kMostKeyUses = 10'000;
// "fw_" and 32 octets in base64url.
constexpr size_t kKeyOctets = 3 + 43;

Problem Refusal(std::string code, std::string detail) {
  return {.status = 401, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

Problem InvalidToken() {
  return Refusal("invalid_token", "The access token or API key does not hold (any more).");
}

Problem PasswordChangeRequired() {
  return {.status = 403,
          .code = "password_change_required",
          .detail = "The password has to be changed first: POST /api/v1/password.",
          .fields = {}};
}

// What may be done before the password is changed.
bool IsOpenBeforeChange(std::string_view path) {
  return path == kPasswordPath || path == "/api/v1/logout" || path == "/api/v1/logout-everywhere";
}

// The credentials after "Bearer " (RFC 6750 2.1); nothing where the field is something else.
std::optional<std::string_view> BearerOf(std::string_view field) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!StartsWithIgnoreCase(field, kScheme)) return std::nullopt;
  const std::string_view text = Trim(field.substr(kScheme.size()));
  if (text.empty() || text.find(' ') != std::string_view::npos) return std::nullopt;
  return text;
}

Identity IdentityOf(const store::KeyOwner& owner) {
  Identity identity;
  identity.kind = Identity::Kind::kKey;
  identity.user = owner.user.id;
  identity.name = owner.user.name;
  identity.role = owner.key.service ? Role::kUser : owner.user.role;
  identity.session = owner.key.id;
  identity.scopes = owner.key.scopes;
  identity.expires = owner.key.expires;
  return identity;
}

void NoteUse(Services& services, const std::string& key, int64_t now) {
  if (services.key_uses.size() >= kMostKeyUses) {
    std::erase_if(services.key_uses,
                  [now](const auto& entry) { return entry.second + kBetweenUses <= now; });
  }
  const auto [entry, is_new] = services.key_uses.try_emplace(key, now);
  if (!is_new && entry->second + kBetweenUses > now) return;
  entry->second = now;
  services.database.Write<bool>(
      [key, now](store::Connection& db) -> Result<bool> {
        FW_TRY(store::TouchApiKey(db, key, now));
        return true;
      },
      [](const Result<bool>& done) {
        if (done.ok()) return;
        MainLog().Write(LogLevel::kError,
                        "the last use of a key was not written: " + done.error().message);
      });
}

void AuthenticateKey(const ServicesRef& services, std::string_view key, const server::CallRef& call,
                     server::Authenticator::Done done) {
  const auto refuse = [&] {
    const Problem problem = InvalidToken();
    done(Identity(), &problem);
  };
  if (key.size() != kKeyOctets) return refuse();
  const int64_t now = UnixMilliseconds();
  using Found = std::optional<store::KeyOwner>;
  services->database.Read<Found>(
      [hash = Sha256(key), now](store::Connection& db) { return store::FindApiKey(db, hash, now); },
      // The call is held so that it is there when `done` is called.
      [services, call, done = std::move(done), now](const Result<Found>& found) {
        if (!found.ok()) {
          MainLog().Write(LogLevel::kError,
                          "an API key cannot be looked up: " + found.error().message);
          const Problem problem{.status = 503,
                                .code = "unavailable",
                                .detail = "Keys cannot be checked now; try again in a moment.",
                                .fields = {},
                                .retry_after = 1};
          return done(Identity(), &problem);
        }
        // It may have been revoked since it was read.
        if (!found.value() || services->ended.Contains(found.value()->key.id)) {
          const Problem problem = InvalidToken();
          return done(Identity(), &problem);
        }
        if (found.value()->user.must_change_password) {
          const Problem problem = PasswordChangeRequired();
          return done(Identity(), &problem);
        }
        NoteUse(*services, found.value()->key.id, now);
        done(IdentityOf(*found.value()), nullptr);
      });
}

}  // namespace

void Authenticator::Authenticate(server::CallRef call, Done done) {
  const http::HeaderMap& fields = call->head().fields;
  const size_t count = fields.Count(http::FieldId::kAuthorization);
  if (count == 0) return done(Identity(), nullptr);
  const auto bearer = BearerOf(fields.Get(http::FieldId::kAuthorization));
  if (count > 1 || !bearer) {
    const Problem problem =
        Refusal("invalid_authorization", "Expected one field \"Authorization: Bearer …\".");
    return done(Identity(), &problem);
  }
  if (bearer->starts_with(kKeyPrefix)) {
    return AuthenticateKey(services_, *bearer, call, std::move(done));
  }
  const Result<AccessTokens::Bearer> verified =
      services_->tokens.Verify(*bearer, UnixMilliseconds());
  if (!verified.ok()) {
    if (MainLog().Enabled(LogLevel::kInfo)) {
      MainLog().Write(LogLevel::kInfo,
                      fmt::format("an access token was refused: {}, client: {}",
                                  verified.error().message, call->client_address()));
    }
    const Problem problem = InvalidToken();
    return done(Identity(), &problem);
  }
  if (verified->must_change_password && !IsOpenBeforeChange(call->path())) {
    const Problem problem = PasswordChangeRequired();
    return done(Identity(), &problem);
  }
  done(verified->identity, nullptr);
}

}  // namespace framewall::backend::auth
