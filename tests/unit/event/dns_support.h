// DNS answers made by hand and a name server inside the test's loop.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/event/dns_message.h"
#include "proxy/event/listener.h"
#include "proxy/event/loop.h"
#include "proxy/event/tcp_stream.h"
#include "tests/unit/event/support.h"

namespace framewall::event {

class DnsReply {
 public:
  DnsReply(std::string_view name, DnsType type)
      : question_(EncodeDnsQuery(0, name, type)->substr(12)) {}
  DnsReply& Code(int code) {
    code_ = code;
    return *this;
  }
  DnsReply& Truncated() {
    truncated_ = true;
    return *this;
  }
  // For the name of the question.
  DnsReply& Record(DnsType type, uint32_t ttl, const std::string& data) {
    ++records_;
    answers_ += "\xc0\x0c";
    char head[10];
    WriteBig16(head, static_cast<uint16_t>(type));
    WriteBig16(head + 2, 1);
    WriteBig32(head + 4, ttl);
    WriteBig16(head + 8, static_cast<uint16_t>(data.size()));
    answers_.append(head, sizeof head);
    answers_ += data;
    return *this;
  }
  DnsReply& A(const std::string& ip, uint32_t ttl = 3600) {
    return Record(DnsType::kA, ttl, std::string(IpAddress::Parse(ip)->bytes()));
  }
  DnsReply& Aaaa(const std::string& ip, uint32_t ttl = 3600) {
    return Record(DnsType::kAaaa, ttl, std::string(IpAddress::Parse(ip)->bytes()));
  }
  DnsReply& Cname(const std::string& name, uint32_t ttl = 3600) {
    std::string wire = EncodeDnsQuery(0, name, DnsType::kA)->substr(12);
    wire.resize(wire.size() - 4);
    return Record(DnsType::kCname, ttl, wire);
  }
  std::string Message(uint16_t id) const {
    char head[12] = {};
    WriteBig16(head, id);
    WriteBig16(head + 2, static_cast<uint16_t>(0x8180 | (truncated_ ? 0x0200 : 0) | code_));
    WriteBig16(head + 4, 1);
    WriteBig16(head + 6, static_cast<uint16_t>(records_));
    return std::string(head, sizeof head) + question_ + answers_;
  }

 private:
  std::string question_;
  std::string answers_;
  int records_ = 0;
  int code_ = 0;
  bool truncated_ = false;
};

struct DnsAsked {
  std::string name;
  DnsType type;
  uint16_t id;
  bool by_tcp;
};

// Answers what `answer` says, by UDP and TCP on one port of loopback; an empty text is silence.
class FakeNameServer : public StreamHandler {
 public:
  using Answer = std::function<std::string(const DnsAsked&)>;
  FakeNameServer(EventLoop& loop, Answer answer) : loop_(loop), answer_(std::move(answer)) {
    auto [listen_fd, where] = ListenTcp();
    listen_ = std::move(listen_fd);
    address = where;
    udp_.Reset(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    EXPECT_EQ(0, ::bind(udp_.get(), address.get(), address.length()));
    event_assign(&event_, loop.base(), udp_.get(), EV_READ | EV_PERSIST, OnDatagram, this);
    event_add(&event_, nullptr);
    listener_ = std::make_unique<Listener>(
        loop, listen_.get(), true,
        [this](int fd, const SocketAddress& peer) {
          stream_ = MakeTcpStream(loop_, fd, SocketAddress(), peer);
          stream_->SetHandler(this);
        },
        nullptr);
  }
  ~FakeNameServer() override { event_del(&event_); }

  SocketAddress address;
  int asked = 0;

 private:
  static void OnDatagram(evutil_socket_t fd, short, void* argument) {
    auto& self = *static_cast<FakeNameServer*>(argument);
    char buffer[2048];
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    auto* address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size = ::recvfrom(fd, buffer, sizeof buffer, 0, address, &length);
    if (size < 0) return;
    const std::string reply = self.Reply(std::string(buffer, static_cast<size_t>(size)), false);
    if (!reply.empty()) ::sendto(fd, reply.data(), reply.size(), 0, address, length);
  }
  void OnBytes(ByteView bytes) override {
    const std::string reply = Reply(std::string(bytes.substr(2)), true);
    char length[2];
    WriteBig16(length, static_cast<uint16_t>(reply.size()));
    stream_->Write(std::string(length, 2) + reply);
  }
  void OnEnd() override { stream_->Close(); }
  void OnBroken(const Error&) override {}

  std::string Reply(std::string query, bool by_tcp) {
    ++asked;
    // A question is an answer without records, but for one bit.
    query[2] = static_cast<char>(query[2] | '\x80');
    const auto parsed = ParseDnsAnswer(query);
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    return answer_({parsed->name, DnsType{parsed->type}, parsed->id, by_tcp});
  }

  EventLoop& loop_;
  Answer answer_;
  UniqueFd listen_, udp_;
  ::event event_{};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace framewall::event
