#include "proxy/upstream/peer_pool.h"

#include <algorithm>
#include <utility>

namespace framewall::upstream {

void CloseConnection(event::EventLoop& loop, std::unique_ptr<Connection> connection) {
  if (connection == nullptr) return;
  connection->SetOwner(nullptr);
  connection->timer.Cancel();
  connection->stream->Close();
  loop.Retire(std::move(connection));
}

std::unique_ptr<event::Stream> TakeStream(event::EventLoop& loop,
                                          std::unique_ptr<Connection> connection) {
  connection->SetOwner(nullptr);
  connection->timer.Cancel();
  std::unique_ptr<event::Stream> stream = std::move(connection->stream);
  stream->SetHandler(nullptr);
  loop.Retire(std::move(connection));
  return stream;
}

PeerPool::PeerPool(event::EventLoop& loop, const config::UpstreamConfig& config)
    : loop_(loop), config_(config) {}

PeerPool::~PeerPool() = default;

std::unique_ptr<Connection> PeerPool::Take(const Connection::Identity& identity) {
  for (size_t i = idle_.size(); i-- > 0;) {
    if (!(idle_[i]->identity == identity)) continue;
    std::unique_ptr<Connection> connection = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    return connection;
  }
  return nullptr;
}

void PeerPool::Give(std::unique_ptr<Connection> connection) {
  const bool worn_out = connection->requests >= config_.keepalive_requests ||
                        CachedNow().steady - connection->created > config_.keepalive_time;
  if (shut_ || worn_out || connection->stream->closed() ||
      connection->stream->pending_output() > 0) {
    CloseConnection(loop_, std::move(connection));
    return;
  }
  if (idle_.size() >= config_.keepalive) {
    std::unique_ptr<Connection> oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
    CloseConnection(loop_, std::move(oldest));
  }
  connection->SetOwner(this);
  connection->timer.Set(config_.keepalive_timeout);
  idle_.push_back(std::move(connection));
}

void PeerPool::Shut() {
  shut_ = true;
  for (std::unique_ptr<Connection>& connection : idle_) {
    CloseConnection(loop_, std::move(connection));
  }
  idle_.clear();
}

void PeerPool::OnBytes(Connection& connection, ByteView) { Drop(connection); }

void PeerPool::Drop(Connection& connection) {
  const auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const auto& idle) { return idle.get() == &connection; });
  if (found == idle_.end()) return;
  std::unique_ptr<Connection> gone = std::move(*found);
  idle_.erase(found);
  CloseConnection(loop_, std::move(gone));
}

}  // namespace framewall::upstream
