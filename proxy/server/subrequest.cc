// Running ─► concluded (the driver is done, refused, or has said enough) ─► delivered, at the end
// of a turn. Cancelled at any time: then nothing is delivered, and what is left goes at the end of
// the turn, as the handle may be destroyed from inside any callback.
#include "proxy/server/subrequest.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/server/exchange_driver.h"

namespace framewall::server {
namespace {

using exchange::Exchange;
using exchange::SubrequestAnswer;
using exchange::SubrequestCallback;
using exchange::SubrequestOptions;

class SubrequestEvents {
 public:
  virtual ~SubrequestEvents() = default;
  virtual void OnHeadTaken() = 0;
  virtual void OnBodyTooLarge() = 0;
};

// The "wire": the head stays in the exchange, the body is collected up to a limit.
class TakingCodec final : public http::ServerCodec {
 public:
  TakingCodec(SubrequestEvents& events, size_t body_limit)
      : events_(events), body_limit_(body_limit) {}

  size_t Receive(ByteView) override { return 0; }
  bool in_head() const override { return false; }
  void BeginNext() override {}
  void DiscardBody(http::StreamId) override {}
  void SendInterim(http::StreamId, const http::ResponseHead&) override {}
  void SendHead(http::StreamId, const http::ResponseHead& head,
                const http::ResponseOptions&) override {
    status_ = head.status;
    events_.OnHeadTaken();
  }
  void SendBody(http::StreamId, ByteView piece) override {
    if (is_full_) return;
    if (piece.size() > body_limit_ - body_.size()) {
      is_full_ = true;
      body_ = {};
      return events_.OnBodyTooLarge();
    }
    body_.append(piece);
  }
  void SendEnd(http::StreamId, const http::HeaderMap*) override {}
  void Abort(http::StreamId) override { is_broken_off_ = true; }
  bool keeps_alive() const override { return false; }
  uint64_t bytes_sent(http::StreamId) const override { return body_.size(); }
  uint64_t body_bytes_sent(http::StreamId) const override { return body_.size(); }
  uint64_t bytes_received(http::StreamId) const override { return 0; }

  int status() const { return status_; }
  const std::string& body() const { return body_; }
  bool is_full() const { return is_full_; }
  bool is_broken_off() const { return is_broken_off_; }

 private:
  SubrequestEvents& events_;
  const size_t body_limit_;
  int status_ = 0;
  std::string body_;
  bool is_full_ = false;
  bool is_broken_off_ = false;
};

class Run final : private ClientSide, private SubrequestEvents {
 public:
  Run(Services& services, Exchange& parent, const SubrequestOptions& options,
      SubrequestCallback callback)
      : services_(services),
        parent_(options.detached ? nullptr : &parent),
        head_only_(!options.body_limit.has_value()),
        callback_(std::move(callback)),
        connection_(parent.connection),
        exchange_(parent.config, parent.variables, connection_),
        codec_(*this, options.body_limit.value_or(0)),
        driver_(services, exchange_, *this) {
    if (options.detached) connection_.tls = nullptr;
    exchange_.BeginAsSubrequest(parent, options.uri, options.args);
    exchange_.header_only = head_only_;
  }

  void Start() {
    if (exchange_.subrequest_depth > exchange::kDeepestSubrequest) {
      return Conclude(
          fmt::format("subrequests deeper than {} are not made", exchange::kDeepestSubrequest));
    }
    has_begun_ = true;
    driver_.BeginSubrequest();
  }

  // Nobody is called any more.
  void Cancel() {
    callback_ = nullptr;
    if (!std::exchange(is_concluded_, true)) driver_.OnConnectionClosed();
  }

  event::EventLoop& loop() { return *services_.loop; }

 private:
  void Conclude(std::string failure) {
    if (std::exchange(is_concluded_, true)) return;
    failure_ = std::move(failure);
    if (failure_.empty()) KeepUpstreamHead();
    AtEndOfTurn([this] { Deliver(); });
  }

  // The handler that owns it goes before the callback is called.
  void KeepUpstreamHead() {
    if (exchange_.upstream_head == nullptr) return;
    upstream_head_.emplace(&exchange_.arena);
    upstream_head_->status = exchange_.upstream_head->status;
    for (const http::Field& field : exchange_.upstream_head->fields) {
      upstream_head_->fields.AddView(exchange_.arena.Copy(field.name),
                                     exchange_.arena.Copy(field.value), field.id);
    }
    exchange_.upstream_head = &*upstream_head_;
    exchange_.upstream_trailers = nullptr;
  }

  void AtEndOfTurn(std::function<void()> task) {
    loop().Post([task = std::move(task), alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) task();
    });
  }

  void Deliver() {
    if (callback_ == nullptr) return;
    SubrequestAnswer answer;
    answer.failure = failure_;
    answer.status = codec_.status();
    answer.body = codec_.body();
    if (has_begun_) {
      answer.exchange = &exchange_;
      if (parent_ != nullptr) parent_->TakeVariablesOf(exchange_);
    }
    std::exchange(callback_, nullptr)(answer);
  }

  // What the driver is done with ends here: its log phase runs, its handler stops.
  void StopEarly(std::string failure) {
    if (is_concluded_) return;
    Conclude(std::move(failure));
    driver_.OnConnectionClosed();
  }

  // --- SubrequestEvents ---
  void OnHeadTaken() override {
    if (!head_only_) return;
    // A body that is there already is read to its end, so that the upstream's connection stays.
    AtEndOfTurn([this] { StopEarly({}); });
  }
  void OnBodyTooLarge() override {
    if (head_only_) return;
    AtEndOfTurn([this] { StopEarly("the response of the subrequest is too large"); });
  }

  // --- ClientSide ---
  http::ServerCodec& codec() override { return codec_; }
  http::StreamId stream_id() const override { return 1; }
  event::Stream* stream() override { return nullptr; }
  const route::AddressServers& servers() const override {
    FW_CHECK(!"a subrequest has its server from the beginning");
    std::abort();
  }
  void PauseBody(bool) override {}
  void AwaitBody(Milliseconds) override {}
  bool congested() const override { return codec_.is_full(); }
  void AwaitSend(Milliseconds) override {}
  void ExchangeDone() override {
    if (codec_.is_broken_off() && !head_only_) {
      return Conclude("the response of the subrequest was broken off");
    }
    if (codec_.is_full() && !head_only_) {
      return Conclude("the response of the subrequest is too large");
    }
    Conclude({});
  }
  void CloseNow(event::Stream::CloseKind) override {
    StopEarly("the subrequest was closed without a response");
  }
  event::Stream* TakeStreamForTunnel(std::string*) override { return nullptr; }

  Services& services_;
  Exchange* const parent_;  // null: detached
  const bool head_only_;
  SubrequestCallback callback_;
  exchange::ConnectionInfo connection_;
  Exchange exchange_;
  TakingCodec codec_;
  ExchangeDriver driver_;
  std::optional<http::ResponseHead> upstream_head_;
  std::string failure_;
  bool has_begun_ = false;
  bool is_concluded_ = false;
  // Tells posted tasks that all this is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class Handle final : public exchange::Subrequest {
 public:
  explicit Handle(std::unique_ptr<Run> run) : run_(std::move(run)) {}
  ~Handle() override {
    run_->Cancel();
    event::EventLoop& loop = run_->loop();
    loop.Retire(std::move(run_));
  }

 private:
  std::unique_ptr<Run> run_;
};

}  // namespace

std::unique_ptr<exchange::Subrequest> StartSubrequest(Services& services, Exchange& parent,
                                                      const SubrequestOptions& options,
                                                      SubrequestCallback callback) {
  auto run = std::make_unique<Run>(services, parent, options, std::move(callback));
  Run& started = *run;
  auto handle = std::make_unique<Handle>(std::move(run));
  started.Start();
  return handle;
}

std::unique_ptr<exchange::Subrequest> StartClientlessSubrequest(Services& services,
                                                                const config::ServerConfig& server,
                                                                const SubrequestOptions& options,
                                                                SubrequestCallback callback) {
  exchange::ConnectionInfo nobody;
  nobody.accepted = CachedNow().steady;
  Exchange parent(*services.config, *services.variables, nobody);
  parent.server = &server;
  parent.request.method_name = "GET";
  SubrequestOptions detached = options;
  detached.detached = true;
  return StartSubrequest(services, parent, detached, std::move(callback));
}

}  // namespace framewall::server
