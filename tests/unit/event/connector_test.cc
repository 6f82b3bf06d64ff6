#include "proxy/event/connector.h"

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

using std::chrono::milliseconds;

struct Outcome {
  int calls = 0;
  std::unique_ptr<Stream> stream;
  std::optional<Error> error;
  Connector::OnDone Take() {
    return [this](Result<std::unique_ptr<Stream>> result) {
      ++calls;
      if (result.ok()) {
        stream = std::move(*result);
      } else {
        error = result.error();
      }
    };
  }
};

TEST(Connector, ConnectsAndKnowsBothAddresses) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  Outcome outcome;
  Connector connector(loop, address, {}, outcome.Take());
  EXPECT_EQ(0, outcome.calls);
  ASSERT_TRUE(RunUntil(loop, [&] { return outcome.calls == 1; }));
  ASSERT_NE(nullptr, outcome.stream);
  EXPECT_EQ(address, outcome.stream->peer_address());
  EXPECT_EQ("127.0.0.1", outcome.stream->local_address().HostText());
  EXPECT_NE(0, outcome.stream->local_address().port());
}

TEST(Connector, TellsOfRefusal) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  fd.Reset();
  Outcome outcome;
  Connector connector(loop, address, {}, outcome.Take());
  EXPECT_EQ(0, outcome.calls);
  ASSERT_TRUE(RunUntil(loop, [&] { return outcome.calls == 1; }));
  ASSERT_TRUE(outcome.error.has_value());
  EXPECT_EQ(ErrorKind::kRefused, outcome.error->kind);
  EXPECT_EQ(ErrorSource::kUpstream, outcome.error->source);
  EXPECT_EQ(ECONNREFUSED, outcome.error->system_errno);
  EXPECT_EQ("connect() failed", outcome.error->message);
}

TEST(Connector, GivesUpAtTheDeadline) {
  EventLoop loop;
  // A listener whose queue is full answers no more.
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SocketAddress any = *SocketAddress::Parse("127.0.0.1:0");
  ASSERT_EQ(0, ::bind(fd.get(), any.get(), any.length()));
  ASSERT_EQ(0, ::listen(fd.get(), 0));
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  const SocketAddress address =
      SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
  std::vector<UniqueFd> fill;
  for (int i = 0; i < 4; ++i) {
    fill.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fill.back().get(), address.get(), address.length());
  }
  Outcome outcome;
  ConnectOptions options;
  options.timeout = milliseconds(30);
  Connector connector(loop, address, options, outcome.Take());
  ASSERT_TRUE(RunUntil(loop, [&] { return outcome.calls == 1; }));
  ASSERT_TRUE(outcome.error.has_value());
  EXPECT_EQ(ErrorKind::kTimeout, outcome.error->kind);
  EXPECT_EQ(ETIMEDOUT, outcome.error->system_errno);
}

TEST(Connector, ConnectsToUnixSocketsAndTellsWhereThereIsNone) {
  EventLoop loop;
  char directory[] = "/tmp/fw-connector-XXXXXX";
  ASSERT_NE(nullptr, ::mkdtemp(directory));
  const std::string path = std::string(directory) + "/s";
  const SocketAddress address = *SocketAddress::FromUnixPath(path);

  Outcome missing;
  Connector none(loop, address, {}, missing.Take());
  EXPECT_EQ(0, missing.calls);
  ASSERT_TRUE(RunUntil(loop, [&] { return missing.calls == 1; }));
  EXPECT_EQ(ENOENT, missing.error->system_errno);
  EXPECT_EQ("connect() to unix:" + path + " failed", missing.error->message);

  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(0, ::bind(fd.get(), address.get(), address.length()));
  ASSERT_EQ(0, ::listen(fd.get(), 1));
  Outcome outcome;
  Connector connector(loop, address, {}, outcome.Take());
  EXPECT_EQ(0, outcome.calls);
  ASSERT_TRUE(RunUntil(loop, [&] { return outcome.calls == 1; }));
  EXPECT_NE(nullptr, outcome.stream);
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST(Connector, DestroyedItNeverCalls) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  const SocketAddress nowhere = *SocketAddress::FromUnixPath("/nonexistent/socket");
  Outcome outcome;
  { Connector connector(loop, address, {}, outcome.Take()); }
  { Connector connector(loop, nowhere, {}, outcome.Take()); }
  RunIdle(loop);
  EXPECT_EQ(0, outcome.calls);
}

TEST(Connector, MayBeDestroyedInItsCallback) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  std::unique_ptr<Connector> connector;
  bool called = false;
  connector = std::make_unique<Connector>(loop, address, ConnectOptions{},
                                          [&](Result<std::unique_ptr<Stream>> result) {
                                            EXPECT_TRUE(result.ok());
                                            connector.reset();
                                            called = true;
                                          });
  EXPECT_TRUE(RunUntil(loop, [&] { return called; }));
}

TEST(Connector, BindsToTheLocalAddress) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  Outcome outcome;
  ConnectOptions options;
  options.bind = SocketAddress::FromIp(*IpAddress::Parse("127.0.0.2"), 0);
  Connector connector(loop, address, options, outcome.Take());
  ASSERT_TRUE(RunUntil(loop, [&] { return outcome.calls == 1; }));
  ASSERT_NE(nullptr, outcome.stream);
  EXPECT_EQ("127.0.0.2", outcome.stream->local_address().HostText());
}

}  // namespace
}  // namespace framewall::event
