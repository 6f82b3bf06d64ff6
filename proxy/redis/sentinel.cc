// Sentinel: the master is whom the Sentinels name and whose ROLE agrees.
//
//   search: the Sentinels are asked one after the other; the first that names an address ends it.
//   When: at the first command, when the master's connection is lost or refused or it says
//   READONLY, for the breaker, and every sentinel_interval (more often while the master is not
//   there). Commands wait for the first search; later they fail at once while there is no master.
#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/parse.h"
#include "proxy/redis/router.h"

namespace framewall::redis {
namespace {

class SentinelRouter final : public Router {
 public:
  explicit SentinelRouter(const RouterContext& context)
      : Router(context),
        impatience_(context.settings.reconnect_min, context.settings.sentinel_interval),
        poll_timer_(context.loop, [this] { Search(); }) {
    const Settings& settings = context.settings;
    for (const Endpoint& server : settings.servers) {
      sentinels_.push_back(std::make_unique<Link>(context.loop, settings, context.counters, server,
                                                  Greeting{.user = settings.sentinel_user,
                                                           .password = settings.sentinel_password,
                                                           .tls = settings.sentinel_tls},
                                                  *this));
    }
  }

  Status Route(RequestPtr request) override {
    if (master_ != nullptr) return master_->Send(std::move(request));
    if (search_error_.has_value()) return *search_error_;
    waiting_.push_back(std::move(request));
    Search();
    return OkStatus();
  }

  void Probe(std::function<void(Status)> done) override {
    probe_ = std::move(done);
    Search();
  }

 private:
  void Search() {
    if (asked_ > 0) return;
    asked_ = 1;
    AskNext();
  }

  // The one that answered last stands first.
  void AskNext() {
    Link& sentinel = *sentinels_[asked_ - 1];
    Ask(sentinel, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", context_.settings.master_name},
        [this, &sentinel](Result<Reply> reply) { OnAddress(sentinel, std::move(reply)); });
  }

  void OnAddress(const Link& sentinel, Result<Reply> reply) {
    std::optional<Endpoint> address = ReadAddress(sentinel, reply);
    if (address.has_value()) {
      std::swap(sentinels_[asked_ - 1], sentinels_.front());
      asked_ = 0;
      search_error_.reset();
      UseMaster(std::move(*address));
    } else if (asked_ < sentinels_.size()) {
      ++asked_;
      AskNext();
      return;
    } else {
      asked_ = 0;
      search_error_ = Unavailable(reply.ok() ? "no Sentinel knows master \"" +
                                                   context_.settings.master_name + "\""
                                             : "no Sentinel answers; " + reply.error().message);
      if (master_ == nullptr) FailAll(waiting_, *search_error_);
    }
    AnswerProbe();
    PollLater();
  }

  static std::optional<Endpoint> ReadAddress(const Link& /*sentinel*/, const Result<Reply>& reply) {
    if (!reply.ok() || !reply->is_array() || reply->elements.size() != 2) return std::nullopt;
    const Reply& host = reply->elements[0];
    const auto port = ParseUnsigned(reply->elements[1].text);
    if (host.text.empty() || !port.has_value() || *port == 0 || *port > 65535) return std::nullopt;
    Endpoint endpoint;
    endpoint.host = host.text;
    endpoint.port = static_cast<uint16_t>(*port);
    return endpoint;
  }

  void UseMaster(Endpoint address) {
    if (master_ == nullptr || !(master_->endpoint() == address)) {
      std::unique_ptr<Link> old = std::move(master_);
      Greeting greeting = MakeGreeting();
      greeting.must_be_master = true;
      master_ = std::make_unique<Link>(context_.loop, context_.settings, context_.counters,
                                       std::move(address), std::move(greeting), *this);
      if (old != nullptr) {
        ++context_.counters.master_changes;
        MainLog().Write(
            LogLevel::kNotice,
            fmt::format("redis \"{}\": the master is now {}, was {}", context_.settings.name,
                        master_->endpoint().ToText(), old->endpoint().ToText()));
        old->Abandon("it is not the master any more");
        context_.loop.Retire(std::move(old));
      }
    }
    std::deque<RequestPtr> waiting;
    waiting.swap(waiting_);
    for (RequestPtr& request : waiting) {
      if (!request->over()) RouteAgain(std::move(request));
    }
  }

  void AnswerProbe() {
    if (!probe_) return;
    const std::function<void(Status)> done = std::exchange(probe_, nullptr);
    if (master_ == nullptr) {
      done(*search_error_);
      return;
    }
    Ask(*master_, {"PING"},
        [done](Result<Reply> reply) { done(reply.ok() ? OkStatus() : Status(reply.error())); });
  }

  bool well() const { return master_ != nullptr && master_->ready(); }

  void PollLater() {
    if (well()) impatience_.Reset();
    poll_timer_.Set(well() ? context_.settings.sentinel_interval : impatience_.Next());
  }

  void OnDown(Link& link, const Error& /*error*/) override {
    if (&link != master_.get()) return;
    // At once where all was well till now, else in growing steps.
    if (poll_timer_.active()) poll_timer_.Set(impatience_.Next());
  }

  void OnUnanswered(Link& link, RequestPtr request, bool was_sent, const Error& error) override {
    if (!was_sent && !request->internal && CountDetour(*request)) {
      RouteAfterPause(std::move(request));
    } else {
      Router::OnUnanswered(link, std::move(request), was_sent, error);
    }
  }

  bool TakeError(Link& /*link*/, const RequestPtr& request, const Reply& reply) override {
    const std::string_view code = reply.error_code();
    // It was demoted, or is about to be.
    if (code != "READONLY" && code != "LOADING" && code != "MASTERDOWN") return false;
    if (!CountDetour(*request)) return false;
    Search();
    RouteAfterPause(request);
    return true;
  }

  std::vector<std::unique_ptr<Link>> sentinels_;
  size_t asked_ = 0;  // Sentinels asked in the search under way; 0: none is
  std::optional<Error> search_error_;
  std::unique_ptr<Link> master_;
  std::deque<RequestPtr> waiting_;  // for the first search
  std::function<void(Status)> probe_;
  BackOff impatience_;
  event::Timer poll_timer_;
};

}  // namespace

std::unique_ptr<Router> MakeSentinelRouter(const RouterContext& context) {
  return std::make_unique<SentinelRouter>(context);
}

}  // namespace framewall::redis
