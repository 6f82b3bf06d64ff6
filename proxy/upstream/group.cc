#include "proxy/upstream/group.h"

#include <chrono>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/upstream/passive_health.h"
#include "proxy/upstream/peer_pool.h"

namespace framewall::upstream {

// Holds the zone's lock, where there is one.
class Group::Guard {
 public:
  explicit Guard(SharedLock* lock) : lock_(lock) {
    if (lock_ != nullptr) lock_->Lock();
  }
  ~Guard() {
    if (lock_ != nullptr) lock_->Unlock();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  SharedLock* lock_;
};

Group::Group(const config::UpstreamConfig& config, const SharedGroup& shared)
    : name_(config.name), config_(&config), lock_(shared.lock) {
  size_t count = 0;
  for (const config::UpstreamServer& server : config.servers) count += server.addresses.size();
  if (shared.states == nullptr) own_states_.resize(count);

  size_t index = 0;
  for (const config::UpstreamServer& server : config.servers) {
    for (const SocketAddress& address : server.addresses) {
      Peer peer;
      peer.address = address;
      peer.name = address.ToText();
      peer.server = server.name;
      peer.weight = server.weight;
      peer.max_connections = server.max_conns;
      peer.max_fails = server.max_fails;
      peer.fail_timeout =
          std::chrono::duration_cast<std::chrono::seconds>(server.fail_timeout).count();
      peer.down = server.down;
      peer.state = shared.states != nullptr ? shared.states + index : &own_states_[index];
      if (shared.states == nullptr) peer.state->effective_weight = server.weight;
      if (shared.counters != nullptr) peer.counters = shared.counters + index;
      ++index;
      (server.backup ? backup_ : primary_).peers.push_back(std::move(peer));
    }
  }
  Finish();
  balancer_ = MakeBalancer(config.balancer, primary_);
}

Group::Group(std::string name, const std::vector<SocketAddress>& addresses)
    : name_(std::move(name)), own_states_(addresses.size()) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    Peer peer;
    peer.address = addresses[i];
    peer.name = addresses[i].ToText();
    peer.server = name_;
    peer.state = &own_states_[i];
    peer.state->effective_weight = 1;
    primary_.peers.push_back(std::move(peer));
  }
  Finish();
  balancer_ = MakeBalancer(config::BalancerKind::kRoundRobin, primary_);
}

Group::~Group() = default;

void Group::Finish() {
  for (PeerSet* set : {&primary_, &backup_}) {
    for (const Peer& peer : set->peers) {
      set->total_weight += peer.weight;
      if (!peer.down) ++set->tries;
    }
  }
  primary_.single = primary_.peers.size() == 1 && backup_.peers.empty();
}

void Group::SetPool(std::unique_ptr<PeerPool> pool) { pool_ = std::move(pool); }

void Group::Begin(Selection& selection) {
  selection.set = &primary_;
  selection.current = nullptr;
  selection.tries = primary_.tries + backup_.tries;
}

Peer* Group::PickFrom(Selection& selection, int64_t now) {
  PeerSet& set = *selection.set;
  if (set.single) {
    // Its failures do not count: there is nobody to ask instead.
    Peer& only = set.peers.front();
    const bool full = only.max_connections != 0 && only.state->connections >= only.max_connections;
    return only.down || full ? nullptr : &only;
  }
  return set.peers.empty() ? nullptr : balancer_->Pick(selection, now);
}

Peer* Group::Next(Selection& selection) {
  const int64_t now = CachedNow().unix_seconds();
  const Guard guard(lock_);
  Peer* peer = PickFrom(selection, now);
  if (peer == nullptr && selection.set == &primary_ && !backup_.peers.empty()) {
    selection.set = &backup_;
    selection.ForgetTried();
    peer = PickFrom(selection, now);
  }
  selection.current = peer;
  if (peer != nullptr) ++peer->state->connections;
  return peer;
}

bool Group::Release(Selection& selection, Outcome outcome) {
  Peer* peer = std::exchange(selection.current, nullptr);
  if (peer == nullptr) return false;
  const Guard guard(lock_);
  --peer->state->connections;
  if (selection.set->single) {
    selection.tries = 0;
    return false;
  }
  if (selection.tries > 0) --selection.tries;
  if (outcome == Outcome::kFailed) return NoteFailure(*peer, CachedNow().unix_seconds());
  NoteSuccess(*peer);
  return false;
}

}  // namespace framewall::upstream
