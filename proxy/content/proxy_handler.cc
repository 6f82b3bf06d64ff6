#include "proxy/content/proxy_handler.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/text.h"
#include "proxy/content/socket_upstream.h"
#include "proxy/http/http1/client_codec.h"
#include "proxy/upstream/retry_policy.h"

namespace framewall::content {

using exchange::Action;
using exchange::Exchange;
using exchange::UpstreamRecord;
using http::BodyFraming;
using upstream::Attempt;
using upstream::AttemptFailure;
using upstream::Group;

namespace {

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

}  // namespace

ProxyHandler::ProxyHandler(Exchange& exchange, upstream::Runtime& runtime)
    : exchange_(exchange),
      runtime_(runtime),
      location_(*exchange.location),
      settings_(exchange.settings().proxy),
      plan_(ProxyPlan::Of(exchange, runtime)),
      request_(&exchange.arena),
      head_(&exchange.arena),
      attempt_(runtime.loop(), *this) {}

ProxyHandler::~ProxyHandler() {
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

int64_t ProxyHandler::Elapsed(SteadyTime since) {
  return std::chrono::duration_cast<Milliseconds>(CachedNow().steady - since).count();
}

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
  if (rewritten_.upgrade == "websocket") {
    handshake_ = std::make_unique<WebSocketHandshake>(exchange_);
    handshake_->Dress(request_, rewritten_);
  }
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

// Fills in the record and gives peer and connection back.
void ProxyHandler::EndTry(Group::Outcome outcome, Attempt::Keep keep) {
  sending_ = false;
  if (group_ == nullptr || selection_.current == nullptr) return;
  UpstreamRecord& done = record();
  done.bytes_sent = attempt_.bytes_sent();
  done.bytes_received = attempt_.bytes_received();
  GiveBack(exchange_, done, {*group_, selection_, try_started_}, outcome);
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

std::unique_ptr<ContentHandler> MakeProxyHandler(exchange::Exchange& exchange,
                                                 upstream::Runtime& runtime) {
  return std::make_unique<ProxyHandler>(exchange, runtime);
}

}  // namespace framewall::content
