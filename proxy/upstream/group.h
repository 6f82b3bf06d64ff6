// Group: the peers of an upstream and the policy that chooses among them. One a worker; with a
// `zone` the state of its peers is shared by all workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/model/upstream.h"
#include "proxy/upstream/balancer.h"
#include "proxy/upstream/peer.h"
#include "proxy/upstream/shared_state.h"

namespace framewall::upstream {

class PeerPool;

class Group {
 public:
  // A configured upstream. Both outlive the group.
  Group(const config::UpstreamConfig& config, const SharedGroup& shared);
  // The addresses of a name resolved for one request: equal weights, state of its own.
  Group(std::string name, const std::vector<SocketAddress>& addresses);
  ~Group();

  const std::string& name() const { return name_; }
  // Null for a group resolved at run time.
  const config::UpstreamConfig* config() const { return config_; }

  // Starts a selection: how often it may try is in `selection.tries`.
  void Begin(Selection& selection);
  // Chooses selection.current; null where no peer is usable. Every Next that gave a peer is
  // followed by one Release.
  Peer* Next(Selection& selection);

  enum class Outcome {
    kGood,
    kNext,  // it works, but its answer makes us ask another (403, 404)
    kFailed,
  };
  // True where this failure disabled the peer, which the error log should tell.
  bool Release(Selection& selection, Outcome outcome);

  // Idle connections; null without `keepalive`.
  PeerPool* pool() const { return pool_.get(); }
  void SetPool(std::unique_ptr<PeerPool> pool);
  const PeerSet& primary() const { return primary_; }
  const PeerSet& backup() const { return backup_; }

 private:
  class Guard;
  void Finish();
  Peer* PickFrom(Selection& selection, int64_t now);

  std::string name_;
  const config::UpstreamConfig* config_ = nullptr;
  SharedLock* lock_ = nullptr;
  std::vector<PeerState> own_states_;
  PeerSet primary_;
  PeerSet backup_;
  std::unique_ptr<Balancer> balancer_;
  std::unique_ptr<PeerPool> pool_;
};

}  // namespace framewall::upstream
