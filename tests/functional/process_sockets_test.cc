// Listening sockets: opened, shared, moved and closed.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

std::string Listening(const std::string& listens) {
  return "events {} http { server { " + listens + " location / { return 204; } } }";
}

// Somebody who listens there already.
class Occupant {
 public:
  explicit Occupant(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_there_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                ::listen(fd_, 1) == 0;
  }
  ~Occupant() { Leave(); }
  void Leave() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool is_there() const { return is_there_; }

 private:
  int fd_;
  bool is_there_;
};

TEST(Sockets, AnAddressInUseEndsTheStart) {
  ProxyProcess proxy(Listening("listen 127.0.0.1:%%PORT_0%%;"));
  const Occupant occupant(proxy.port(0));
  ASSERT_TRUE(occupant.is_there());
  EXPECT_FALSE(proxy.Start());
  const std::string complaint = "[emerg] bind() to 127.0.0.1:" + std::to_string(proxy.port(0)) +
                                " failed (98: Address already in use)\n";
  const std::string said = proxy.directory().Read("output");
  EXPECT_TRUE(said.starts_with("nginx: " + complaint)) << said;
  EXPECT_TRUE(said.ends_with("nginx: [emerg] still could not bind()\n")) << said;
  EXPECT_EQ(proxy.CountInLog("try again to bind() after 500ms"), 5u);
}

TEST(Sockets, AnAddressThatIsLeftInTimeIsTaken) {
  ProxyProcess proxy(Listening("listen 127.0.0.1:%%PORT_0%%;"));
  Occupant occupant(proxy.port(0));
  ASSERT_TRUE(occupant.is_there());
  std::thread leaving([&] {
    proxy.WaitForLog("try again to bind()");
    occupant.Leave();
  });
  EXPECT_TRUE(proxy.Start()) << proxy.Output();
  leaving.join();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
}

TEST(Sockets, AReloadOpensTheNewAndClosesTheUnwanted) {
  ProxyProcess proxy(
      Listening("listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% reuseport;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(1), "/").status(), 204);
  proxy.SetConfig(Listening("listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_2%%;"));
  ASSERT_TRUE(proxy.Reload());
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(Get(proxy.port(2), "/").status(), 204);
  EXPECT_TRUE(Eventually([&] { return !RawClient(proxy.port(1)).connected(); }));
}

TEST(Sockets, AReloadThatCannotBindKeepsAll) {
  ProxyProcess proxy(Listening("listen 127.0.0.1:%%PORT_0%%;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const Occupant occupant(proxy.port(1));
  ASSERT_TRUE(occupant.is_there());
  proxy.SetConfig(Listening("listen 127.0.0.1:%%PORT_2%%; listen 127.0.0.1:%%PORT_1%%;"));
  proxy.Signal(SIGHUP);
  ASSERT_TRUE(proxy.WaitForLog("reconfiguration failed"));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_FALSE(RawClient(proxy.port(2)).connected());
}

TEST(Sockets, AWildcardServesTheAddressesBesideIt) {
  ProxyProcess proxy(Listening("listen %%PORT_0%%; listen 127.0.0.1:%%PORT_0%%;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
}

TEST(Sockets, AUnixSocketIsForAllAndGoesWithTheServer) {
  ProxyProcess proxy(Listening("listen unix:%%DIR%%/http.sock;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const std::string path = proxy.directory().File("http.sock");
  EXPECT_EQ(::access(path.c_str(), R_OK | W_OK), 0);
  RawClient client = RawClient::Unix(path);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 204);
  ASSERT_TRUE(proxy.Reload());
  EXPECT_TRUE(proxy.directory().Has("http.sock"));
  EXPECT_EQ(proxy.Quit(), 0);
  EXPECT_FALSE(proxy.directory().Has("http.sock"));
}

}  // namespace
}  // namespace framewall::test
