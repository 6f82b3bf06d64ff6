#include "proxy/upstream/shared_state.h"

#include <map>
#include <new>
#include <string>
#include <utility>

namespace framewall::upstream {
namespace {

size_t PeerCount(const config::UpstreamConfig& upstream) {
  size_t count = 0;
  for (const config::UpstreamServer& server : upstream.servers) count += server.addresses.size();
  return count;
}

// Hands out pieces of one mapping; with a null base it only measures.
class Layout {
 public:
  explicit Layout(char* base) : base_(base) {}

  template <class T>
  T* Take(size_t count) {
    offset_ = (offset_ + kAlignment - 1) / kAlignment * kAlignment;
    const size_t start = offset_;
    offset_ += sizeof(T) * count;
    if (base_ == nullptr) return nullptr;
    T* first = reinterpret_cast<T*>(base_ + start);
    for (size_t i = 0; i < count; ++i) new (first + i) T();
    return first;
  }
  size_t size() const { return offset_; }

 private:
  // A cache line: neighbours do not slow each other.
  static constexpr size_t kAlignment = 64;
  char* base_;
  size_t offset_ = 0;
};

std::vector<SharedGroup> Place(const config::Config& config, Layout& layout) {
  std::vector<SharedGroup> groups;
  for (const auto& upstream : config.http.upstreams) {
    SharedGroup group;
    const size_t count = PeerCount(*upstream);
    if (!upstream->zone_name.empty()) {
      group.lock = layout.Take<SharedLock>(1);
      group.states = layout.Take<PeerState>(count);
    }
    group.counters = layout.Take<PeerCounters>(count);
    groups.push_back(group);
  }
  return groups;
}

}  // namespace

Result<std::unique_ptr<SharedState>> SharedState::Make(const config::Config& config,
                                                       const SharedState* previous) {
  Layout measure(nullptr);
  Place(config, measure);
  std::unique_ptr<SharedState> state(new SharedState(config));
  FW_ASSIGN(state->memory_, SharedMemory::Map(measure.size() + 64));
  Layout layout(static_cast<char*>(state->memory_.data()));
  state->groups_ = Place(config, layout);

  for (size_t i = 0; i < state->groups_.size(); ++i) {
    if (state->groups_[i].states == nullptr) continue;
    PeerState* peer = state->groups_[i].states;
    for (const config::UpstreamServer& server : config.http.upstreams[i]->servers) {
      for (size_t j = 0; j < server.addresses.size(); ++j) {
        (peer++)->effective_weight = server.weight;
      }
    }
  }

  if (previous != nullptr) {
    std::map<std::pair<std::string, std::string>, const PeerCounters*> known;
    previous->ForEachPeer(
        [&](std::string_view upstream, std::string_view address, const PeerCounters& counters) {
          known[{std::string(upstream), std::string(address)}] = &counters;
        });
    state->ForEachPeer(
        [&](std::string_view upstream, std::string_view address, const PeerCounters& counters) {
          const auto old = known.find({std::string(upstream), std::string(address)});
          if (old == known.end()) return;
          // Ours, and nobody else's yet.
          auto& ours = const_cast<PeerCounters&>(counters);
          ours.requests = old->second->requests.load();
          ours.failures = old->second->failures.load();
          ours.response_ms = old->second->response_ms.load();
          ours.bytes_sent = old->second->bytes_sent.load();
          ours.bytes_received = old->second->bytes_received.load();
        });
  }
  return state;
}

void SharedState::ForEachPeer(const Visit& visit) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    const config::UpstreamConfig& upstream = *config_.http.upstreams[i];
    const PeerCounters* counters = groups_[i].counters;
    for (const config::UpstreamServer& server : upstream.servers) {
      for (const SocketAddress& address : server.addresses) {
        visit(upstream.name, address.ToText(), *counters++);
      }
    }
  }
}

}  // namespace framewall::upstream
