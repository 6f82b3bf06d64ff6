#include "backend/llm/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "backend/llm/http_connection.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/event/connector.h"
#include "proxy/event/system_resolver.h"
#include "proxy/event/timer.h"
#include "proxy/tls/tls_stream.h"

namespace framewall::backend::llm {
namespace {

constexpr std::string_view kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

Error BadUrl(std::string_view url, std::string_view what) {
  return OperatorError(fmt::format("\"{}\" is no address of a provider: {}", url, what));
}

}  // namespace

Result<HttpOrigin> ParseHttpOrigin(std::string_view url) {
  HttpOrigin origin;
  std::string_view rest = url;
  if (StartsWithIgnoreCase(rest, "https://")) {
    origin.tls = true;
    rest.remove_prefix(8);
  } else if (StartsWithIgnoreCase(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    return BadUrl(url, "it has to begin with http:// or https://");
  }
  if (rest.find_first_of("?#@ \t\r\n") != rest.npos) {
    return BadUrl(url, "user, query and fragment have no place in it");
  }
  const size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != rest.npos) origin.prefix = rest.substr(slash);
  while (origin.prefix.ends_with('/')) origin.prefix.pop_back();
  origin.authority = authority;
  origin.port = origin.tls ? 443 : 80;
  size_t colon = authority.rfind(':');
  if (authority.starts_with('[')) {
    const size_t bracket = authority.find(']');
    if (bracket == authority.npos) return BadUrl(url, "a bracket is not closed");
    origin.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    colon = authority.find(':');
    if (colon == authority.npos && !authority.empty()) return BadUrl(url, "what is behind \"]\"?");
  } else {
    origin.host = authority.substr(0, colon);
  }
  if (colon != authority.npos) {
    const auto port = ParseUnsigned(authority.substr(colon + 1));
    if (!port.has_value() || *port == 0 || *port > 65535) return BadUrl(url, "it has no such port");
    origin.port = static_cast<uint16_t>(*port);
  }
  if (origin.host.empty()) return BadUrl(url, "it has no host");
  return origin;
}

struct HttpClient::State {
  State(event::EventLoop& the_loop, const HttpClientOptions& the_options)
      : loop(the_loop), options(the_options) {}

  std::unique_ptr<HttpConnection> TakeIdle() {
    while (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      if (connection->usable()) return connection;
      loop.Retire(std::move(connection));
    }
    return nullptr;
  }

  void Keep(std::unique_ptr<HttpConnection> connection) {
    ForgetClosed();
    if (idle.size() >= options.idle_connections || !connection->usable()) {
      loop.Retire(std::move(connection));
      return;
    }
    connection->BecomeIdle(options.idle);
    idle.push_back(std::move(connection));
  }
  void ForgetClosed() {
    for (auto& connection : idle) {
      if (!connection->usable()) loop.Retire(std::move(connection));
    }
    std::erase(idle, nullptr);
  }

  std::string TlsName() const {
    // In brackets, or the rest would be taken for a port.
    const std::string& host = options.origin.host;
    return host.find(':') == host.npos ? host : "[" + host + "]";
  }

  event::EventLoop& loop;
  const HttpClientOptions options;
  std::unique_ptr<tls::ClientTlsContext> tls;  // null: plain
  tls::SessionSlot session;
  std::deque<std::unique_ptr<HttpConnection>> idle;  // the youngest at the back
};

// Steps of one request; see the header.
class HttpClient::Exchange final : public HttpExchange, private HttpConnection::Owner {
 public:
  Exchange(State& client, HttpRequest request, HttpEvents* events)
      : client_(client),
        loop_(client.loop),
        request_(std::move(request)),
        events_(events),
        deadline_(loop_, [this] { OnDeadline(); }),
        start_(loop_, [this] { Connect(); }) {
    // A kept connection takes the request with what else this turn sends. Connecting may fail,
    // which is told from the loop.
    connection_ = client_.TakeIdle();
    is_kept_ = connection_ != nullptr;
    if (is_kept_) {
      SendRequest();
    } else {
      start_.Set(std::chrono::milliseconds(0));
    }
  }

  ~Exchange() override {
    if (connection_ == nullptr) return;
    // Not to be kept: its answer is not over.
    connection_->SetOwner(nullptr);
    connection_->Close();
    loop_.Retire(std::move(connection_));
  }

  void Pause() override {
    if (pauses_++ > 0) return;
    deadline_.Cancel();
    if (connection_ != nullptr) connection_->Pause();
  }
  void Resume() override {
    if (--pauses_ > 0 || done_) return;
    Watch();
    if (connection_ != nullptr) connection_->Resume();
  }

 private:
  void Connect() {
    is_kept_ = false;
    connecting_ = true;
    deadline_.Cancel();
    Watch();
    const HttpOrigin& origin = client_.options.origin;
    if (const auto ip = IpAddress::Parse(origin.host)) {
      addresses_ = {*ip};
      return NextAddress();
    }
    query_ = std::make_unique<event::SystemQuery>(
        loop_, origin.host, [this](Result<std::vector<IpAddress>> answer) {
          loop_.Retire(std::move(query_));
          if (!answer.ok() || answer->empty()) {
            return Fail(ErrorKind::kNotFound,
                        answer.ok() ? "host not found" : answer.error().message);
          }
          addresses_ = std::move(answer).value();
          NextAddress();
        });
  }

  void NextAddress() {
    const SocketAddress address =
        SocketAddress::FromIp(addresses_[next_address_++], client_.options.origin.port);
    event::ConnectOptions options;
    options.timeout = client_.options.connect;
    connector_ = std::make_unique<event::Connector>(
        loop_, address, options, [this](Result<std::unique_ptr<event::Stream>> connected) {
          loop_.Retire(std::move(connector_));
          if (connected.ok()) return OnConnected(std::move(connected).value());
          if (next_address_ < addresses_.size()) return NextAddress();
          Fail(connected.error().kind, connected.error().message, connected.error().system_errno);
        });
  }

  void OnConnected(std::unique_ptr<event::Stream> stream) {
    if (client_.tls != nullptr) {
      auto secured = tls::MakeTlsClientStream(
          loop_, std::move(stream), *client_.tls,
          {.name = client_.TlsName(), .session = &client_.session, .certificate = nullptr});
      if (!secured.ok()) return Fail(secured.error().kind, secured.error().message);
      stream = std::move(secured).value();
    } else {
      connecting_ = false;
    }
    connection_ = std::make_unique<HttpConnection>(loop_, std::move(stream));
    SendRequest();
  }

  void SendRequest() {
    Watch();
    connection_->SetOwner(this);
    const HttpOrigin& origin = client_.options.origin;
    connection_->Send(request_.method, origin.prefix + request_.path, origin.authority,
                      request_.fields, request_.body);
    if (pauses_ > 0) connection_->Pause();
  }

  // The deadline of the step that is under way.
  void Watch() {
    if (connecting_) {
      if (!deadline_.active()) deadline_.Set(client_.options.connect);
    } else if (pauses_ == 0) {
      deadline_.Set(client_.options.silence);
    }
  }

  void OnDeadline() {
    Fail(ErrorKind::kTimeout, connecting_ ? "not connected in time"
                              : has_head_ ? "silent in the middle of its answer"
                                          : "no answer in time");
  }

  void OnSecured() override {
    connecting_ = false;
    deadline_.Cancel();
    Watch();
  }
  void OnHead(const http::ResponseHead& head) override {
    if (done_) return;
    has_head_ = true;
    Watch();
    events_->OnHead(head);
  }
  void OnBody(ByteView piece) override {
    if (done_) return;
    Watch();
    events_->OnBody(piece);
  }
  void OnResponseEnd() override {
    if (done_) return;
    done_ = true;
    deadline_.Cancel();
    if (pauses_ > 0) connection_->Resume();
    connection_->SetOwner(nullptr);
    client_.Keep(std::move(connection_));
    events_->OnEnd();
  }
  void OnConnectionFailed(const Error& error) override {
    if (done_) return;
    // Kept, and closed by the other side while our request was on its way.
    if (is_kept_ && !has_head_ && connection_->received_nothing()) {
      connection_->SetOwner(nullptr);
      loop_.Retire(std::move(connection_));
      return Connect();
    }
    Fail(error.kind, error.message, error.system_errno);
  }

  void Fail(ErrorKind kind, std::string why, int system_errno = 0) {
    if (std::exchange(done_, true)) return;
    deadline_.Cancel();
    loop_.Retire(std::move(query_));
    loop_.Retire(std::move(connector_));
    if (connection_ != nullptr) {
      connection_->SetOwner(nullptr);
      connection_->Close();
      loop_.Retire(std::move(connection_));
    }
    events_->OnFailed(Error{kind, ErrorSource::kUpstream, std::move(why), system_errno});
  }

  State& client_;
  event::EventLoop& loop_;
  const HttpRequest request_;
  HttpEvents* const events_;
  std::vector<IpAddress> addresses_;
  size_t next_address_ = 0;
  std::unique_ptr<event::SystemQuery> query_;
  std::unique_ptr<event::Connector> connector_;
  std::unique_ptr<HttpConnection> connection_;
  bool is_kept_ = false;
  bool connecting_ = false;
  bool has_head_ = false;
  bool done_ = false;
  int pauses_ = 0;
  event::Timer deadline_;
  event::Timer start_;
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::Make(event::EventLoop& loop,
                                                     const HttpClientOptions& options) {
  auto state = std::make_unique<State>(loop, options);
  if (options.origin.tls) {
    tls::ClientTlsOptions secure;
    secure.protocols = tls::kTlsV12 | tls::kTlsV13;
    secure.verify = true;
    secure.verify_depth = 8;
    secure.trusted_certificate_file =
        options.ca_file.empty() ? std::string(kSystemCertificates) : options.ca_file;
    secure.send_server_name = true;
    FW_ASSIGN(state->tls, tls::ClientTlsContext::Create(secure));
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

std::unique_ptr<HttpExchange> HttpClient::Send(HttpRequest request, HttpEvents* events) {
  return std::make_unique<Exchange>(*state_, std::move(request), events);
}

}  // namespace framewall::backend::llm
