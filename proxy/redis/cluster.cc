// Cluster: every key's slot has a master; which one is learned from CLUSTER SLOTS and corrected by
// MOVED.
//
//   The topology is asked for at the first command, after MOVED, CLUSTERDOWN and every connection
//   that failed, for the breaker; never more often than topology_min_interval. Nodes are asked one
//   after the other, those that are connected first, until one answers. Commands wait for the
//   first answer; later a slot without a reachable master fails at once.
//   ASK is followed for its command alone. What a node refused to run for now (TRYAGAIN,
//   CLUSTERDOWN, LOADING, MASTERDOWN) is tried again after a pause, a few times within its
//   deadline.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/base/digest.h"
#include "proxy/redis/key_slot.h"
#include "proxy/redis/router.h"
#include "proxy/redis/topology.h"

namespace framewall::redis {
namespace {

class ClusterRouter final : public Router {
 public:
  explicit ClusterRouter(const RouterContext& context)
      : Router(context),
        slots_(kSlotCount, nullptr),
        impatience_(context.settings.topology_min_interval, context.settings.reconnect_max),
        refresh_timer_(context.loop, [this] { Refresh(); }) {
    uint32_t seed = 0;
    FillRandom(reinterpret_cast<char*>(&seed), sizeof seed);
    random_.seed(seed);
  }

  Status Route(RequestPtr request) override {
    request->asking = false;
    if (!known_) {
      if (refresh_error_.has_value()) return *refresh_error_;
      waiting_.push_back(std::move(request));
      RefreshSoon();
      return OkStatus();
    }
    FW_CHECK(request->slot >= 0 && request->slot < kSlotCount);
    Link* link = slots_[static_cast<size_t>(request->slot)];
    if (link == nullptr) {
      RefreshSoon();
      return Unavailable("no node serves slot " + std::to_string(request->slot));
    }
    Status status = link->Send(std::move(request));
    if (link->down()) RefreshSoon();
    return status;
  }

  void Probe(std::function<void(Status)> done) override {
    probe_ = std::move(done);
    Refresh();
  }

 private:
  // --- nodes ---

  Link& NodeAt(const Endpoint& endpoint) {
    std::unique_ptr<Link>& node = nodes_[endpoint.ToText()];
    if (node == nullptr) {
      node = std::make_unique<Link>(context_.loop, context_.settings, context_.counters, endpoint,
                                    MakeGreeting(), *this);
    }
    return *node;
  }

  Link& NodeAt(const std::string& host, uint16_t port, const Link& asked) {
    Endpoint endpoint;
    endpoint.host = host.empty() ? asked.endpoint().host : host;
    endpoint.port = port;
    // A seed keeps the addresses it came with.
    for (const Endpoint& seed : context_.settings.servers) {
      if (seed == endpoint) return NodeAt(seed);
    }
    return NodeAt(endpoint);
  }

  // --- the topology ---

  void RefreshSoon() {
    if (!candidates_.empty() || refresh_timer_.active()) return;
    const auto left = refresh_allowed_ - CachedNow().steady;
    if (left <= left.zero()) {
      Refresh();
    } else {
      refresh_timer_.Set(std::chrono::ceil<std::chrono::milliseconds>(left));
    }
  }

  void Refresh() {
    if (!candidates_.empty()) return;
    refresh_timer_.Cancel();
    refresh_allowed_ = CachedNow().steady + context_.settings.topology_min_interval;
    for (const Endpoint& seed : context_.settings.servers) NodeAt(seed);
    for (const auto& [name, node] : nodes_) candidates_.push_back(node.get());
    std::shuffle(candidates_.begin(), candidates_.end(), random_);
    // Asked from the end: the connected, then those of whom nothing is known.
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Link* a, const Link* b) { return Likelihood(*a) < Likelihood(*b); });
    AskNext();
  }

  static int Likelihood(const Link& link) { return link.ready() ? 2 : link.down() ? 0 : 1; }

  void AskNext() {
    Link& node = *candidates_.back();
    Ask(node, {"CLUSTER", "SLOTS"},
        [this, &node](Result<Reply> reply) { OnTopology(node, std::move(reply)); });
  }

  void OnTopology(const Link& node, Result<Reply> reply) {
    auto ranges = reply.ok() ? ParseClusterSlots(*reply) : reply.error();
    if (ranges.ok()) {
      candidates_.clear();
      ++context_.counters.topology_refreshes;
      refresh_error_.reset();
      known_ = true;
      impatience_.Reset();
      Apply(*ranges, node);
      std::deque<RequestPtr> waiting;
      waiting.swap(waiting_);
      for (RequestPtr& request : waiting) {
        if (!request->over()) RouteAgain(std::move(request));
      }
      AnswerProbe(OkStatus());
      return;
    }
    candidates_.pop_back();
    if (!candidates_.empty()) {
      AskNext();
      return;
    }
    refresh_error_ = Unavailable("no node tells the topology; " + ranges.error().message);
    refresh_timer_.Set(impatience_.Next());
    FailAll(waiting_, *refresh_error_);
    AnswerProbe(*refresh_error_);
  }

  void AnswerProbe(const Status& status) {
    if (probe_) std::exchange(probe_, nullptr)(status);
  }

  void Apply(const std::vector<SlotRange>& ranges, const Link& asked) {
    std::fill(slots_.begin(), slots_.end(), nullptr);
    std::vector<const Link*> used;
    for (const SlotRange& range : ranges) {
      Link* node = &NodeAt(range.host, range.port, asked);
      std::fill(slots_.begin() + range.first, slots_.begin() + range.last + 1, node);
      used.push_back(node);
    }
    // The others go, unless their answers are still awaited.
    std::sort(used.begin(), used.end());
    for (auto node = nodes_.begin(); node != nodes_.end();) {
      Link& link = *node->second;
      const bool is_used = std::binary_search(used.begin(), used.end(), &link);
      if (is_used || (!link.idle() && !link.down())) {
        ++node;
        continue;
      }
      std::unique_ptr<Link> leaving = std::move(node->second);
      node = nodes_.erase(node);
      leaving->Abandon("it is no master of the Cluster any more");
      context_.loop.Retire(std::move(leaving));
    }
  }

  // --- what nodes say ---

  bool TakeError(Link& link, const RequestPtr& request, const Reply& reply) override {
    const std::string_view code = reply.error_code();
    if (code == "MOVED" || code == "ASK") {
      const auto redirection = ParseRedirection(reply.text);
      if (!redirection.has_value() || !CountDetour(*request)) return false;
      Follow(*redirection, link, request);
      return true;
    }
    if (code != "TRYAGAIN" && code != "CLUSTERDOWN" && code != "LOADING" && code != "MASTERDOWN") {
      return false;
    }
    RefreshSoon();
    if (!CountDetour(*request)) return false;
    RouteAfterPause(request);
    return true;
  }

  void Follow(const Redirection& to, const Link& from, const RequestPtr& request) {
    Link& node = NodeAt(to.host, to.port, from);
    if (to.is_ask) {
      ++context_.counters.asked;
    } else {
      ++context_.counters.moved;
      slots_[static_cast<size_t>(to.slot)] = &node;
    }
    request->asking = to.is_ask;
    if (!node.Send(request).ok()) RouteAfterPause(request);
    if (!to.is_ask) RefreshSoon();
  }

  void OnDown(Link& /*link*/, const Error& /*error*/) override {
    if (known_) RefreshSoon();
  }

  void OnUnanswered(Link& link, RequestPtr request, bool was_sent, const Error& error) override {
    if (!was_sent && !request->internal && CountDetour(*request)) {
      RouteAfterPause(std::move(request));
    } else {
      Router::OnUnanswered(link, std::move(request), was_sent, error);
    }
  }

  std::map<std::string, std::unique_ptr<Link>> nodes_;  // by Endpoint::ToText
  std::vector<Link*> slots_;                            // null: nobody serves it
  bool known_ = false;
  std::deque<RequestPtr> waiting_;  // for the first topology

  std::vector<Link*> candidates_;  // of the refresh under way, asked from the end; empty: none is
  std::optional<Error> refresh_error_;
  SteadyTime refresh_allowed_{};
  std::function<void(Status)> probe_;
  std::minstd_rand random_;
  BackOff impatience_;
  event::Timer refresh_timer_;
};

}  // namespace

std::unique_ptr<Router> MakeClusterRouter(const RouterContext& context) {
  return std::make_unique<ClusterRouter>(context);
}

}  // namespace framewall::redis
