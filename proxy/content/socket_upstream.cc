#include "proxy/content/socket_upstream.h"

#include <utility>

namespace framewall::content {

using upstream::Group;

void GiveBack(exchange::Exchange& exchange, exchange::UpstreamRecord& record, HeldPeer peer,
              Group::Outcome outcome) {
  const auto elapsed = CachedNow().steady - peer.started;
  record.response_ms = std::chrono::duration_cast<Milliseconds>(elapsed).count();
  if (upstream::PeerCounters* counters = peer.selection.current->counters) {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    if (outcome == Group::Outcome::kFailed) counters->failures.fetch_add(1, kRelaxed);
    counters->response_ms.fetch_add(static_cast<uint64_t>(record.response_ms), kRelaxed);
    counters->bytes_sent.fetch_add(record.bytes_sent, kRelaxed);
    counters->bytes_received.fetch_add(record.bytes_received, kRelaxed);
  }
  if (peer.group.Release(peer.selection, outcome)) {
    exchange.LogError(LogLevel::kWarn, "upstream server temporarily disabled");
  }
}

// The copy of the head has no room for more fields.
SocketUpstream::SocketUpstream(exchange::Exchange& exchange, std::unique_ptr<Group> own_group,
                               const HeldPeer& peer, const http::ResponseHead& head)
    : exchange_(exchange),
      own_group_(std::move(own_group)),
      group_(peer.group),
      selection_(std::move(peer.selection)),
      started_(peer.started),
      head_(head) {
  exchange_.upstream_head = &head_;
}

SocketUpstream::~SocketUpstream() {
  // The exchange may be another request's by now: nothing is recorded any more.
  if (!std::exchange(over_, true)) group_.Release(selection_, Group::Outcome::kGood);
  if (exchange_.upstream_head == &head_) exchange_.upstream_head = nullptr;
}

void SocketUpstream::OnSocketDone(uint64_t sent, uint64_t received) {
  if (over_) return;
  Stop();
  exchange::UpstreamRecord& record = exchange_.upstream.back();
  record.bytes_sent += sent;
  record.bytes_received += received;
  record.response_length += received;
}

void SocketUpstream::Stop() {
  if (std::exchange(over_, true)) return;
  GiveBack(exchange_, exchange_.upstream.back(), {group_, selection_, started_},
           Group::Outcome::kGood);
}

}  // namespace framewall::content
