#include "waf/message.h"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "waf/deadline.h"
#include "waf/message_binary.h"
#include "waf/message_metadata.h"
#include "waf/message_payload.h"
#include "waf/message_text.h"
#include "waf/transaction_state.h"

namespace framewall::waf {
namespace {

using Stage = TransactionStage;
using Microseconds = std::chrono::microseconds;

// Measured on the machine of waf/README.md; in nanoseconds.
struct CostModel {
  std::int64_t base;
  std::int64_t payload_octet;
  std::int64_t argument;
  std::int64_t argument_octet;
};
constexpr CostModel kClientCost{1'200'000, 40, 120'000, 500};
constexpr CostModel kUpstreamCost{400'000, 55, 0, 0};

const CostModel& ModelOf(MessageDirection direction) {
  return direction == MessageDirection::kClientToUpstream ? kClientCost : kUpstreamCost;
}

// How much fits into a budget.
struct Room {
  std::size_t payload;
  std::size_t argument_octets;
};

Room RoomWithin(MessageDirection direction, Microseconds budget, std::size_t payload) {
  const CostModel& model = ModelOf(direction);
  std::int64_t left =
      std::max<std::int64_t>(std::chrono::nanoseconds(budget).count() - model.base, 0);
  // The payload as a whole must not take what its arguments need.
  const std::int64_t share = model.argument_octet > 0 ? left / 2 : left;
  Room room;
  room.payload = std::min(payload, static_cast<std::size_t>(share / model.payload_octet));
  left -= static_cast<std::int64_t>(room.payload) * model.payload_octet;
  room.argument_octets =
      model.argument_octet > 0 ? static_cast<std::size_t>(left / model.argument_octet) : 0;
  return room;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  return std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char have) {
    return (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have) == want;
  });
}

// A field of the handshake that says nothing of a message: it belongs to the hop or to the upgrade
// (what was agreed on is in TX), or to a body that the handshake did not have.
bool BelongsToHandshake(std::string_view name) {
  for (const std::string_view prefix : {"sec-websocket-", "content-"}) {
    if (StartsWithIgnoringCase(name, prefix)) return true;
  }
  for (const std::string_view whole :
       {"connection", "upgrade", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "expect", "http2-settings"}) {
    if (name.size() == whole.size() && StartsWithIgnoringCase(name, whole)) return true;
  }
  return false;
}

std::string_view ContentTypeOf(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kJson:
    case PayloadKind::kSocketIo:
      return "application/json";
    case PayloadKind::kForm:
      return "application/x-www-form-urlencoded";
    case PayloadKind::kXml:
      return "text/xml";
    case PayloadKind::kText:
    case PayloadKind::kBinary:
      break;
  }
  return "";
}

// What the library's processors call themselves in REQBODY_PROCESSOR.
std::string_view ProcessorOf(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kJson:
    case PayloadKind::kSocketIo:
      return "JSON";
    case PayloadKind::kForm:
      return "URLENCODED";
    case PayloadKind::kXml:
      return "XML";
    case PayloadKind::kText:
    case PayloadKind::kBinary:
      break;
  }
  return "";
}

// Rules that say nothing: while a transaction has them, it takes variables in as for a request
// without limits, and nothing is evaluated.
lib::RulesSet& SilentRules() {
  static lib::RulesSet* const rules = [] {
    auto* made = new lib::RulesSet();  // never destroyed: it is needed to the last
    made->m_secResponseBodyAccess = lib::RulesSetProperties::TrueConfigBoolean;
    return made;
  }();
  return *rules;
}

class Silence {
 public:
  explicit Silence(lib::Transaction& transaction)
      : transaction_(transaction), rules_(transaction.m_rules) {
    transaction_.m_rules = &SilentRules();
  }
  ~Silence() { transaction_.m_rules = rules_; }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  lib::Transaction& transaction_;
  lib::RulesSet* rules_;
};

std::string_view NameOf(MessageKind kind) {
  switch (kind) {
    case MessageKind::kText:
      return "text";
    case MessageKind::kBinary:
      return "binary";
    case MessageKind::kCloseReason:
      return "close";
  }
  return "text";
}

// Audit records are text: octets that are none become \xNN, as the library writes them elsewhere.
std::string Printable(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      text += c;
    } else {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  return text;
}

}  // namespace

class MessageInspection::State {
 public:
  State(Engine& engine, std::shared_ptr<const RuleSet> rules, std::string_view id,
        TransactionListener* listener)
      : transaction(engine, std::move(rules), id, listener) {}

  Decision InspectClient(const SocketView& socket, const MessageView& message,
                         const MessageLimits& limits);
  Decision InspectUpstream(const SocketView& socket, const MessageView& message,
                           const MessageLimits& limits);
  void WriteBodiesForRecord();

  Transaction transaction;
  bool cut = false;

 private:
  lib::Transaction& library() { return transaction.state_->library; }

  void SetVariable(const char* name, std::string_view value) {
    library().m_collections.m_tx_collection->storeOrUpdateFirst(name, std::string(value));
  }
  void SetVariables(const SocketView& socket, const MessageView& message, PayloadKind kind);
  void AddArguments(const MessageArguments& arguments);
  // False where the body is no XML; it is text then.
  bool TakeBody(PayloadKind kind);
  Decision Evaluate(Stage stage, int library_phase, int phase);
  bool Refuses(const MessageLimits& limits) const {
    return limits.over == MessageLimits::Over::kRefuse &&
           transaction.rules().engine_mode() == EngineMode::kOn;
  }
  Decision Refuse(const RequestView& request, const MessageView& message);
};

void MessageInspection::State::SetVariables(const SocketView& socket, const MessageView& message,
                                            PayloadKind kind) {
  const std::uint64_t size = message.size > 0 ? message.size : message.payload.size();
  const bool from_client = message.direction == MessageDirection::kClientToUpstream;
  SetVariable("ws_direction", from_client ? "client" : "upstream");
  SetVariable("ws_opcode", NameOf(message.kind));
  SetVariable("ws_format", NameOf(kind));
  SetVariable("ws_size", std::to_string(size));
  SetVariable("ws_wire_size", std::to_string(message.wire_size > 0 ? message.wire_size : size));
  SetVariable("ws_number", std::to_string(message.number));
  SetVariable("ws_subprotocol", socket.subprotocol);
  SetVariable("ws_cut", cut ? "1" : "0");
  if (kind == PayloadKind::kBinary) SetVariable("ws_binary", message.payload);
}

void MessageInspection::State::AddArguments(const MessageArguments& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const MessageArguments::Argument argument = arguments[i];
    const bool is_json = argument.origin == MessageArguments::Origin::kJson;
    library().addArgument(is_json ? "JSON" : "POST", std::string(argument.name),
                          std::string(argument.value), 0);
  }
}

bool MessageInspection::State::TakeBody(PayloadKind kind) {
  lib::Transaction& taking = library();
  // We have read it; the library must not do so again.
  taking.m_requestBodyType = lib::Transaction::UnknownFormat;
  taking.m_requestBodyProcessor = kind == PayloadKind::kXml ? lib::Transaction::XMLRequestBody
                                                            : lib::Transaction::UnknownFormat;
  taking.m_variableReqbodyProcessor.set(std::string(ProcessorOf(kind)), 0);
  if (cut) taking.m_variableInboundDataError.set("1", 0);
  taking.processRequestBody();
  return taking.m_variableReqbodyError.m_value != "1";
}

Decision MessageInspection::State::Evaluate(Stage stage, int library_phase, int phase) {
  transaction.state_->Advance(stage);
  library().m_rules->evaluate(library_phase, &library());
  return transaction.state_->Outcome(phase);
}

Decision MessageInspection::State::Refuse(const RequestView& request, const MessageView& message) {
  {
    // For the record alone: no rule runs.
    const Silence silence(library());
    transaction.ProcessRequestHead(request);
  }
  const bool from_client = message.direction == MessageDirection::kClientToUpstream;
  return transaction.state_->Refuse(
      from_client ? 2 : 4, 413,
      "WebSocket message of " + std::to_string(message.payload.size()) +
          " octets takes too long to inspect, or has too many values");
}

Decision MessageInspection::State::InspectClient(const SocketView& socket,
                                                 const MessageView& message,
                                                 const MessageLimits& limits) {
  const Room room = RoomWithin(message.direction, limits.budget, message.payload.size());
  const std::string_view payload = message.payload.substr(0, room.payload);
  cut = payload.size() < std::max<std::uint64_t>(message.size, message.payload.size());
  bool over = payload.size() < message.payload.size();

  MessageArguments arguments(
      limits.arguments, room.argument_octets,
      static_cast<std::size_t>(kClientCost.argument / kClientCost.argument_octet));
  const ReadPayloadResult read =
      ReadPayload({payload, message.kind == MessageKind::kBinary, cut}, &arguments);
  if (read.full) {
    over = cut = true;
    arguments.AddBeginning(MessageArguments::Origin::kPost, "message", read.rest);
  }
  // XML is read by the library; what it cannot read is what we have read.
  const PayloadKind kind = socket.format == MessageFormat::kXml ? PayloadKind::kXml : read.kind;

  RequestView request = socket.handshake;
  request.method = "POST";
  std::vector<HeaderView> headers;
  headers.reserve(request.headers.size() + 2);
  for (const HeaderView& header : request.headers) {
    if (!BelongsToHandshake(header.name)) headers.push_back(header);
  }
  const std::string_view type = ContentTypeOf(kind);
  // A length without a type is an anomaly to CRS (920340).
  const std::string length =
      type.empty() ? "0" : std::to_string(std::max<std::uint64_t>(message.size, payload.size()));
  headers.push_back({"Content-Length", length});
  if (!type.empty()) headers.push_back({"Content-Type", type});
  request.headers = headers;

  library().m_requestBody.write(payload.data(), static_cast<std::streamsize>(payload.size()));
  SetVariables(socket, message, kind);
  if (over && Refuses(limits)) return Refuse(request, message);

  // Before the rules of phase 1, some of which may take it back.
  library().m_requestBodyAccess = lib::RulesSetProperties::TrueConfigBoolean;
  const Decision decision = transaction.ProcessRequestHead(request);
  if (decision.interrupts() || !transaction.wants_request_body()) return decision;
  const bool rule_says_xml = library().m_requestBodyProcessor == lib::Transaction::XMLRequestBody;
  const bool try_xml = kind == PayloadKind::kXml || (kind == PayloadKind::kText && rule_says_xml);
  {
    const Silence silence(library());
    const bool is_xml = try_xml && TakeBody(PayloadKind::kXml);
    if (!is_xml) {
      library().m_variableReqbodyErrorMsg.unset();
      library().m_variableReqbodyProcessorErrorMsg.unset();
      TakeBody(read.kind);
      AddArguments(arguments);
    }
    if (try_xml) SetVariable("ws_format", NameOf(is_xml ? PayloadKind::kXml : read.kind));
  }
  return Evaluate(Stage::kRequestBody, lib::Phases::RequestBodyPhase, 2);
}

Decision MessageInspection::State::InspectUpstream(const SocketView& socket,
                                                   const MessageView& message,
                                                   const MessageLimits& limits) {
  const Room room = RoomWithin(message.direction, limits.budget, message.payload.size());
  const std::string_view payload = message.payload.substr(0, room.payload);
  cut = payload.size() < std::max<std::uint64_t>(message.size, message.payload.size());

  const PayloadView view{payload, message.kind == MessageKind::kBinary, cut};
  const PayloadKind kind =
      socket.format == MessageFormat::kXml ? PayloadKind::kXml : GuessKind(view);
  if (kind == PayloadKind::kBinary) {
    // Random octets look like a leak sooner or later ("<?"); texts are what leaks.
    for (const std::string_view text : TextsInBinary(payload, cut)) {
      if (HasXmp(text)) {
        library().m_responseBody << WithoutXmpMarkup(text) << '\n';
      } else {
        library().m_responseBody << text << '\n';
      }
    }
  } else {
    library().m_responseBody.write(payload.data(), static_cast<std::streamsize>(payload.size()));
  }

  RequestView request = socket.handshake;
  request.method = "GET";  // over HTTP/2 it was CONNECT
  std::vector<HeaderView> headers;
  headers.reserve(request.headers.size());
  for (const HeaderView& header : request.headers) {
    if (!BelongsToHandshake(header.name)) headers.push_back(header);
  }
  request.headers = headers;

  SetVariables(socket, message, kind);
  if (payload.size() < message.payload.size() && Refuses(limits)) return Refuse(request, message);

  Decision decision = transaction.ProcessRequestHead(request);
  if (decision.interrupts()) return decision;
  decision = transaction.ProcessRequestBody();
  if (decision.interrupts()) return decision;
  const std::string_view type = ContentTypeOf(kind);
  const HeaderView content_type{"Content-Type", type.empty() ? "text/plain" : type};
  decision = transaction.ProcessResponseHeaders({200, "HTTP/1.1", {&content_type, 1}});
  if (decision.interrupts() || transaction.engine_mode() == EngineMode::kOff ||
      !transaction.rules().inspects_response_bodies()) {
    return decision;
  }
  {
    const Silence silence(library());
    if (cut) library().m_variableOutboundDataError.set("1", 0);
    library().processResponseBody();
  }
  return Evaluate(Stage::kResponseBody, lib::Phases::ResponseBodyPhase, 4);
}

// A refused message stands in its record, whatever SecAuditLogParts says; ctl:auditLogParts in a
// rule comes later and may take it out again.
void MessageInspection::State::WriteBodiesForRecord() {
  if (transaction.interruption()) library().m_auditLogModifier.emplace_front(0, "CE");
  for (std::ostringstream* body : {&library().m_requestBody, &library().m_responseBody}) {
    const std::string bytes = body->str();
    if (!IsText(bytes)) body->str(Printable(bytes));
  }
}

std::chrono::microseconds EstimateCost(MessageDirection direction, std::size_t payload,
                                       std::size_t arguments, std::size_t argument_octets) {
  const CostModel& model = ModelOf(direction);
  const auto times = [](std::size_t count, std::int64_t cost) {
    return static_cast<std::int64_t>(std::min<std::size_t>(count, 1U << 30)) * cost;
  };
  return std::chrono::duration_cast<Microseconds>(std::chrono::nanoseconds(
      model.base + times(payload, model.payload_octet) + times(arguments, model.argument) +
      times(argument_octets, model.argument_octet)));
}

bool InspectsMessages(const RuleSet& rules, MessageDirection direction) {
  if (rules.engine_mode() == EngineMode::kOff) return false;
  return direction == MessageDirection::kClientToUpstream || rules.inspects_response_bodies();
}

MessageInspection::MessageInspection(Engine& engine, std::shared_ptr<const RuleSet> rules,
                                     std::string_view id, TransactionListener* listener)
    : state_(std::make_unique<State>(engine, std::move(rules), id, listener)) {}
MessageInspection::~MessageInspection() = default;

void MessageInspection::SetSecretFields(const SecretFields& fields) {
  state_->transaction.SetSecretFields(fields);
}

Decision MessageInspection::Inspect(const SocketView& socket, const MessageView& message,
                                    const MessageLimits& limits) {
  const Deadline deadline(limits.budget);
  NotedTransaction& library = state_->transaction.state_->library;
  library.deadline = &deadline;
  Decision decision = message.direction == MessageDirection::kClientToUpstream
                          ? state_->InspectClient(socket, message, limits)
                          : state_->InspectUpstream(socket, message, limits);
  library.deadline = nullptr;
  state_->cut = state_->cut || library.overrun;
  return decision;
}

void MessageInspection::Log() {
  if (state_->transaction.logged()) return;
  state_->WriteBodiesForRecord();
  state_->transaction.ProcessLogging();
}

bool MessageInspection::cut() const { return state_->cut; }
EngineMode MessageInspection::engine_mode() const { return state_->transaction.engine_mode(); }
std::string_view MessageInspection::id() const { return state_->transaction.id(); }
const std::optional<Decision>& MessageInspection::interruption() const {
  return state_->transaction.interruption();
}

}  // namespace framewall::waf
