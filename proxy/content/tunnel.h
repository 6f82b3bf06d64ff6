// A tunnel after 101: what one side sends goes to the other as it is, until both have ended.
//
// Who cannot take more pauses the other side; an end is passed on as an end, so that a half-closed
// protocol works; silence of both for proxy_read_timeout ends it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/exchange/driver.h"
#include "proxy/exchange/exchange.h"
#include "proxy/upstream/connection.h"

namespace framewall::content {

class Tunnel final {
 public:
  // `client` belongs to the driver and outlives the tunnel, or Stop was called. `done` is called
  // once, last.
  Tunnel(event::EventLoop& loop, exchange::Exchange& exchange, event::Stream& client,
         std::unique_ptr<upstream::Connection> upstream, std::function<void()> done);
  ~Tunnel();

  // What was read ahead from either side goes first.
  void Start(ByteView from_client, ByteView from_upstream);
  // Ends without a call of `done`; the client's stream is not touched any more.
  void Stop();

  uint64_t sent_to_client() const { return to_client_; }
  uint64_t sent_to_upstream() const { return to_upstream_; }

 private:
  class Side final : public event::StreamHandler {
   public:
    Side(Tunnel& tunnel, event::Stream& its_stream) : stream(its_stream), tunnel_(tunnel) {}
    void OnBytes(ByteView bytes) override { tunnel_.OnBytes(*this, bytes); }
    void OnEnd() override { tunnel_.OnEnd(*this); }
    void OnBroken(const Error&) override { tunnel_.Finish(); }
    void OnDrained() override { tunnel_.OnDrained(*this); }

    event::Stream& stream;
    event::ReadPause pause;
    bool ended = false;

   private:
    Tunnel& tunnel_;
  };

  void OnBytes(Side& from, ByteView bytes);
  void OnEnd(Side& from);
  void OnDrained(Side& side);
  void OnTimer();
  void FinishWhenSent();
  void Finish();
  Side& Other(Side& side) { return &side == &client_ ? upstream_ : client_; }

  exchange::Exchange& exchange_;
  std::unique_ptr<upstream::Connection> connection_;
  Side client_;
  Side upstream_;
  event::Timer timer_;
  std::function<void()> done_;
  Milliseconds timeout_;
  uint64_t to_client_ = 0;
  uint64_t to_upstream_ = 0;
  bool flushing_ = false;
  Milliseconds flush_left_{0};
  bool over_ = false;
};

}  // namespace framewall::content
