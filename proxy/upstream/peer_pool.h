// Idle connections of a group (`keepalive N`): the most recently used is taken first, the least
// recently used goes when there are too many. An idle connection is watched, so one that the peer
// closes, or that says something unasked, is gone before anybody could take it.
#pragma once

#include <memory>
#include <vector>

#include "proxy/config/model/upstream.h"
#include "proxy/event/loop.h"
#include "proxy/upstream/connection.h"

namespace framewall::upstream {

class PeerPool final : public Connection::Owner {
 public:
  // Both outlive the pool.
  PeerPool(event::EventLoop& loop, const config::UpstreamConfig& config);
  ~PeerPool() override;

  // Null where there is none.
  std::unique_ptr<Connection> Take(const Connection::Identity& identity);
  // Keeps it, or closes it where it is too old or was used too often.
  void Give(std::unique_ptr<Connection> connection);
  // Closes all, and from now on keeps none: the worker is about to end.
  void Shut();
  size_t idle_count() const { return idle_.size(); }

 private:
  void OnBytes(Connection& connection, ByteView bytes) override;
  void OnEnd(Connection& connection) override { Drop(connection); }
  void OnBroken(Connection& connection, const Error&) override { Drop(connection); }
  void OnTimer(Connection& connection) override { Drop(connection); }
  void Drop(Connection& connection);

  event::EventLoop& loop_;
  const config::UpstreamConfig& config_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the last was used last
  bool shut_ = false;
};

// Closes at once and frees at the end of the turn, for it may be its own callback that runs.
void CloseConnection(event::EventLoop& loop, std::unique_ptr<Connection> connection);
// The stream alone, without a handler; what else the connection was is freed at the end of the
// turn.
std::unique_ptr<event::Stream> TakeStream(event::EventLoop& loop,
                                          std::unique_ptr<Connection> connection);

}  // namespace framewall::upstream
