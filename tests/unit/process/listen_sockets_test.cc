#include "proxy/process/listen_sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "tests/support/proxy_process.h"
#include "tests/support/temp_dir.h"

namespace framewall::process {
namespace {

// A configuration with one server that listens as told.
class Listens {
 public:
  Listens& Add(const std::string& address) {
    config::ListenConfig listen;
    listen.address = *SocketAddress::Parse(address);
    server().listens.push_back(listen);
    return *this;
  }
  config::ListenConfig& last() { return server().listens.back(); }
  const config::HttpConfig& http() const { return http_; }

 private:
  config::ServerConfig& server() {
    if (http_.servers.empty()) http_.servers.push_back(std::make_unique<config::ServerConfig>());
    return *http_.servers[0];
  }
  config::HttpConfig http_;
};

std::vector<std::string> Bound(const Listens& listens) {
  std::vector<std::string> bound;
  for (const auto& listen : AddressesToBind(listens.http()))
    bound.push_back(listen.address.ToText());
  return bound;
}

std::unique_ptr<ListenSockets> Open(const Listens& listens, int workers,
                                    const ListenSockets* previous = nullptr) {
  auto sockets =
      ListenSockets::Open(listens.http(), workers, previous, ListenSockets::Mode::kServe);
  return sockets.ok() ? std::move(sockets).value() : nullptr;
}

std::set<int> Descriptors(const ListenSockets& sockets) {
  const std::vector<int> all = sockets.descriptors();
  return {all.begin(), all.end()};
}

int Option(int fd, int level, int option) {
  int value = -1;
  socklen_t length = sizeof(value);
  ::getsockopt(fd, level, option, &value, &length);
  return value;
}

using Texts = std::vector<std::string>;

TEST(AddressesToBind, AWildcardCoversItsPortAndFamily) {
  Listens listens;
  listens.Add("127.0.0.1:80").Add("0.0.0.0:80").Add("127.0.0.1:81").Add("[::1]:80");
  EXPECT_EQ(Bound(listens), (Texts{"0.0.0.0:80", "127.0.0.1:81", "[::1]:80"}));
}

TEST(AddressesToBind, AnAddressWithOptionsIsBoundByItself) {
  Listens listens;
  listens.Add("0.0.0.0:80").Add("127.0.0.1:80");
  listens.last().bind = true;
  EXPECT_EQ(Bound(listens), (Texts{"0.0.0.0:80", "127.0.0.1:80"}));
}

TEST(AddressesToBind, TheListenWithOptionsDecides) {
  Listens listens;
  listens.Add("127.0.0.1:80").Add("127.0.0.1:80");
  listens.last().has_socket_options = true;
  listens.last().backlog = 7;
  const auto bound = AddressesToBind(listens.http());
  ASSERT_EQ(bound.size(), 1u);
  EXPECT_EQ(bound[0].backlog, 7);
}

TEST(ListenSockets, AreKeptByAddress) {
  const test::ReservedPort a, b, c;
  const auto at = [](const test::ReservedPort& port) {
    return "127.0.0.1:" + std::to_string(port.number());
  };
  const auto first = Open(Listens().Add(at(a)).Add(at(b)), 1);
  ASSERT_NE(first, nullptr);
  const auto second = Open(Listens().Add(at(c)).Add(at(a)), 1, first.get());
  ASSERT_NE(second, nullptr);
  std::set<int> shared;
  for (const int fd : Descriptors(*second)) {
    if (Descriptors(*first).count(fd) > 0) shared.insert(fd);
  }
  EXPECT_EQ(shared.size(), 1u);
  EXPECT_EQ(second->descriptors().size(), 2u);
}

TEST(ListenSockets, HaveTheirOptions) {
  const test::ReservedPort port;
  Listens listens;
  listens.Add("127.0.0.1:" + std::to_string(port.number()));
  listens.last().receive_buffer = 65536;
  listens.last().keepalive = true;
  listens.last().keepalive_idle = 77;
  listens.last().deferred = true;
  const auto sockets = Open(listens, 1);
  ASSERT_NE(sockets, nullptr);
  const int fd = sockets->descriptors().at(0);
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_RCVBUF), 131072);  // the kernel doubles it
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_GT(Option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
  // And lose them again.
  listens.last().deferred = false;
  listens.last().keepalive = false;
  const auto next = Open(listens, 1, sockets.get());
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->descriptors().at(0), fd);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(ListenSockets, WithReuseportAreOneForEachWorkerAndNoneIsAnOrphan) {
  const test::ReservedPort port;
  Listens listens;
  listens.Add("127.0.0.1:" + std::to_string(port.number()));
  const auto single = Open(listens, 2);
  ASSERT_NE(single, nullptr);
  EXPECT_EQ(single->ForWorker(0, 2).size(), 1u);
  EXPECT_EQ(single->ForWorker(1, 2).size(), 1u);

  listens.last().reuseport = true;
  const auto three = Open(listens, 3, single.get());
  ASSERT_NE(three, nullptr);
  EXPECT_EQ(three->descriptors().size(), 3u);
  EXPECT_EQ(three->descriptors().at(0), single->descriptors().at(0));
  std::set<int> owned;
  for (int index = 0; index < 3; ++index) {
    ASSERT_EQ(three->ForWorker(index, 3).size(), 1u);
    owned.insert(three->ForWorker(index, 3)[0].fd);
  }
  EXPECT_EQ(owned, Descriptors(*three));

  const auto two = Open(listens, 2, three.get());
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(Descriptors(*two), owned);
  EXPECT_EQ(two->ForWorker(0, 2).size() + two->ForWorker(1, 2).size(), 3u);
}

TEST(ListenSockets, PassThroughTheEnvironment) {
  const test::ReservedPort a, b;
  Listens listens;
  listens.Add("127.0.0.1:" + std::to_string(a.number()));
  listens.last().reuseport = true;
  listens.Add("127.0.0.1:" + std::to_string(b.number()));
  const auto old = Open(listens, 2);
  ASSERT_NE(old, nullptr);
  // As after exec: the numbers are the new binary's.
  std::string variable;
  for (const int fd : old->descriptors()) variable += std::to_string(::dup(fd)) + ";";
  const auto inherited = ListenSockets::Inherit(variable);
  EXPECT_EQ(inherited->ForInheritance(), variable);
  const auto fresh = Open(listens, 2, inherited.get());
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(Descriptors(*fresh), Descriptors(*inherited));
}

TEST(ListenSockets, StopReadingAVariableThatIsNotTheirs) {
  EXPECT_TRUE(ListenSockets::Inherit("").get()->descriptors().empty());
  EXPECT_TRUE(ListenSockets::Inherit("x;").get()->descriptors().empty());
  EXPECT_TRUE(ListenSockets::Inherit("1").get()->descriptors().empty());
}

TEST(ListenSockets, RemoveTheFileOfAUnixSocketUnlessItIsAnothers) {
  const test::TempDir directory;
  Listens listens;
  listens.Add("unix:" + directory.File("a.sock"));
  auto sockets = Open(listens, 1);
  ASSERT_NE(sockets, nullptr);
  EXPECT_TRUE(directory.Has("a.sock"));
  sockets.reset();
  EXPECT_FALSE(directory.Has("a.sock"));

  sockets = Open(listens, 1);
  ASSERT_NE(sockets, nullptr);
  sockets->LeaveFiles(true);
  sockets.reset();
  EXPECT_TRUE(directory.Has("a.sock"));
}

}  // namespace
}  // namespace framewall::process
