// A WebSocket after both handshakes: two hops, and messages from one to the other.
//
//   kOpen      messages pass
//   kParting   one side is refused; what the other still answers to earlier messages passes, and
//   the
//              refused side's Close follows the other's, or comes after a second
//   kClosing   a Close is on its way on at least one hop; websocket_close_timeout runs
//   kFlushing  every hop is over; what is queued leaves, then both connections close
//   kOver      done() was called, or Stop
//
// A message is judged whole before any octet of it leaves. Who cannot take more pauses the other
// side. Nothing of HTTP is looked at any more but the exchange, which keeps what the rules are
// shown and what the access log will say.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/event/timer.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/message/limit.h"
#include "proxy/filter/message/message_filter.h"
#include "proxy/server/relay_hop.h"
#include "proxy/server/services.h"
#include "proxy/server/socket_clients.h"

namespace framewall::server {

class Relay final : private RelayHopEvents {
 public:
  // `client` outlives the relay, or Stop was called. `done` is called once, last.
  Relay(Services& services, exchange::Exchange& exchange, event::Stream& client,
        exchange::SocketHandover handover, std::function<void()> done);
  ~Relay() override;

  // What was read ahead of either side goes first.
  void Start(ByteView from_client, ByteView from_upstream);
  // The worker's last deadline: both sides are told 1001, and done() comes soon.
  void GoAway();
  // Ends without done(); the client's stream is not touched any more.
  void Stop();

  uint64_t sent_to_client() const;
  uint64_t sent_to_upstream() const;
  uint64_t received_from_upstream() const;

 private:
  enum class State : uint8_t { kOpen, kParting, kClosing, kFlushing, kOver };

  // --- RelayHopEvents ---
  void OnActivity(RelayHop& hop) override;
  bool MayRead(RelayHop& hop) override;
  void OnMessage(RelayHop& hop) override;
  void OnControl(RelayHop& hop) override;
  void OnClose(RelayHop& hop, uint16_t code, ByteView reason) override;
  void OnViolation(RelayHop& hop) override;
  void OnProgress(RelayHop& hop) override;
  void OnGone(RelayHop& hop, const Error* error) override;
  std::string& SpareBuffer() override { return services_.sockets.spare_buffer; }
  void OnHopDrained(RelayHop& hop) override;
  void OnHopSent(RelayHop& hop) override;

  void Pass(RelayHop& hop, ws::Opcode opcode, std::string& payload, uint64_t wire_size);
  filter::MessageVerdict Judge(const RelayHop& hop, filter::Message& message);
  void Refuse(RelayHop& hop, const filter::MessageVerdict& verdict);
  void Part(RelayHop& refused, uint16_t code, uint16_t code_for_other, std::string_view reason);
  void FinishParting();
  // We end it: `code` and `reason` to both sides that have not closed yet.
  void CloseBoth(uint16_t code, std::string_view reason);
  void BeginClosing(Milliseconds wait);
  void FlushWhenOver();
  void Flush();
  void Finish();
  void Reset();

  // --- websocket_limit_message (relay_limit.cc) ---
  // The client's message may pass now. Where not it is refused, or held until it may.
  bool PassesLimit(std::string& payload);
  void OnLimitDecided();
  void RefuseByLimit();
  void ReleaseHeld();

  void CountHeld(RelayHop& hop);
  void OnTimer();
  void CheckDeadlines(SteadyTime now);
  void CheckHop(RelayHop& hop, Milliseconds send_timeout, SteadyTime now);
  void Ping(SteadyTime now);
  void Rearm(SteadyTime now);
  void ArmBy(SteadyTime when);
  void ArmByToken(SteadyTime now);
  Milliseconds RateWait(RelayHop& hop, SteadyTime now);
  void NoteEnd(std::string_view by, uint16_t code, std::string_view reason);

  bool IsClient(const RelayHop& hop) const { return &hop == &client_; }
  RelayHop& Other(RelayHop& hop) { return IsClient(hop) ? upstream_ : client_; }
  std::string_view NameOf(const RelayHop& hop) const {
    return IsClient(hop) ? "client" : "upstream";
  }
  const config::WebSocketSettings& settings() const { return settings_; }

  Services& services_;
  exchange::Exchange& exchange_;
  const config::WebSocketSettings& settings_;
  const std::unique_ptr<event::Stream> upstream_stream_;
  const std::string_view subprotocol_;
  std::function<void()> done_;
  SocketClient& shared_;      // of this client's address
  TokenBucket message_rate_;  // of the client's messages
  TokenBucket byte_rate_;
  exchange::SocketRecord& record_;
  RelayHop client_;
  RelayHop upstream_;
  std::vector<std::unique_ptr<filter::MessageFilter>> filters_;
  std::unique_ptr<filter::MessageLimit> limit_;  // null: none
  // A message of the client that its limit has not let through yet; nothing of it is read
  // meanwhile.
  struct HeldMessage {
    ws::Opcode opcode;
    std::string payload;
    uint64_t wire_size = 0;
    SteadyTime due{};  // none: not decided
  };
  std::optional<HeldMessage> held_;
  event::Timer timer_;
  State state_ = State::kOpen;
  RelayHop* refused_ = nullptr;  // in kParting
  SteadyTime armed_{};           // when the timer fires; none: it does not
  SteadyTime began_;
  SteadyTime last_activity_;
  SteadyTime last_message_;
  SteadyTime next_ping_{};
  SteadyTime deadline_{};  // of kClosing and kFlushing
};

}  // namespace framewall::server
