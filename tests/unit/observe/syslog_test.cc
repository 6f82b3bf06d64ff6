#include "proxy/observe/syslog.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"
#include "proxy/observe/access_log.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::observe {
namespace {

// A syslog server on a datagram socket.
class Server {
 public:
  explicit Server(const SocketAddress& address)
      : fd_(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.length()), 0);
  }

  SocketAddress address() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length);
    return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
  }

  // The next packet; "(none)" where there is none within `patience`.
  std::string Receive(int patience_ms = 5000) {
    pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, patience_ms) != 1) return "(none)";
    std::array<char, 4096> buffer;
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return std::string(buffer.data(), static_cast<size_t>(std::max<ssize_t>(0, size)));
  }

 private:
  UniqueFd fd_;
};

std::string HostName() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return ToLower(name.data());
}

std::shared_ptr<LogSink> Open(const std::string& target) {
  auto sink = OpenSyslog(target);
  EXPECT_TRUE(sink.ok()) << (sink.ok() ? "" : sink.error().message);
  return sink.ok() ? *sink : nullptr;
}

class SyslogTest : public ::testing::Test {
 protected:
  std::string SocketPath() const { return testing_.folder() + "/socket"; }
  std::string Target(const std::string& more = "") const {
    return "syslog:server=unix:" + SocketPath() + more;
  }
  Server Listen() const { return Server(*SocketAddress::FromUnixPath(SocketPath())); }

  ExchangeTesting testing_;
};

TEST_F(SyslogTest, TheLineIsRfc3164s) {
  Server server = Listen();
  const auto sink = Open(Target());
  sink->WriteLine(LogLevel{0}, "hello\n");
  // local7 and info unless said otherwise: 23 * 8 + 6.
  EXPECT_EQ(server.Receive(),
            "<190>" + std::string(CachedSyslogTime()) + " " + HostName() + " nginx: hello");
}

TEST_F(SyslogTest, FacilitySeverityTagAndHostNameAreSettings) {
  Server server = Listen();
  const auto sink = Open(Target(",facility=auth,severity=debug,tag=fw_1,nohostname"));
  sink->WriteLine(LogLevel{0}, "hello");
  EXPECT_EQ(server.Receive(), "<39>" + std::string(CachedSyslogTime()) + " fw_1: hello");
}

TEST_F(SyslogTest, ALevelIsItsOwnSeverity) {
  Server server = Listen();
  const auto sink = Open(Target(",severity=debug,facility=user,nohostname"));
  for (const auto& [level, number] : {std::pair(LogLevel::kEmerg, 8),
                                      {LogLevel::kAlert, 9},
                                      {LogLevel::kCrit, 10},
                                      {LogLevel::kError, 11},
                                      {LogLevel::kWarn, 12},
                                      {LogLevel::kNotice, 13},
                                      {LogLevel::kInfo, 14},
                                      {LogLevel::kDebug, 15}}) {
    sink->WriteLine(level, "x\n");
    const std::string packet = server.Receive();
    EXPECT_TRUE(packet.starts_with("<" + std::to_string(number) + ">")) << packet;
  }
}

TEST_F(SyslogTest, GoesOverUdpToo) {
  Server server(SocketAddress::FromIp(*IpAddress::Parse("127.0.0.1"), 0));
  const auto sink = Open("syslog:server=" + server.address().ToText() + ",nohostname");
  sink->WriteLine(LogLevel::kError, "over udp\n");
  EXPECT_EQ(server.Receive(), "<187>" + std::string(CachedSyslogTime()) + " nginx: over udp");
}

TEST_F(SyslogTest, ALineWithoutAServerIsLostAndTheNextIsNot) {
  const auto sink = Open(Target(",nohostname"));
  sink->WriteLine(LogLevel{0}, "lost");
  {
    Server server = Listen();
    sink->WriteLine(LogLevel{0}, "first");
    EXPECT_TRUE(server.Receive().ends_with(": first"));
  }
  ::unlink(SocketPath().c_str());
  sink->WriteLine(LogLevel{0}, "lost again");
  // A server that came back has a new socket behind the path.
  Server server = Listen();
  sink->WriteLine(LogLevel{0}, "second");
  EXPECT_TRUE(server.Receive().ends_with(": second"));
}

TEST_F(SyslogTest, AnAccessLogGoesThere) {
  Server server = Listen();
  testing_.Load("log_format line 'to $uri';\naccess_log " + Target(",tag=web,nohostname") +
                " line if=$arg_log;\nserver { listen 8080; location / {} }");
  config::Diagnostics diagnostics;
  const auto logs = AccessLogs::Open(testing_.Request("/", "/").config, false, diagnostics);
  logs->Write(testing_.Request("/", "/a"));
  logs->Write(testing_.Request("/", "/b?log=1"));
  EXPECT_EQ(server.Receive(), "<190>" + std::string(CachedSyslogTime()) + " web: to /b");
  EXPECT_EQ(server.Receive(0), "(none)");
}

TEST_F(SyslogTest, WhatIsWrongIsNamed) {
  const auto message = [](const std::string& target) {
    const auto sink = OpenSyslog("syslog:" + target);
    return sink.ok() ? std::string("(ok)") : sink.error().message;
  };
  EXPECT_EQ(message("tag=a"), "no syslog server specified");
  EXPECT_EQ(message("server=127.0.0.1,facility=none"), "unknown syslog facility \"none\"");
  EXPECT_EQ(message("server=127.0.0.1,severity=none"), "unknown syslog severity \"none\"");
  EXPECT_EQ(message("server=127.0.0.1,colour=red"), "unknown syslog parameter \"colour=red\"");
  EXPECT_EQ(message("server=127.0.0.1,tag=a-b"),
            "syslog \"tag\" only allows alphanumeric characters and underscore");
  EXPECT_EQ(message("server=127.0.0.1,tag=" + std::string(32, 'a')), "(ok)");
  EXPECT_EQ(message("server=127.0.0.1,tag=" + std::string(33, 'a')),
            "syslog tag length exceeds 32");
  EXPECT_EQ(message("server=no.such.host.invalid:514"),
            "host not found in syslog server \"no.such.host.invalid:514\"");
}

}  // namespace
}  // namespace framewall::observe
