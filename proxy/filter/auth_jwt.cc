#include "proxy/filter/auth_jwt.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"
#include "proxy/event/timer.h"
#include "proxy/filter/jwt_keys.h"
#include "proxy/filter/services.h"

namespace framewall::filter {
namespace {

using http::FieldId;

// So long a request waits for keys that are being fetched.
constexpr Milliseconds kLongestWait{5000};

class TokenIdentity final : public exchange::Identity {
 public:
  explicit TokenIdentity(std::shared_ptr<const jwt::VerifiedToken> token)
      : token_(std::move(token)) {}

  bool AppendClaim(std::span<const std::string> path, std::string& out) const override {
    return token_->claims().AppendText(path, out);
  }
  bool AppendHeader(std::span<const std::string> path, std::string& out) const override {
    return token_->header().AppendText(path, out);
  }
  bool AppendClaimOf(std::string_view lower_name, std::string& out) const override {
    return token_->claims().AppendTextOf(lower_name, out);
  }
  bool AppendHeaderOf(std::string_view lower_name, std::string& out) const override {
    return token_->header().AppendTextOf(lower_name, out);
  }
  std::string_view payload() const override { return token_->payload(); }

 private:
  const std::shared_ptr<const jwt::VerifiedToken> token_;
};

// Empty: there is none. A request with two Authorization fields does not come so far.
std::string_view FindToken(Exchange& exchange, const config::JwtSettings& settings) {
  if (!settings.token.empty()) return exchange.Expand(settings.token);
  const std::string_view field = exchange.request.fields.Get(FieldId::kAuthorization);
  constexpr std::string_view kScheme = "Bearer ";
  return StartsWithIgnoreCase(field, kScheme) ? Trim(field.substr(kScheme.size()))
                                              : std::string_view();
}

// A quoted-string (RFC 9110 5.6.4).
std::string QuotedRealm(std::string_view realm) {
  std::string quoted;
  for (const char c : realm) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

class AuthJwt final : public Filter {
 public:
  AuthJwt(Exchange& exchange, FilterServices& services)
      : services_(services),
        settings_(exchange.settings().jwt),
        keys_(services.jwt_keys->Of(*exchange.server, settings_)) {}

  Verdict OnRequestHead(Exchange& exchange) override {
    if (settings_.keys.empty()) {
      exchange.LogError(LogLevel::kError,
                        "auth_jwt is on, but neither auth_jwt_key_file nor auth_jwt_key_request "
                        "is set: nobody may pass");
      return Verdict::Respond(500);
    }
    token_ = FindToken(exchange, settings_);
    if (token_.empty()) {
      exchange.LogError(LogLevel::kInfo, "no token was provided for auth_jwt");
      Challenge(exchange, {});
      return Verdict::Respond(401);
    }
    return Judge(exchange, true);
  }

  Verdict OnResumed(Exchange& exchange) override {
    waiting_.clear();
    services_.loop->Retire(std::move(deadline_));
    return Judge(exchange, false);
  }
  void OnLog(const Exchange&) override {
    waiting_.clear();
    deadline_.reset();
  }

 private:
  Verdict Judge(Exchange& exchange, bool may_wait) {
    jwt::Verification verification = services_.jwt_keys->Verify(keys_, settings_, token_);
    if (verification.token != nullptr) {
      if (const auto status = AdoptToken(exchange, std::move(verification.token))) {
        if (*status == 401) Challenge(exchange, "invalid_token");
        return Verdict::Respond(*status);
      }
      return Verdict::Satisfied();
    }
    if (verification.failure == jwt::Failure::kUnknownKey) {
      if (may_wait && Wait(exchange)) return Verdict::Pause();
      for (const FetchedKeys* fetched : keys_.fetched) {
        if (fetched->keys() != nullptr) continue;
        exchange.LogError(LogLevel::kError, "auth_jwt: there are no keys yet, nobody may pass");
        return Verdict::Respond(503);
      }
    }
    return Refuse(exchange, verification.why);
  }

  // True: keys are being fetched, and the exchange goes on when they are there or it took too long.
  bool Wait(Exchange& exchange) {
    for (FetchedKeys* fetched : keys_.fetched) {
      if (!fetched->Refresh()) continue;
      waiting_.push_back(fetched->Await([&exchange] { exchange.driver->Resume(); }));
    }
    if (waiting_.empty()) return false;
    deadline_ =
        std::make_unique<event::Timer>(*services_.loop, [&exchange] { exchange.driver->Resume(); });
    deadline_->Set(kLongestWait);
    return true;
  }

  Verdict Refuse(Exchange& exchange, std::string_view why) const {
    exchange.LogError(LogLevel::kError, fmt::format("the token was refused: {}", why));
    Challenge(exchange, "invalid_token");
    return Verdict::Respond(401);
  }

  void Challenge(Exchange& exchange, std::string_view error) const {
    std::string challenge =
        fmt::format("Bearer realm=\"{}\"", QuotedRealm(exchange.Expand(settings_.realm)));
    if (!error.empty()) challenge += fmt::format(", error=\"{}\"", error);
    exchange.response.fields.Set(FieldId::kWwwAuthenticate, challenge);
  }

  FilterServices& services_;
  const config::JwtSettings& settings_;
  JwtKeys::Location& keys_;
  std::string_view token_;  // in the request or the exchange's arena
  std::vector<std::shared_ptr<void>> waiting_;
  std::unique_ptr<event::Timer> deadline_;
};

}  // namespace

std::unique_ptr<Filter> MakeAuthJwt(Exchange& exchange, FilterServices& services) {
  exchange.SetIdentity(nullptr, std::nullopt);
  if (!exchange.settings().jwt.enabled()) return nullptr;
  return std::make_unique<AuthJwt>(exchange, services);
}

Verdict TakeSubprotocolToken(Exchange& exchange) {
  const config::JwtSettings& settings = exchange.settings().jwt;
  if (!settings.enabled() || !settings.token_of_subprotocol) return Verdict::Continue();
  http::HeaderMap& fields = exchange.request.fields;
  if (!fields.Has(FieldId::kSecWebSocketProtocol)) return Verdict::Continue();
  const exchange::SubprotocolToken found = exchange::FindSubprotocolToken(exchange.request);
  if (!found.any) return Verdict::Continue();
  exchange.subprotocol_token = exchange.arena.Copy(found.token);
  if (found.others.empty()) {
    fields.Remove(FieldId::kSecWebSocketProtocol);
  } else {
    fields.Set(FieldId::kSecWebSocketProtocol, found.others);
  }
  return Verdict::Continue();
}

std::optional<int> AdoptToken(Exchange& exchange, std::shared_ptr<const jwt::VerifiedToken> token) {
  const config::JwtSettings& settings = exchange.settings().jwt;
  const auto before = exchange.shared_identity();
  const auto before_ends = exchange.identity_ends();
  std::optional<int64_t> ends = token->expires();
  if (ends) *ends += settings.leeway.count();
  exchange.SetIdentity(std::make_shared<const TokenIdentity>(std::move(token)), ends);
  for (const config::JwtRequire& require : settings.require) {
    for (const config::Template& value : require.values) {
      const std::string_view text = exchange.Expand(value);
      if (!text.empty() && text != "0" && text != "false") continue;
      exchange.LogError(LogLevel::kError, fmt::format("the token was refused: auth_jwt_require {} "
                                                      "does not hold",
                                                      value.source));
      exchange.SetIdentity(before, before_ends);
      return require.status;
    }
  }
  return std::nullopt;
}

}  // namespace framewall::filter
