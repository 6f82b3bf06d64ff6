#include "proxy/content/tunnel.h"

#include <cerrno>
#include <utility>

#include "proxy/upstream/peer_pool.h"

namespace framewall::content {
namespace {

// How often a tunnel that has ended on both sides looks whether its last octets have left.
constexpr Milliseconds kFlushStep{20};

}  // namespace

Tunnel::Tunnel(event::EventLoop& loop, exchange::Exchange& exchange, event::Stream& client,
               std::unique_ptr<upstream::Connection> upstream, std::function<void()> done)
    : exchange_(exchange),
      connection_(std::move(upstream)),
      client_(*this, client),
      upstream_(*this, *connection_->stream),
      timer_(loop, [this] { OnTimer(); }),
      done_(std::move(done)),
      timeout_(exchange.settings().proxy.read_timeout) {}

Tunnel::~Tunnel() { Stop(); }

void Tunnel::Start(ByteView from_client, ByteView from_upstream) {
  exchange_.action = exchange::Action::kProxyingUpgraded;
  client_.stream.SetHandler(&client_);
  upstream_.stream.SetHandler(&upstream_);
  timer_.Set(timeout_);
  if (!from_upstream.empty()) OnBytes(upstream_, from_upstream);
  if (!from_client.empty()) OnBytes(client_, from_client);
}

void Tunnel::Stop() {
  over_ = true;
  timer_.Cancel();
  client_.pause.Release();
  upstream_.pause.Release();
  if (connection_ != nullptr) connection_->stream->Close();
}

void Tunnel::OnBytes(Side& from, ByteView bytes) {
  if (over_) return;
  Side& to = Other(from);
  (&to == &client_ ? to_client_ : to_upstream_) += bytes.size();
  to.stream.Write(bytes);
  if (to.stream.congested() && !from.pause.active()) from.pause = from.stream.PauseReading();
  if (!flushing_) timer_.Set(timeout_);
}

void Tunnel::OnDrained(Side& side) {
  if (over_) return;
  Other(side).pause.Release();
  if (!flushing_) timer_.Set(timeout_);
}

void Tunnel::OnEnd(Side& from) {
  if (over_) return;
  from.ended = true;
  Other(from).stream.ShutdownWrite();
  if (Other(from).ended) FinishWhenSent();
}

void Tunnel::FinishWhenSent() {
  if (!flushing_) {
    flushing_ = true;
    flush_left_ = exchange_.settings().core.send_timeout;
  }
  // Nothing was written in this callback that has not had its turn yet, but for the first look.
  const bool sent = client_.stream.pending_output() == 0 && upstream_.stream.pending_output() == 0;
  if (sent || flush_left_.count() <= 0) {
    Finish();
    return;
  }
  flush_left_ -= kFlushStep;
  timer_.Set(kFlushStep);
}

void Tunnel::OnTimer() {
  if (over_) return;
  if (flushing_) {
    FinishWhenSent();
    return;
  }
  exchange_.LogError(LogLevel::kError, "upstream timed out", ETIMEDOUT);
  Finish();
}

void Tunnel::Finish() {
  if (over_) return;
  Stop();
  const std::function<void()> done = std::move(done_);
  done();
}

}  // namespace framewall::content
