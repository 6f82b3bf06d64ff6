// What proxy_pass keeps while its WebSocket lives: the peer that it holds, and the upstream's head
// for the access log. All else of the request is gone, for sockets are many and live long.
#pragma once

#include <memory>

#include "proxy/base/clock.h"
#include "proxy/content/handler.h"
#include "proxy/upstream/group.h"

namespace framewall::content {

// The peer that one try has chosen.
struct HeldPeer {
  upstream::Group& group;
  upstream::Selection& selection;  // Requires: its `current` was chosen by `group`
  SteadyTime started;              // the try
};

// The try is over: its time and the octets of `record` go to the peer's counters, and the group
// gets the peer back.
void GiveBack(exchange::Exchange& exchange, exchange::UpstreamRecord& record, HeldPeer peer,
              upstream::Group::Outcome outcome);

class SocketUpstream final : public ContentHandler {
 public:
  // `exchange` outlives it; its last upstream record is the handshake's. `head` is of its arena.
  // `own_group`: where `peer` is of addresses found for this request alone; else null.
  SocketUpstream(exchange::Exchange& exchange, std::unique_ptr<upstream::Group> own_group,
                 const HeldPeer& peer, const http::ResponseHead& head);
  ~SocketUpstream() override;

  void Start() override {}
  void OnSocketDone(uint64_t sent, uint64_t received) override;
  void Abandon() override { Stop(); }

 private:
  void Stop();

  exchange::Exchange& exchange_;
  const std::unique_ptr<upstream::Group> own_group_;
  upstream::Group& group_;
  upstream::Selection selection_;
  const SteadyTime started_;
  const http::ResponseHead head_;
  bool over_ = false;
};

}  // namespace framewall::content
