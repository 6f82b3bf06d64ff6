// Inspection of WebSocket messages: one transaction over one message, shown to
// the rules as the request or response that it would have been over HTTP.
//
// A client's message is a POST to the handshake's URI with the handshake's
// headers, the message its body and its values ARGS. An upstream's message is
// the body of a response of an inspected type to the handshake's request. What
// becomes an argument, and under which name, is in waf/message_payload.h; the
// TX variables that only messages have (ws_direction, ws_opcode, ...) are in
// rules/README.md.
//
// Of the rules' own settings these mean something else here than for HTTP:
//   SecRequestBodyAccess Off       a message is nothing but its body, so it is
//                                  judged all the same; ctl:requestBodyAccess=Off
//                                  in a rule of the site (by path) holds
//   SecRequestBodyLimit and kin    do not apply: what the caller shows is judged
//                                  whole. How much it shows is its own setting
//   SecArgumentsLimit              MessageLimits::arguments stands in for it; what
//                                  is over is judged as text, or refused
//   SecResponseBodyAccess Off      holds: nothing of the upstream's is judged
//   SecResponseBodyMimeType        does not apply: a type out of it is taken
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "waf/decision.h"
#include "waf/engine.h"
#include "waf/rule_set.h"
#include "waf/transaction.h"
#include "waf/views.h"

namespace framewall::waf {

enum class MessageDirection : std::uint8_t { kClientToUpstream, kUpstreamToClient };

// What carried the payload. The reason of a close frame is judged as text too.
enum class MessageKind : std::uint8_t { kText, kBinary, kCloseReason };

// kXml: the handshake or the sub-protocol says that messages are XML.
enum class MessageFormat : std::uint8_t { kAuto, kXml };

// What all messages of a socket share. Views: the bytes outlive every
// inspection (the relay copies the handshake's head once).
struct SocketView {
  // As the client's handshake came: method, target, all headers, the client's
  // real address. Which headers the rules see again is decided here.
  RequestView handshake;
  // The one that was agreed on; may be empty.
  std::string_view subprotocol;
  MessageFormat format = MessageFormat::kAuto;
};

struct MessageView {
  MessageDirection direction = MessageDirection::kClientToUpstream;
  MessageKind kind = MessageKind::kText;
  // Inflated and unmasked. Whole, or only its beginning (`size` says so).
  std::string_view payload;
  // Of the whole message, inflated; 0 means payload.size(). More than that: the
  // payload is the beginning alone, and a cut JSON is judged as far as it goes.
  std::uint64_t size = 0;
  // In this connection and direction, from 1.
  std::uint64_t number = 0;
  // Octets of payload as they came over the wire (compressed); 0 means `size`.
  std::uint64_t wire_size = 0;
};

// What one message may cost. Neither limit lets anything pass unjudged.
struct MessageLimits {
  enum class Over : std::uint8_t {
    kRefuse,            // a decision of rule 0 that denies, before any rule runs
    kInspectBeginning,  // values within the limits, then the rest as far as the budget goes
  };
  // Names and values shown one by one; the library spends more on each than on its bytes.
  std::size_t arguments = 500;
  // What the inspection may take: by EstimateCost before it begins, and by this thread's time
  // while it runs. Stopped by the latter it has no verdict, so that the message is refused
  // whatever `over` says (DetectionOnly: let through).
  std::chrono::microseconds budget{100'000};
  Over over = Over::kRefuse;
};

// What inspecting so much takes, with CRS at paranoia level 1 on the machine that waf/README.md
// names: a base, a share for each octet of the payload, and for each argument
// (names and values together `argument_octets` long) and each of its octets another. Of an
// upstream's message nothing becomes an argument.
std::chrono::microseconds EstimateCost(MessageDirection direction, std::size_t payload,
                                       std::size_t arguments = 0, std::size_t argument_octets = 0);

// False where no message of that direction is ever judged: SecRuleEngine Off, or
// SecResponseBodyAccess not On. No MessageInspection need be made then.
bool InspectsMessages(const RuleSet& rules, MessageDirection direction);

// One transaction over one message. Inspect and Log once each, in this order.
class MessageInspection {
 public:
  // As waf::Transaction's: `rules` is kept alive, `listener` outlives this or is null.
  MessageInspection(Engine& engine, std::shared_ptr<const RuleSet> rules, std::string_view id,
                    TransactionListener* listener);
  ~MessageInspection();
  MessageInspection(const MessageInspection&) = delete;
  MessageInspection& operator=(const MessageInspection&) = delete;

  // As waf::Transaction's.
  void SetSecretFields(const SecretFields& fields);

  // All phases that the verdict needs. The views are needed until Log.
  // In DetectionOnly nothing interrupts; the listener hears what matched.
  Decision Inspect(const SocketView& socket, const MessageView& message,
                   const MessageLimits& limits = {});

  // Phase 5 and the audit record if one is due; later calls do nothing.
  void Log();

  // True where not all was judged: the payload was a beginning, or a limit was met under
  // kInspectBeginning or DetectionOnly. For the log line.
  bool cut() const;
  EngineMode engine_mode() const;
  std::string_view id() const;
  const std::optional<Decision>& interruption() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace framewall::waf
