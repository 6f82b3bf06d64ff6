#include "proxy/filter/message/token.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "proxy/filter/auth_jwt.h"
#include "proxy/filter/jwt_keys.h"
#include "proxy/filter/services.h"
#include "proxy/jwt/json_object.h"
#include "proxy/jwt/token.h"

namespace framewall::filter {
namespace {

// A longer message carries no token that we would take.
constexpr size_t kLongestMessage = 2 * jwt::kMostTokenOctets;
// What auth_jwt_require evaluates for a token stays with the exchange until its end.
constexpr int kMostTokens = 4096;

class MessageToken final : public MessageFilter {
 public:
  MessageToken(Exchange& exchange, FilterServices& services)
      : settings_(exchange.settings().jwt),
        message_(exchange.settings().socket_token),
        services_(services),
        keys_(services.jwt_keys->Of(*exchange.server, settings_)) {
    const std::string path[] = {"sub"};
    exchange.identity()->AppendClaim(path, subject_);
  }

  MessageVerdict OnMessage(Exchange& exchange, const Message& message) override {
    if (message.direction != Message::Direction::kClientToUpstream) return MessageVerdict::Pass();
    const auto token = ReadToken(message);
    if (!token) return MessageVerdict::Pass();
    if (const std::string why = Adopt(exchange, *token); !why.empty()) {
      exchange.LogError(LogLevel::kError, fmt::format("the fresh token was refused: {}", why));
      if (message_.wrong == config::WrongSocketToken::kClose && !keys_are_coming_) {
        return {MessageVerdict::Kind::kClose, kTokenCloseCode, "token refused", 0};
      }
      return {MessageVerdict::Kind::kDrop, 0, {}, 0};
    }
    if (message_.forward) return MessageVerdict::Pass();
    return {MessageVerdict::Kind::kTaken, 0, {}, 0};
  }

 private:
  // Nothing: the message is another one. Empty: it is one without a token.
  std::optional<std::string> ReadToken(const Message& message) const {
    if (message.kind != Message::Kind::kText || message.payload.size() > kLongestMessage ||
        message.payload.find(message_.name) == ByteView::npos) {
      return std::nullopt;
    }
    const auto object = jwt::JsonObject::Parse(message.payload);
    if (!object.ok()) return std::nullopt;
    std::string name;
    if (!object->AppendText(message_.name_at, name) || name != message_.name) return std::nullopt;
    std::string token;
    object->AppendText(message_.token_at, token);
    return token;
  }

  // Why not; empty where it is the exchange's now.
  std::string Adopt(Exchange& exchange, std::string_view token) {
    keys_are_coming_ = false;
    if (++tokens_ > kMostTokens) return "too many of them";
    const jwt::Verification verification = services_.jwt_keys->Verify(keys_, settings_, token);
    if (verification.token == nullptr) {
      if (verification.failure == jwt::Failure::kUnknownKey) {
        for (FetchedKeys* fetched : keys_.fetched) keys_are_coming_ |= fetched->Refresh();
      }
      return verification.why +
             (keys_are_coming_ ? "; keys are being fetched, it may be sent again" : "");
    }
    const auto subject = verification.token->subject();
    if (!subject || subject_.empty() || *subject != subject_) return "its \"sub\" is another one";
    if (AdoptToken(exchange, verification.token)) return "auth_jwt_require does not hold";
    return {};
  }

  const config::JwtSettings& settings_;
  const config::SocketTokenSettings& message_;
  FilterServices& services_;
  JwtKeys::Location& keys_;
  std::string subject_;  // of the handshake's token
  int tokens_ = 0;
  bool keys_are_coming_ = false;
};

}  // namespace

std::unique_ptr<MessageFilter> MakeMessageToken(Exchange& exchange, FilterServices& services,
                                                std::string_view) {
  if (exchange.identity() == nullptr || !exchange.settings().jwt.enabled() ||
      !exchange.settings().socket_token.enabled) {
    return nullptr;
  }
  return std::make_unique<MessageToken>(exchange, services);
}

}  // namespace framewall::filter
