// Asks name servers for the addresses of one name: by UDP, by TCP where the answer was truncated,
// again after a while at the next server.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/event/dns_message.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::event {

class DnsQuery {
 public:
  struct Options {
    std::vector<SocketAddress> servers;  // not empty
    size_t first_server = 0;             // modulo their number
    bool ipv4 = true;
    bool ipv6 = true;
    std::chrono::milliseconds ask_again{5000};
  };
  struct Outcome {
    int code = kDnsNoError;
    std::vector<IpAddress> v4, v6;
    std::string cname;  // where there are no addresses
    uint32_t ttl = 0;
  };

  // `done` is called once, never from here, and may retire this. `wanted` is asked before asking
  // again: false ends it with a server failure.
  DnsQuery(EventLoop& loop, const std::string& name, const Options& options,
           std::function<void(const Outcome&)> done, std::function<bool()> wanted);
  ~DnsQuery();
  DnsQuery(const DnsQuery&) = delete;
  DnsQuery& operator=(const DnsQuery&) = delete;

 private:
  struct Question;
  class UdpSocket;
  class TcpConnection;

  void AskAll();
  void Received(ByteView message, const SocketAddress& server, bool by_tcp);
  void ServerUnreachable();
  void FinishIfComplete();
  void Finish(const Outcome& outcome);

  EventLoop& loop_;
  const std::string name_;
  const Options options_;
  std::function<void(const Outcome&)> done_;
  std::function<bool()> wanted_;
  std::vector<Question> questions_;
  size_t server_;
  size_t unreachable_ = 0;  // servers in a row
  // Earlier sockets stay: a late answer is an answer.
  std::vector<std::unique_ptr<UdpSocket>> sockets_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;
  Timer again_;
  bool finished_ = false;
};

}  // namespace framewall::event
