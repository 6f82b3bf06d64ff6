// Where lines of the error log go: files, the starter's standard error, syslog.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

// A server of datagrams on a port of its own.
class Datagrams {
 public:
  Datagrams() : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    socklen_t length = sizeof(address);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ::ntohs(address.sin_port);
  }
  ~Datagrams() { ::close(fd_); }
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  uint16_t port() const { return port_; }
  // The next one; empty where none comes.
  std::string Next() const {
    pollfd poll_fd{fd_, POLLIN, 0};
    if (::poll(&poll_fd, 1, 20000) != 1) return {};
    std::string packet(65536, '\0');
    const ssize_t size = ::recv(fd_, packet.data(), packet.size(), 0);
    packet.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return packet;
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

TEST(ErrorLog, ALocationWritesToTheStartersStandardError) {
  ProxyProcess proxy(R"(
events {}
http { server {
  listen 127.0.0.1:%%PORT_0%%;
  root %%DIR%%;
  location /both/ { error_log stderr; error_log %%DIR%%/own.log; }
  location /high/ { error_log stderr crit; error_log stderr; }
} })");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/both/none").status(), 404);
  EXPECT_EQ(Get(proxy.port(0), "/high/none").status(), 404);
  EXPECT_EQ(Get(proxy.port(0), "/none").status(), 404);
  EXPECT_EQ(proxy.CountInLog("[error]", "own.log"), 1u);
  EXPECT_EQ(proxy.CountInLog("/both/none\" failed", "output"), 1u);
  EXPECT_EQ(proxy.CountInLog("/high/none\" failed", "output"), 1u);
  EXPECT_EQ(proxy.CountInLog("[error]", "error.log"), 1u);
}

TEST(ErrorLog, WithoutItStandardErrorGoesIntoTheMainLog) {
  ProxyProcess proxy(R"(
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; } })");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  char target[256] = {};
  const std::string link = "/proc/" + std::to_string(proxy.pid()) + "/fd/2";
  ASSERT_GT(::readlink(link.c_str(), target, sizeof(target) - 1), 0);
  EXPECT_EQ(std::string(target), proxy.directory().File("error.log"));
}

TEST(Syslog, HasFacilitySeverityTagAndHost) {
  const Datagrams server;
  const std::string to = "syslog:server=127.0.0.1:" + std::to_string(server.port());
  ProxyProcess proxy(R"(
events {}
http {
  log_format short "$uri $status";
  server {
    listen 127.0.0.1:%%PORT_0%%;
    root %%DIR%%;
    access_log off;
    location /error/ { error_log )" +
                     to + R"(,facility=user,tag=seen; }
    location /access/ {
      error_log %%DIR%%/own.log;
      access_log )" + to +
                     R"(,severity=alert,nohostname short;
    }
  }
})");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  Get(proxy.port(0), "/error/none");
  const std::string error = server.Next();
  char host[256] = {};
  ::gethostname(host, sizeof(host) - 1);
  for (char* c = host; *c != '\0'; ++c) {
    if (*c >= 'A' && *c <= 'Z') *c = static_cast<char>(*c - 'A' + 'a');
  }
  EXPECT_TRUE(error.starts_with("<11>")) << error;
  EXPECT_NE(error.find(std::string(" ") + host + " seen: "), std::string::npos) << error;
  EXPECT_NE(error.find(" [error] "), std::string::npos) << error;
  EXPECT_FALSE(error.ends_with('\n'));
  Get(proxy.port(0), "/access/none");
  const std::string access = server.Next();
  EXPECT_TRUE(access.starts_with("<185>")) << access;
  EXPECT_TRUE(access.ends_with(" nginx: /access/none 404")) << access;
  EXPECT_EQ(access.find(host), std::string::npos) << access;
}

}  // namespace
}  // namespace framewall::test
