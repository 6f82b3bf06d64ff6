#include "proxy/content/proxy_handler.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/text.h"
#include "proxy/content/proxy_plan.h"
#include "proxy/content/request_rewrite.h"
#include "proxy/content/response_rewrite.h"
#include "proxy/content/tunnel.h"
#include "proxy/event/resolver.h"
#include "proxy/event/timer.h"
#include "proxy/http/http1/client_codec.h"
#include "proxy/http/upgrade.h"
#include "proxy/upstream/attempt.h"
#include "proxy/upstream/group.h"
#include "proxy/upstream/retry_policy.h"

namespace framewall::content {
namespace {

using exchange::Action;
using exchange::Exchange;
using exchange::UpstreamRecord;
using http::BodyFraming;
using http::FieldId;
using upstream::Attempt;
using upstream::AttemptFailure;
using upstream::Group;

constexpr size_t kFilePiece = 32768;
// Pieces of a chunked request below this are collected for one chunk.
constexpr size_t kSmallPiece = 4096;

int64_t Elapsed(SteadyTime since) {
  return std::chrono::duration_cast<Milliseconds>(CachedNow().steady - since).count();
}

// How loud a failed connect is, as nginx has it.
LogLevel LevelOf(int system_errno) {
  switch (system_errno) {
    case 0:
    case ECONNREFUSED:
    case ECONNRESET:
    case ETIMEDOUT:
    case EAGAIN:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EPIPE:
    case ECONNABORTED:
      return LogLevel::kError;
    default:
      return LogLevel::kCrit;
  }
}

// From the first octet to the last:
//
//   Start ─ Prepare ─ (resolve) ─ Try ─► SendRequest ─► response head ─► body ─► done
//              │                   ▲ └── failed before the head: again, or 502/504
//              └ collects a body   └──── the status asks for the next server
//                of unknown length for an HTTP/1.0 upstream
//
// The response's pieces go to the driver as they come. A client that is slower than the upstream
// pauses it, so that memory is bounded with proxy_buffering on and off alike; the sizes of nginx's
// buffers and temporary files are accepted and have no meaning here.
class ProxyHandler final : public ContentHandler,
                           private upstream::AttemptEvents,
                           private event::Flushable {
 public:
  ProxyHandler(Exchange& exchange, upstream::Runtime& runtime)
      : exchange_(exchange),
        runtime_(runtime),
        location_(*exchange.location),
        settings_(exchange.settings().proxy),
        plan_(ProxyPlan::Of(exchange, runtime)),
        request_(&exchange.arena),
        head_(&exchange.arena),
        attempt_(runtime.loop(), *this) {}

  ~ProxyHandler() override {
    // The exchange may be another request's by now: nothing is recorded any more.
    if (!over_) {
      over_ = true;
      if (tunnel_ != nullptr) tunnel_->Stop();
      if (group_ != nullptr) group_->Release(selection_, Group::Outcome::kGood);
    }
    if (exchange_.upstream_head == &head_) exchange_.upstream_head = nullptr;
    if (trailers_ && exchange_.upstream_trailers == &*trailers_) {
      exchange_.upstream_trailers = nullptr;
    }
    if (flush_asked_) runtime_.loop().ForgetFlush(this);
    if (head_text_.capacity() > 0) runtime_.loop().GiveBuffer(std::move(head_text_));
  }

  void Start() override;
  void OnRequestBody(ByteView piece) override;
  void OnRequestEnd(const http::HeaderMap* trailers) override;
  void OnClientDrained() override;
  bool OnClientGone() override;
  void Abandon() override { Stop(); }

 private:
  enum class BodySource : uint8_t { kNone, kText, kCollected, kStreamed };

  // --- before the first try ---
  void Prepare();
  void ChooseBody();
  void ChooseGroup();
  void Resolve(std::string_view name, uint16_t port);
  void UseAddresses(std::vector<SocketAddress> addresses);
  void BeginWith(Group& group);

  // --- a try ---
  void Try();
  upstream::AttemptOptions MakeOptions(const upstream::Peer& peer);
  void SendRequest();
  void PumpBody();
  void RequestSent();
  void NextOrFinish(uint32_t condition, int status, Group::Outcome outcome);
  void EndTry(Group::Outcome outcome, Attempt::Keep keep);
  void Fail(int status);
  UpstreamRecord& record() { return exchange_.upstream.back(); }

  // --- the response ---
  bool InterceptError();
  bool FollowAccelRedirect();
  void PassHead(BodyFraming framing);
  void PassAsRateAllows();
  void FinishResponse();
  void Remember(ByteView piece);
  void SendChunk(ByteView piece);
  void AskFlush();
  void Flush() override;
  void BeginTunnel();
  void OnTunnelDone();
  void Stop();

  // upstream::AttemptEvents
  void OnAttemptConnected() override { exchange_.action = Action::kTlsHandshakeToUpstream; }
  void OnAttemptReady() override;
  void OnAttemptFailed(const AttemptFailure& failure) override;
  void OnAttemptInterim(const http::ResponseHead& head) override;
  void OnAttemptHead(BodyFraming framing) override;
  void OnAttemptBody(ByteView piece) override;
  void OnAttemptTrailers(const http::HeaderMap& trailers) override;
  void OnAttemptDone(bool extra) override;
  void OnAttemptDrained() override;

  Exchange& exchange_;
  upstream::Runtime& runtime_;
  // As it was when we began: a redirect moves the exchange elsewhere.
  const config::LocationConfig& location_;
  const config::ProxySettings& settings_;
  const ProxyPlan& plan_;
  ProxyDestination destination_;
  http::RequestHead request_;
  http::ResponseHead head_;
  RewrittenRequest rewritten_;
  http::RequestFraming framing_;
  std::string head_text_;

  std::unique_ptr<event::Resolver::Query> query_;
  std::unique_ptr<Group> own_group_;  // of addresses found for this request alone
  Group* group_ = nullptr;
  upstream::Selection selection_;
  const upstream::Peer* peer_ = nullptr;
  Attempt attempt_;
  SteadyTime first_started_{};
  SteadyTime try_started_{};

  BodySource body_ = BodySource::kNone;
  std::string_view body_text_;
  std::string piece_;  // of a body that lies in a file
  std::string chunk_frame_;
  std::string small_pieces_;
  bool flush_asked_ = false;
  uint64_t body_offset_ = 0;  // of a collected body: what was sent
  bool collecting_ = false;   // for an HTTP/1.0 upstream
  bool sending_ = false;      // the request is on its way and not whole
  bool body_taken_ = false;   // a streamed piece is gone: no second try
  bool body_ended_ = false;
  bool forgotten_ = false;         // a streamed body was too long to be remembered
  bool keeps_connection_ = false;  // what we sent does not ask to close
  bool head_passed_ = false;
  bool over_ = false;  // the driver must not be called any more
  // proxy_limit_rate; 0: none
  uint64_t rate_ = 0;
  uint64_t passed_ = 0;
  std::string held_;  // read, and not yet allowed to pass
  SteadyTime body_started_{};
  std::unique_ptr<event::Timer> rate_timer_;
  bool response_whole_ = false;
  std::optional<http::HeaderMap> trailers_;
  std::unique_ptr<Tunnel> tunnel_;
  uint64_t tunnel_early_ = 0;  // octets that came with the 101, counted as the attempt's already
};

// --- before the first try -----------------------------------------------------------------------

void ProxyHandler::Start() {
  auto destination = FindDestination(exchange_, plan_);
  if (!destination.ok()) {
    exchange_.LogError(LogLevel::kError, destination.error().message);
    Fail(500);
    return;
  }
  destination_ = *destination;

  const bool streamed = settings_.pass_request_body && !settings_.set_body &&
                        exchange_.framing.kind != BodyFraming::Kind::kNone &&
                        !exchange_.body_collected && !exchange_.body_discarded;
  if (streamed && exchange_.framing.kind == BodyFraming::Kind::kChunked && !settings_.http11) {
    // HTTP/1.0 must be told the length first.
    const config::CoreSettings& core = exchange_.settings().core;
    exchange_.body.Configure(core.client_body_buffer_size, core.client_body_temp_path, false,
                             false);
    collecting_ = true;
    exchange_.driver->WantRequestBody(true);
    return;
  }
  Prepare();
}

void ProxyHandler::Prepare() {
  ChooseBody();
  rewritten_ = RewriteRequest(exchange_, plan_, destination_, request_);
  if (request_.target.empty()) {
    exchange_.LogError(LogLevel::kError, "zero length URI to proxy");
    Fail(500);
    return;
  }
  head_text_ = runtime_.loop().TakeBuffer();
  const std::string_view* connection = rewritten_.connection ? &*rewritten_.connection : nullptr;
  http::Http1ClientCodec::WriteRequestHead(request_, framing_, connection, head_text_);
  keeps_connection_ = connection != nullptr && !ListContainsToken(*connection, "close");
  ChooseGroup();
}

void ProxyHandler::ChooseBody() {
  const BodyFraming::Kind kind = exchange_.framing.kind;
  if (settings_.set_body) {
    body_ = BodySource::kText;
    body_text_ = exchange_.Expand(*settings_.set_body);
    framing_.body = {BodyFraming::Kind::kLength, body_text_.size()};
  } else if (!settings_.pass_request_body || kind == BodyFraming::Kind::kNone) {
    body_ = BodySource::kNone;
  } else if (exchange_.body_collected || exchange_.body_discarded) {
    body_ = exchange_.body.empty() ? BodySource::kNone : BodySource::kCollected;
    framing_.body = {BodyFraming::Kind::kLength, exchange_.body.size()};
  } else {
    body_ = BodySource::kStreamed;
    framing_.body = exchange_.framing;
  }
}

void ProxyHandler::ChooseGroup() {
  if (destination_.secure && runtime_.TlsFor(location_) == nullptr) {
    exchange_.LogError(LogLevel::kAlert, "no TLS context for this proxy_pass");
    return Fail(500);
  }
  if (destination_.upstream != nullptr) return BeginWith(runtime_.GroupOf(*destination_.upstream));
  if (!destination_.unix_path.empty()) {
    auto address = SocketAddress::FromUnixPath(destination_.unix_path);
    if (!address.ok()) {
      exchange_.LogError(LogLevel::kError, address.error().message);
      return Fail(500);
    }
    return UseAddresses({*address});
  }
  const uint16_t scheme_port = destination_.secure ? 443 : 80;
  if (Group* group = runtime_.FindGroup(destination_.host, destination_.port, scheme_port)) {
    return BeginWith(*group);
  }
  const uint16_t port = destination_.port != 0 ? destination_.port : scheme_port;
  if (const auto ip = IpAddress::Parse(destination_.host)) {
    return UseAddresses({SocketAddress::FromIp(*ip, port)});
  }
  Resolve(destination_.host, port);
}

void ProxyHandler::Resolve(std::string_view name, uint16_t port) {
  const config::CoreSettings& core = exchange_.settings().core;
  event::Resolver* resolver = runtime_.ResolverFor(core.resolver);
  if (resolver == nullptr) {
    exchange_.LogError(LogLevel::kError, "no resolver defined to resolve " + std::string(name));
    return Fail(502);
  }
  query_ = resolver->Resolve(
      name, core.resolver_timeout, [this, name, port](Result<std::vector<IpAddress>> answer) {
        if (over_) return;
        // It may be running right now.
        if (query_ != nullptr) runtime_.loop().Retire(std::move(query_));
        if (!answer.ok()) {
          exchange_.LogError(LogLevel::kError, std::string(name) + " could not be resolved (" +
                                                   answer.error().message + ")");
          return Fail(502);
        }
        std::vector<SocketAddress> addresses;
        for (const IpAddress& ip : *answer) addresses.push_back(SocketAddress::FromIp(ip, port));
        UseAddresses(std::move(addresses));
      });
}

void ProxyHandler::UseAddresses(std::vector<SocketAddress> addresses) {
  const std::string_view name = destination_.unix_path.empty() ? destination_.host : "localhost";
  own_group_ = std::make_unique<Group>(std::string(name), addresses);
  BeginWith(*own_group_);
}

void ProxyHandler::BeginWith(Group& group) {
  group_ = &group;
  if (group.config() != nullptr && !group.config()->hash_key.empty()) {
    selection_.key = exchange_.Expand(group.config()->hash_key);
  }
  selection_.client = exchange_.client_address.ip();
  group.Begin(selection_);
  const auto most = static_cast<int>(settings_.next_upstream_tries);
  if (most > 0 && selection_.tries > most) selection_.tries = most;
  first_started_ = CachedNow().steady;
  Try();
}

// --- a try --------------------------------------------------------------------------------------

void ProxyHandler::Try() {
  exchange_.action = Action::kConnectingToUpstream;
  const bool first = group_ != nullptr && peer_ == nullptr && exchange_.upstream.size() > 0;
  exchange_.upstream.emplace_back();
  record().internal_redirect = first;
  try_started_ = CachedNow().steady;
  peer_ = group_->Next(selection_);
  if (peer_ == nullptr) {
    record().address = group_->name();
    record().status = 502;
    record().response_ms = 0;
    exchange_.LogError(LogLevel::kError, "no live upstreams");
    return Fail(502);
  }
  record().address = peer_->name;
  if (peer_->counters != nullptr) {
    peer_->counters->requests.fetch_add(1, std::memory_order_relaxed);
  }

  const std::string_view scheme = destination_.secure ? "https://" : "http://";
  const std::string_view colon = peer_->address.is_unix() ? ":" : "";
  const size_t size = scheme.size() + peer_->name.size() + colon.size() + request_.target.size();
  char* url = exchange_.arena.AllocateChars(size);
  exchange_.upstream_url = {url, size};
  for (const std::string_view part :
       {scheme, std::string_view(peer_->name), colon, request_.target}) {
    url += part.copy(url, part.size());
  }

  if (attempt_.Begin(*peer_, group_->pool(), MakeOptions(*peer_)) == Attempt::Start::kReady) {
    OnAttemptReady();
  }
}

upstream::AttemptOptions ProxyHandler::MakeOptions(const upstream::Peer& peer) {
  upstream::AttemptOptions options;
  options.connect_timeout = settings_.connect_timeout;
  options.send_timeout = settings_.send_timeout;
  options.read_timeout = settings_.read_timeout;
  options.head_limit = settings_.buffer_size;
  options.connect.keepalive = settings_.socket_keepalive;
  if (!settings_.bind.empty()) {
    const std::string_view text = exchange_.Expand(settings_.bind);
    if (!text.empty() && text != "off") {
      if (const auto ip = IpAddress::Parse(text)) {
        options.connect.bind = SocketAddress::FromIp(*ip, 0);
      } else if (const auto address = SocketAddress::Parse(text)) {
        options.connect.bind = *address;
      } else {
        exchange_.LogError(LogLevel::kError, "invalid local address \"" + std::string(text) + "\"");
      }
      options.connect.transparent = settings_.bind_transparent;
      options.local = text;
    }
  }
  if (!destination_.secure) return options;

  const config::ProxyTlsSettings& tls = settings_.tls;
  options.tls.context = runtime_.TlsFor(location_);
  options.tls.name = tls.name.empty() ? std::string(exchange_.proxy_host)
                                      : std::string(exchange_.Expand(tls.name));
  if (options.tls.context == nullptr) return options;
  if (tls.session_reuse) {
    options.tls.session = runtime_.SessionFor(*options.tls.context, peer.name, options.tls.name);
  }
  if (!tls.certificate.empty() && !(tls.certificate.constant() && tls.certificate_key.constant())) {
    const auto path = [this](const config::Template& text) {
      const std::string_view value = exchange_.Expand(text);
      if (value.empty() || value.starts_with("data:")) return std::string(value);
      return exchange_.config.ConfPath(value);
    };
    options.tls.certificate = {path(tls.certificate), path(tls.certificate_key)};
  }
  return options;
}

void ProxyHandler::OnAttemptReady() {
  if (over_) return;
  record().connect_ms = Elapsed(try_started_);
  SendRequest();
}

void ProxyHandler::SendRequest() {
  exchange_.action = Action::kSendingRequestToUpstream;
  head_.Clear();
  attempt_.ExpectResponse(request_.method, &head_);
  sending_ = true;
  body_offset_ = 0;
  switch (body_) {
    case BodySource::kNone: {
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      return RequestSent();
    }
    case BodySource::kText: {
      const std::array<ByteView, 2> pieces = {head_text_, body_text_};
      attempt_.Send(pieces);
      return RequestSent();
    }
    case BodySource::kCollected: {
      if (!exchange_.body.in_file()) {
        const std::array<ByteView, 2> pieces = {head_text_, exchange_.body.memory()};
        attempt_.Send(pieces);
        return RequestSent();
      }
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      return PumpBody();
    }
    case BodySource::kStreamed: {
      // Before the stream asks for its own flush: a first small chunk then leaves with the head.
      AskFlush();
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      exchange_.driver->WantRequestBody(true);
      return;
    }
  }
}

// A body in a file, as much of it as the upstream takes.
void ProxyHandler::PumpBody() {
  while (sending_ && !attempt_.congested()) {
    piece_.resize(kFilePiece);
    const auto count = exchange_.body.ReadAt(body_offset_, piece_.data(), piece_.size());
    if (!count.ok()) {
      exchange_.LogError(LogLevel::kCrit, count.error().message, count.error().system_errno);
      EndTry(Group::Outcome::kGood, Attempt::Keep::kNo);
      return Fail(500);
    }
    body_offset_ += *count;
    const ByteView piece(piece_.data(), *count);
    if (*count > 0) attempt_.Send({&piece, 1});
    if (*count == 0 || body_offset_ >= exchange_.body.size()) return RequestSent();
  }
}

void ProxyHandler::RequestSent() {
  sending_ = false;
  exchange_.action = Action::kReadingResponseHeader;
  attempt_.RequestSent();
}

void ProxyHandler::OnRequestBody(ByteView piece) {
  if (over_) return;
  if (collecting_) {
    if (const Status stored = exchange_.body.Append(piece); !stored.ok()) {
      exchange_.LogError(LogLevel::kCrit, stored.error().message);
      Fail(500);
    }
    return;
  }
  if (!sending_ || body_ != BodySource::kStreamed) return;
  Remember(piece);
  if (framing_.body.kind != BodyFraming::Kind::kChunked) {
    attempt_.Send({&piece, 1});
  } else if (piece.size() >= kSmallPiece) {
    if (!small_pieces_.empty()) SendChunk(std::exchange(small_pieces_, {}));
    SendChunk(piece);
  } else {
    // Small pieces of one read leave as one chunk, when the callback returns.
    small_pieces_.append(piece);
    AskFlush();
  }
  if (attempt_.congested()) exchange_.driver->WantRequestBody(false);
}

void ProxyHandler::SendChunk(ByteView piece) {
  chunk_frame_.clear();
  http::Http1ClientCodec::WriteBodyPrefix(framing_, piece.size(), chunk_frame_);
  const size_t prefix = chunk_frame_.size();
  http::Http1ClientCodec::WriteBodySuffix(framing_, chunk_frame_);
  const ByteView frame = chunk_frame_;
  const std::array<ByteView, 3> pieces = {frame.substr(0, prefix), piece, frame.substr(prefix)};
  attempt_.Send(pieces);
}

void ProxyHandler::AskFlush() {
  if (std::exchange(flush_asked_, true)) return;
  runtime_.loop().RequestFlush(this);
}

void ProxyHandler::Flush() {
  flush_asked_ = false;
  if (!over_ && sending_ && !small_pieces_.empty()) SendChunk(small_pieces_);
  small_pieces_.clear();
}

// A short streamed body is kept for $request_body and for another location (error_page).
void ProxyHandler::Remember(ByteView piece) {
  if (forgotten_) return;
  const config::CoreSettings& core = exchange_.settings().core;
  if (exchange_.body.size() + piece.size() > core.client_body_buffer_size) {
    forgotten_ = true;
    exchange_.body.Clear();
    return;
  }
  if (exchange_.body.empty()) {
    exchange_.body.Configure(core.client_body_buffer_size, core.client_body_temp_path, false,
                             false);
  }
  if (!exchange_.body.Append(piece).ok()) forgotten_ = true;
}

void ProxyHandler::OnRequestEnd(const http::HeaderMap*) {
  // Trailers of the request end here: nobody has inspected what would become fields.
  if (over_) return;
  body_ended_ = true;
  if (collecting_) {
    collecting_ = false;
    exchange_.body_collected = true;
    return Prepare();
  }
  if (!sending_ || body_ != BodySource::kStreamed) return;
  if (!small_pieces_.empty()) SendChunk(std::exchange(small_pieces_, {}));
  chunk_frame_.clear();
  http::Http1ClientCodec::WriteEnd(framing_, chunk_frame_);
  const ByteView end = chunk_frame_;
  if (!end.empty()) attempt_.Send({&end, 1});
  exchange_.body_collected = !forgotten_;
  RequestSent();
}

void ProxyHandler::OnAttemptDrained() {
  if (over_ || !sending_) return;
  if (body_ == BodySource::kStreamed) {
    exchange_.driver->WantRequestBody(true);
  } else {
    PumpBody();
  }
}

// Fills in the record and gives peer and connection back.
void ProxyHandler::EndTry(Group::Outcome outcome, Attempt::Keep keep) {
  sending_ = false;
  if (group_ == nullptr || selection_.current == nullptr) return;
  UpstreamRecord& done = record();
  done.response_ms = Elapsed(try_started_);
  done.bytes_sent = attempt_.bytes_sent();
  done.bytes_received = attempt_.bytes_received();
  if (upstream::PeerCounters* counters = selection_.current->counters) {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    if (outcome == Group::Outcome::kFailed) counters->failures.fetch_add(1, kRelaxed);
    counters->response_ms.fetch_add(static_cast<uint64_t>(done.response_ms), kRelaxed);
    counters->bytes_sent.fetch_add(done.bytes_sent, kRelaxed);
    counters->bytes_received.fetch_add(done.bytes_received, kRelaxed);
  }
  if (group_->Release(selection_, outcome)) {
    exchange_.LogError(LogLevel::kWarn, "upstream server temporarily disabled");
  }
  attempt_.Release(keeps_connection_ ? keep : Attempt::Keep::kNo);
}

// The try did not serve: another one where the policy allows it, else `status`.
void ProxyHandler::NextOrFinish(uint32_t condition, int status, Group::Outcome outcome) {
  const bool stale = attempt_.reused() && condition == config::kNextError;
  const bool begun = attempt_.request_begun();
  record().status = status;
  EndTry(outcome, Attempt::Keep::kNo);
  // An idle connection that had just been closed tells nothing of the peer's health.
  if (stale) ++selection_.tries;

  upstream::RetryQuestion question;
  question.condition = condition;
  question.tries_left = selection_.tries;
  question.method = exchange_.request.method;
  question.request_begun = begun;
  question.body_is_gone = body_ == BodySource::kStreamed;
  question.first_started = first_started_;
  if (!upstream::MayRetry(settings_, question)) return Fail(status);
  Try();
}

void ProxyHandler::Fail(int status) {
  if (over_) return;
  Stop();
  exchange_.driver->Finish(status);
}

void ProxyHandler::OnAttemptFailed(const AttemptFailure& failure) {
  if (over_) return;
  if (!failure.message.empty()) {
    exchange_.LogError(LevelOf(failure.system_errno), failure.message, failure.system_errno);
  }
  if (head_passed_) {
    // nginx counts a response that breaks off as no failure of the peer; metrics do.
    if (peer_->counters != nullptr) {
      peer_->counters->failures.fetch_add(1, std::memory_order_relaxed);
    }
    Stop();
    exchange_.driver->AbortResponse();
    return;
  }
  switch (failure.kind) {
    case AttemptFailure::Kind::kTimeout:
      return NextOrFinish(config::kNextTimeout, 504, Group::Outcome::kFailed);
    case AttemptFailure::Kind::kInvalidHeader:
      return NextOrFinish(config::kNextInvalidHeader, 502, Group::Outcome::kFailed);
    case AttemptFailure::Kind::kError:
      return NextOrFinish(config::kNextError, 502, Group::Outcome::kFailed);
    case AttemptFailure::Kind::kInternal:
      return Fail(500);
  }
}

// --- the response -------------------------------------------------------------------------------

void ProxyHandler::OnAttemptInterim(const http::ResponseHead& head) {
  if (over_ || head.status != 103) return;
  // Early Hints go on; 100 is ours to say, and the others mean nothing to a client.
  http::ResponseHead hints(&exchange_.arena);
  hints.status = head.status;
  for (const http::Field& field : head.fields) {
    if (field.id == FieldId::kLink) hints.fields.AddView(field.name, field.value, field.id);
  }
  if (!hints.fields.empty()) exchange_.driver->SendInterim(hints);
}

void ProxyHandler::OnAttemptHead(BodyFraming framing) {
  if (over_) return;
  exchange_.upstream_head = &head_;
  exchange_.upstream_trailers = nullptr;
  record().header_ms = Elapsed(try_started_);
  record().status = head_.status;
  if (head_.status == 101) return BeginTunnel();

  if (head_.status >= 300) {
    const uint32_t condition = upstream::ConditionOfStatus(head_.status);
    if (condition != 0 && selection_.tries > 1) {
      upstream::RetryQuestion question;
      question.condition = condition;
      question.tries_left = selection_.tries - 1;
      question.method = exchange_.request.method;
      question.request_begun = true;
      question.body_is_gone = body_ == BodySource::kStreamed;
      question.first_started = first_started_;
      if (upstream::MayRetry(settings_, question)) {
        const bool healthy = head_.status == 403 || head_.status == 404;
        return NextOrFinish(condition, head_.status,
                            healthy ? Group::Outcome::kNext : Group::Outcome::kFailed);
      }
    }
    if (InterceptError()) return;
  }
  const std::string_view rate = head_.fields.Get(FieldId::kXAccelLimitRate);
  if (!rate.empty() && (settings_.ignore_headers & config::kIgnoreAccelLimitRate) == 0) {
    exchange_.limit_rate = exchange_.arena.Copy(rate);
  }
  if (FollowAccelRedirect()) return;
  PassHead(framing);
}

bool ProxyHandler::InterceptError() {
  if (!settings_.intercept_errors) return false;
  bool has_page = false;
  for (const config::ErrorPage& page : exchange_.settings().core.error_pages) {
    for (const int status : page.statuses) has_page = has_page || status == head_.status;
  }
  if (!has_page) return false;
  if (head_.status == 401) {
    if (const http::Field* challenge = head_.fields.Find(FieldId::kWwwAuthenticate)) {
      exchange_.response.fields.AddView(challenge->name, challenge->value, challenge->id);
    }
  }
  const int status = head_.status;
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  Fail(status);
  return true;
}

bool ProxyHandler::FollowAccelRedirect() {
  const http::Field* redirect = head_.fields.Find(FieldId::kXAccelRedirect);
  if (redirect == nullptr || (settings_.ignore_headers & config::kIgnoreAccelRedirect) != 0) {
    return false;
  }
  const std::string_view value = redirect->value;
  KeepFieldsForRedirect(exchange_, head_);
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  if (value.starts_with('@')) {
    Stop();
    exchange_.driver->NamedRedirect(value);
    return true;
  }
  const auto target = ParseAccelRedirect(value);
  if (!target) {
    exchange_.LogError(LogLevel::kError, "unsafe URI \"" + std::string(value) + "\" was detected");
    Fail(404);
    return true;
  }
  if (exchange_.request.method != http::Method::kHead) {
    exchange_.request.method = http::Method::kGet;
    exchange_.request.method_name = "GET";
  }
  Stop();
  exchange_.driver->InternalRedirect(target->uri, target->args);
  return true;
}

void ProxyHandler::PassHead(BodyFraming framing) {
  RewriteResponse(exchange_, plan_, head_, framing);
  head_passed_ = true;
  body_started_ = CachedNow().steady;
  if (!settings_.limit_rate.empty()) {
    rate_ = ParseSize(exchange_.Expand(settings_.limit_rate)).value_or(0);
  }
  if (sending_) {
    // An answer before the whole question: the rest of it is not sent (RFC 9112 9.5).
    sending_ = false;
    if (body_ == BodySource::kStreamed && !body_ended_) exchange_.driver->WantRequestBody(false);
  }
  exchange_.driver->SendHead();
  if (!over_) exchange_.action = Action::kReadingUpstream;
}

void ProxyHandler::OnAttemptBody(ByteView piece) {
  if (over_) return;
  record().response_length += piece.size();
  if (rate_ > 0) {
    held_.append(piece);
    return PassAsRateAllows();
  }
  exchange_.driver->SendBody(piece);
  if (!over_ && exchange_.driver->congested()) attempt_.PauseReading();
}

// proxy_limit_rate: as much as the seconds that have begun allow; the rest of what was read waits.
void ProxyHandler::PassAsRateAllows() {
  const int64_t elapsed = Elapsed(body_started_);
  const uint64_t allowed = rate_ * static_cast<uint64_t>(elapsed / 1000 + 1) - passed_;
  const ByteView piece =
      ByteView(held_).substr(0, static_cast<size_t>(std::min<uint64_t>(allowed, held_.size())));
  passed_ += piece.size();
  if (!piece.empty()) exchange_.driver->SendBody(piece);
  if (over_) return;
  held_.erase(0, piece.size());
  if (held_.empty()) {
    if (response_whole_) return FinishResponse();
    if (exchange_.driver->congested()) {
      attempt_.PauseReading();
    } else {
      attempt_.ResumeReading();
    }
    return;
  }
  if (rate_timer_ == nullptr) {
    rate_timer_ = std::make_unique<event::Timer>(runtime_.loop(), [this] {
      if (!over_) PassAsRateAllows();
    });
  }
  attempt_.PauseReading();
  rate_timer_->Set(Milliseconds(1000 - elapsed % 1000 + 1));
}

void ProxyHandler::OnClientDrained() {
  if (!over_ && held_.empty()) attempt_.ResumeReading();
}

void ProxyHandler::OnAttemptTrailers(const http::HeaderMap& trailers) {
  trailers_.emplace(&exchange_.arena);
  for (const http::Field& field : trailers) {
    if (!plan_.hidden.Has(field)) trailers_->Add(field.name, field.value);
  }
  exchange_.upstream_trailers = &*trailers_;
}

void ProxyHandler::OnAttemptDone(bool extra) {
  if (over_) return;
  if (extra) {
    exchange_.LogError(LogLevel::kWarn,
                       exchange_.content_length >= 0
                           ? "upstream sent more data than specified in \"Content-Length\" header"
                           : "upstream sent data after final chunk");
  }
  EndTry(Group::Outcome::kGood, Attempt::Keep::kIfClean);
  response_whole_ = true;
  if (held_.empty()) FinishResponse();
}

void ProxyHandler::FinishResponse() {
  // Trailers go only to a client that said it wants them; nginx drops them always.
  const bool wanted = trailers_ && exchange_.request.fields.ListHas(FieldId::kTe, "trailers");
  Stop();
  exchange_.driver->SendEnd(wanted ? &*trailers_ : nullptr);
}

bool ProxyHandler::OnClientGone() {
  if (over_) return false;
  if (settings_.ignore_client_abort) return true;
  exchange_.LogError(LogLevel::kInfo,
                     "client prematurely closed connection, so upstream connection is closed too");
  Stop();
  return false;
}

// Ends everything towards the upstream; the driver is not called again.
void ProxyHandler::Stop() {
  if (over_) return;
  over_ = true;
  query_.reset();
  rate_timer_.reset();
  if (tunnel_ != nullptr) tunnel_->Stop();
  EndTry(Group::Outcome::kGood, Attempt::Keep::kNo);
}

// --- 101 ----------------------------------------------------------------------------------------

void ProxyHandler::BeginTunnel() {
  // The client must have asked, we must have passed that on, and this must be the answer to it.
  bool agreed = !rewritten_.upgrade.empty();
  const std::string_view chosen = head_.fields.Get(FieldId::kUpgrade);
  if (agreed) agreed = !chosen.empty() && ListContainsToken(rewritten_.upgrade, chosen);
  if (!agreed) {
    exchange_.LogError(LogLevel::kError, "upstream sent 101 without being asked");
    // No page: what the peer sends next would be anything but a response.
    record().status = 502;
    EndTry(Group::Outcome::kFailed, Attempt::Keep::kNo);
    Stop();
    exchange_.keep_alive = false;
    return exchange_.driver->SendWhole(502, "text/html", {});
  }
  RewriteResponse(exchange_, plan_, head_, {});
  exchange_.keep_alive = false;
  head_passed_ = true;
  std::string from_upstream;
  std::unique_ptr<upstream::Connection> connection = attempt_.TakeUpgraded(&from_upstream);
  exchange_.driver->SendHead();
  if (over_ || !exchange_.head_sent) {
    upstream::CloseConnection(runtime_.loop(), std::move(connection));
    return;
  }
  std::string from_client;
  event::Stream* client = exchange_.driver->TakeStreamForTunnel(&from_client);
  if (client == nullptr) {
    upstream::CloseConnection(runtime_.loop(), std::move(connection));
    exchange_.LogError(LogLevel::kError, "this client's protocol has no tunnels");
    Stop();
    return exchange_.driver->AbortResponse();
  }
  tunnel_ = std::make_unique<Tunnel>(runtime_.loop(), exchange_, *client, std::move(connection),
                                     [this] { OnTunnelDone(); });
  tunnel_early_ = from_upstream.size();
  tunnel_->Start(from_client, from_upstream);
}

void ProxyHandler::OnTunnelDone() {
  if (over_) return;
  const uint64_t sent = tunnel_->sent_to_client();
  const uint64_t to_upstream = tunnel_->sent_to_upstream();
  Stop();
  record().bytes_sent += to_upstream;
  record().bytes_received += sent - std::min(sent, tunnel_early_);
  record().response_length += sent;
  exchange_.driver->TunnelDone(sent);
}

}  // namespace

std::unique_ptr<ContentHandler> MakeProxyHandler(exchange::Exchange& exchange,
                                                 upstream::Runtime& runtime) {
  return std::make_unique<ProxyHandler>(exchange, runtime);
}

}  // namespace framewall::content
