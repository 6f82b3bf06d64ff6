#include "proxy/event/dns_query.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/unique_fd.h"
#include "proxy/event/connector.h"

namespace framewall::event {
namespace {

constexpr size_t kMaxAttempts = 16;
constexpr int kDatagramsPerEvent = 16;
constexpr std::chrono::milliseconds kTcpTimeout{5000};

uint16_t RandomId() {
  char bytes[2];
  FillRandom(bytes, sizeof bytes);
  return ReadBig16(ByteView(bytes, sizeof bytes));
}

}  // namespace

struct DnsQuery::Question {
  DnsType type;
  uint16_t id;
  std::string message;
  std::optional<DnsAnswer> answer;
  bool by_tcp = false;
};

// A socket of its own for each try: its random port is as hard to guess as the id. It is connected,
// so the kernel drops what comes from others.
class DnsQuery::UdpSocket {
 public:
  UdpSocket(DnsQuery& query, const SocketAddress& server) : query_(query), server_(server) {
    fd_.Reset(::socket(server.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.valid() || ::connect(fd_.get(), server.get(), server.length()) != 0) {
      fd_.Reset();
      return;
    }
    event_assign(&event_, query.loop_.base(), fd_.get(), EV_READ | EV_PERSIST, OnReadable, this);
    event_add(&event_, nullptr);
  }
  ~UdpSocket() {
    if (fd_.valid()) event_del(&event_);
  }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  bool Send(ByteView message) {
    return fd_.valid() && ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
  }

 private:
  static void OnReadable(evutil_socket_t, short, void* argument) {
    auto& socket = *static_cast<UdpSocket*>(argument);
    DnsQuery& query = socket.query_;
    EventLoop& loop = query.loop_;
    loop.EnterCallback();
    for (int i = 0; i < kDatagramsPerEvent && !query.finished_; ++i) {
      const ssize_t size =
          ::recv(socket.fd_.get(), loop.read_buffer(), EventLoop::kReadBufferSize, 0);
      if (size < 0) {
        if (errno == ECONNREFUSED) query.ServerUnreachable();
        break;
      }
      query.Received(ByteView(loop.read_buffer(), static_cast<size_t>(size)), socket.server_,
                     false);
    }
    loop.LeaveCallback();
  }

  DnsQuery& query_;
  const SocketAddress server_;
  UniqueFd fd_;
  ::event event_{};
};

// RFC 1035 4.2.2: the same messages, each after its length.
class DnsQuery::TcpConnection : public StreamHandler {
 public:
  TcpConnection(DnsQuery& query, const SocketAddress& server, ByteView message)
      : query_(query), server_(server), message_(message) {
    ConnectOptions options;
    options.timeout = kTcpTimeout;
    connector_ = std::make_unique<Connector>(
        query.loop_, server, options, [this](Result<std::unique_ptr<Stream>> result) {
          query_.loop_.Retire(std::move(connector_));
          if (!result.ok()) return;  // it is asked again by UDP after a while
          stream_ = std::move(*result);
          stream_->SetHandler(this);
          char length[2];
          WriteBig16(length, static_cast<uint16_t>(message_.size()));
          const ByteView pieces[] = {ByteView(length, 2), message_};
          stream_->Write(pieces);
        });
  }
  void OnBytes(ByteView bytes) override {
    received_.append(bytes);
    if (received_.size() < 2) return;
    const size_t length = ReadBig16(received_);
    if (received_.size() < 2 + length) return;
    stream_->Close();
    query_.Received(ByteView(received_).substr(2, length), server_, true);
  }
  void OnEnd() override { stream_->Close(); }
  void OnBroken(const Error&) override {}

 private:
  DnsQuery& query_;
  const SocketAddress server_;
  const std::string message_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<Stream> stream_;
  std::string received_;
};

DnsQuery::DnsQuery(EventLoop& loop, const std::string& name, const Options& options,
                   std::function<void(const Outcome&)> done, std::function<bool()> wanted)
    : loop_(loop),
      name_(name),
      options_(options),
      done_(std::move(done)),
      wanted_(std::move(wanted)),
      server_(options.first_server),
      again_(loop, [this] {
        if (!wanted_() || sockets_.size() >= kMaxAttempts) {
          Outcome outcome;
          outcome.code = kDnsServerFailure;
          Finish(outcome);
          return;
        }
        ++server_;
        AskAll();
      }) {
  const auto ask = [this](DnsType type) {
    Question question{type, RandomId(), {}, {}, false};
    question.message = EncodeDnsQuery(question.id, name_, type).value_or("");
    questions_.push_back(std::move(question));
  };
  if (options_.ipv4) ask(DnsType::kA);
  if (options_.ipv6) ask(DnsType::kAaaa);
  AskAll();
}

DnsQuery::~DnsQuery() = default;

void DnsQuery::AskAll() {
  again_.Set(options_.ask_again);
  if (options_.servers.empty()) return;
  const SocketAddress& server = options_.servers[server_ % options_.servers.size()];
  auto socket = std::make_unique<UdpSocket>(*this, server);
  bool sent = true;
  for (const Question& question : questions_) {
    if (!question.answer.has_value()) sent = socket->Send(question.message) && sent;
  }
  if (sent) {
    sockets_.push_back(std::move(socket));
  } else {
    ServerUnreachable();
  }
}

// The next server at once, but each only once: then the timer decides.
void DnsQuery::ServerUnreachable() {
  if (++unreachable_ >= options_.servers.size()) return;
  ++server_;
  AskAll();
}

void DnsQuery::Received(ByteView message, const SocketAddress& server, bool by_tcp) {
  const Result<DnsAnswer> parsed = ParseDnsAnswer(message);
  // What cannot be read, is not ours or says that *we* were not understood is as good as lost.
  if (!parsed.ok() || parsed->code == kDnsFormatError || parsed->code > kDnsRefused) return;
  for (Question& question : questions_) {
    if (question.answer.has_value() || question.id != parsed->id ||
        static_cast<uint16_t>(question.type) != parsed->type || parsed->name != name_) {
      continue;
    }
    if (parsed->truncated) {
      if (by_tcp || question.by_tcp) return;
      question.by_tcp = true;
      again_.Set(options_.ask_again);
      connections_.push_back(std::make_unique<TcpConnection>(*this, server, question.message));
      return;
    }
    // Names without records of use (a lone DNAME) are as good as lost too.
    if (parsed->code == kDnsNoError && parsed->records > 0 && parsed->addresses.empty() &&
        parsed->cname.empty()) {
      return;
    }
    question.answer = *parsed;
    FinishIfComplete();
    return;
  }
}

// All answers are in: any error is the outcome; addresses of either family count; else an alias.
void DnsQuery::FinishIfComplete() {
  Outcome outcome;
  outcome.ttl = UINT32_MAX;
  for (const Question& question : questions_) {
    if (!question.answer.has_value()) return;
    const DnsAnswer& answer = *question.answer;
    if (outcome.code == kDnsNoError) outcome.code = answer.code;
    outcome.ttl = std::min(outcome.ttl, answer.ttl);
    (question.type == DnsType::kA ? outcome.v4 : outcome.v6) = answer.addresses;
    outcome.cname = answer.cname;  // the last question's, as nginx does
  }
  if (outcome.code == kDnsNoError && outcome.v4.empty() && outcome.v6.empty() &&
      outcome.cname.empty()) {
    outcome.code = kDnsNameError;
  }
  Finish(outcome);
}

void DnsQuery::Finish(const Outcome& outcome) {
  if (std::exchange(finished_, true)) return;
  again_.Cancel();
  const auto done = std::move(done_);
  done(outcome);
}

}  // namespace framewall::event
