#include "proxy/filter/message/schema.h"

#include <string>
#include <utility>

#include "proxy/base/encoding.h"
#include "proxy/filter/services.h"
#include "proxy/json/schema.h"
#include "proxy/ws/close_code.h"

namespace framewall::filter {
namespace {

constexpr auto kPolicy = static_cast<uint16_t>(ws::CloseCode::kPolicyViolation);

// With these and the steps of a validation a message costs less than 100 ms, whatever it holds.
constexpr json::Limits kMessageLimits{
    .octets = size_t{1024} * 1024, .depth = 128, .values = 50'000};

// Text that a client chose, for a line of the log.
std::string Shown(std::string_view text) {
  constexpr size_t kMost = 200;
  std::string shown;
  AppendJsonEscaped(shown, text.substr(0, kMost));
  if (text.size() > kMost) shown.append("...");
  return shown;
}

class MessageSchema final : public MessageFilter {
 public:
  explicit MessageSchema(std::shared_ptr<const json::Schema> schema) : schema_(std::move(schema)) {}

  MessageVerdict OnMessage(Exchange& exchange, const Message& message) override {
    if (message.direction != Message::Direction::kClientToUpstream ||
        message.kind == Message::Kind::kCloseReason) {
      return MessageVerdict::Pass();
    }
    const std::string problem = ProblemOf(message);
    if (problem.empty()) return MessageVerdict::Pass();
    std::string line = "client sent a message of ";
    line.append(std::to_string(message.payload.size())).append(" octets that ").append(problem);
    exchange.LogError(LogLevel::kError, line);
    switch (exchange.settings().websocket.verdict) {
      case config::SocketVerdict::kDetect:
        break;
      case config::SocketVerdict::kDrop:
        return {MessageVerdict::Kind::kDrop};
      case config::SocketVerdict::kClose:
        return {MessageVerdict::Kind::kClose, kPolicy, "message does not match its schema"};
    }
    return MessageVerdict::Pass();
  }

 private:
  // Empty: there is none.
  std::string ProblemOf(const Message& message) const {
    if (message.kind == Message::Kind::kBinary) return "is binary, and websocket_schema wants JSON";
    const auto document = json::Document::Parse(message.payload, kMessageLimits);
    if (!document.ok()) {
      return (document.error().kind == ErrorKind::kLimit ? "is too much JSON to be checked: "
                                                         : "is not JSON: ") +
             Shown(document.error().message);
    }
    const auto mismatch = schema_->Validate(document->root());
    if (!mismatch) return {};
    if (mismatch->keyword.empty()) return "costs too much to check against " + schema_->name();
    return "does not match " + schema_->name() + ": \"" + mismatch->keyword + "\" of \"" +
           mismatch->schema + "\" at \"" + Shown(mismatch->instance) + "\"";
  }

  const std::shared_ptr<const json::Schema> schema_;
};

}  // namespace

std::unique_ptr<MessageFilter> MakeMessageSchema(Exchange& exchange, FilterServices& services,
                                                 std::string_view) {
  const std::string& path = exchange.settings().websocket.schema;
  if (path.empty()) return nullptr;
  // The resources were built from this configuration: the file is there.
  return std::make_unique<MessageSchema>(services.schemas->at(path));
}

}  // namespace framewall::filter
