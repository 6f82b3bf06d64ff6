#include "proxy/filter/message/waf.h"

#include <utility>

#include "proxy/base/text.h"
#include "proxy/filter/services.h"
#include "proxy/filter/waf_views.h"
#include "proxy/ws/close_code.h"
#include "waf/message.h"

namespace framewall::filter {
namespace {

using Direction = Message::Direction;

constexpr auto kPolicy = static_cast<uint16_t>(ws::CloseCode::kPolicyViolation);
constexpr auto kTooBig = static_cast<uint16_t>(ws::CloseCode::kMessageTooBig);

waf::MessageKind KindOf(Message::Kind kind) {
  switch (kind) {
    case Message::Kind::kText:
      return waf::MessageKind::kText;
    case Message::Kind::kBinary:
      return waf::MessageKind::kBinary;
    case Message::Kind::kCloseReason:
      break;
  }
  return waf::MessageKind::kCloseReason;
}

// "xmpp", "soap+xml" and so on: sub-protocols whose messages are XML.
waf::MessageFormat FormatOf(std::string_view subprotocol) {
  const bool is_xml =
      EqualsIgnoreCase(subprotocol, "xmpp") || EqualsIgnoreCase(subprotocol, "soap") ||
      EqualsIgnoreCase(subprotocol, "xml") || EndsWithIgnoreCase(subprotocol, "+xml");
  return is_xml ? waf::MessageFormat::kXml : waf::MessageFormat::kAuto;
}

// One transaction for a message. Between messages nothing is held.
class MessageWaf final : public MessageFilter {
 public:
  MessageWaf(Exchange& exchange, FilterServices& services,
             std::shared_ptr<const waf::RuleSet> rules, std::string_view subprotocol)
      : exchange_(exchange),
        services_(services),
        log_(exchange, services),
        variables_(exchange),
        rules_(std::move(rules)),
        subprotocol_(subprotocol),
        inspects_client_(Inspects(waf::MessageDirection::kClientToUpstream)),
        inspects_upstream_(Inspects(waf::MessageDirection::kUpstreamToClient)) {}

  bool inspects_any() const { return inspects_client_ || inspects_upstream_; }

  MessageVerdict OnMessage(Exchange&, const Message& message) override {
    const bool from_client = message.direction == Direction::kClientToUpstream;
    if (!(from_client ? inspects_client_ : inspects_upstream_)) return MessageVerdict::Pass();
    ByteView payload = message.payload;
    if (payload.size() > settings().inspect_limit) {
      switch (settings().over_inspect_limit) {
        case config::OverInspectLimit::kRefuse:
          Log(LogLevel::kError, "is over websocket_inspect_limit", message);
          if (!OnlyLogs()) {
            return Refused(
                {MessageVerdict::Kind::kClose, kTooBig, "message too big to inspect", 0});
          }
          payload = payload.substr(0, settings().inspect_limit);
          break;
        case config::OverInspectLimit::kPass:
          Log(LogLevel::kNotice, "is over websocket_inspect_limit, passed", message);
          return MessageVerdict::Pass();
        case config::OverInspectLimit::kPartial:
          Log(LogLevel::kNotice, "is over websocket_inspect_limit, only its beginning is inspected",
              message);
          payload = payload.substr(0, settings().inspect_limit);
          break;
      }
    }
    return Judge(message, payload);
  }

 private:
  const config::WebSocketSettings& settings() const { return exchange_.settings().websocket; }

  bool Inspects(waf::MessageDirection direction) const {
    const bool wanted = direction == waf::MessageDirection::kClientToUpstream
                            ? settings().inspect_client
                            : settings().inspect_upstream;
    return wanted && waf::InspectsMessages(*rules_, direction);
  }

  bool OnlyLogs() const {
    return settings().verdict == config::SocketVerdict::kDetect ||
           rules_->engine_mode() == waf::EngineMode::kDetectionOnly;
  }

  MessageVerdict Judge(const Message& message, ByteView payload) {
    const RequestViews views(exchange_, variables_);
    waf::SocketView socket;
    socket.handshake = views.view();
    socket.subprotocol = subprotocol_;
    socket.format = FormatOf(subprotocol_);
    waf::MessageView shown;
    shown.direction = message.direction == Direction::kClientToUpstream
                          ? waf::MessageDirection::kClientToUpstream
                          : waf::MessageDirection::kUpstreamToClient;
    shown.kind = KindOf(message.kind);
    shown.payload = payload;
    shown.size = message.payload.size();
    shown.number = message.number;
    shown.wire_size = message.wire_size;
    waf::MessageLimits limits;
    if (settings().over_inspect_limit != config::OverInspectLimit::kRefuse || OnlyLogs()) {
      limits.over = waf::MessageLimits::Over::kInspectBeginning;
    }
    waf::MessageInspection inspection(*services_.engine, rules_, NewTransactionId(), &log_);
    inspection.SetSecretFields(SecretFieldsOf(exchange_));
    const waf::Decision decision = inspection.Inspect(socket, shown, limits);
    inspection.Log();
    if (inspection.cut() && payload.size() == message.payload.size()) {
      Log(LogLevel::kNotice, "costs more than one inspection may, only its beginning is inspected",
          message);
    }
    if (!decision.interrupts()) return MessageVerdict::Pass();
    log_.OnRefusal(decision);
    return VerdictOf(decision);
  }

  MessageVerdict VerdictOf(const waf::Decision& decision) {
    MessageVerdict verdict{MessageVerdict::Kind::kClose, kPolicy, "message refused",
                           decision.rule_id};
    if (settings().verdict == config::SocketVerdict::kDetect) return MessageVerdict::Pass();
    if (decision.action == waf::Action::kDrop) {
      verdict.kind = MessageVerdict::Kind::kReset;
    } else if (settings().verdict == config::SocketVerdict::kDrop) {
      verdict.kind = MessageVerdict::Kind::kDrop;
    }
    return Refused(verdict);
  }

  MessageVerdict Refused(MessageVerdict verdict) {
    exchange_.waf_rule_id = static_cast<int>(verdict.rule_id);
    return verdict;
  }

  void Log(LogLevel level, std::string_view what, const Message& message) const {
    if (!exchange_.log().Enabled(level)) return;
    std::string line = "ModSecurity: a message of ";
    line.append(std::to_string(message.payload.size())).append(" octets from the ");
    line.append(message.direction == Direction::kClientToUpstream ? "client " : "upstream ");
    exchange_.LogError(level, line.append(what));
  }

  Exchange& exchange_;
  FilterServices& services_;
  RuleLog log_;
  const RuleVariables variables_;  // as of the handshake
  const std::shared_ptr<const waf::RuleSet> rules_;
  const std::string_view subprotocol_;
  const bool inspects_client_;
  const bool inspects_upstream_;
};

}  // namespace

std::unique_ptr<MessageFilter> MakeMessageWaf(Exchange& exchange, FilterServices& services,
                                              std::string_view subprotocol) {
  std::shared_ptr<const waf::RuleSet> rules = RulesOf(exchange, services);
  if (rules == nullptr) return nullptr;
  auto made = std::make_unique<MessageWaf>(exchange, services, std::move(rules), subprotocol);
  if (!made->inspects_any()) return nullptr;
  return made;
}

}  // namespace framewall::filter
