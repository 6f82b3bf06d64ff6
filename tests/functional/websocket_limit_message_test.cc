// websocket_limit_message: one rate for all of a user's sockets and workers, here and over Redis;
// what becomes of a message too many; order.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/functional/limits_testing.h"
#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

enum class Where { kHere, kRedis };

class MessageLimit : public ::testing::TestWithParam<Where> {
 protected:
  // `use` is what stands behind zone=a of websocket_limit_message.
  void Start(const std::string& rate, const std::string& use, const std::string& zone = "",
             int workers = 2) {
    std::string http;
    if (GetParam() == Where::kRedis) {
      ASSERT_TRUE(redis_.Start()) << redis_.Log();
      http = "redis edge { server " + redis_.address() + "; timeout 500ms; max_fails 1; }\n";
    }
    http += "limit_req_zone $arg_user zone=a:1m rate=" + rate;
    if (GetParam() == Where::kRedis) http += " redis=edge " + zone;
    std::string config = SocketServer(upstream_, "websocket_limit_message zone=a " + use + ";", "",
                                      "worker_processes " + std::to_string(workers) + ";");
    const std::string begin = "http {";
    config.insert(config.find(begin) + begin.size(), "\n" + http + ";\n");
    // Both workers take connections.
    const std::string port = "%%PORT_0%%";
    config.insert(config.find(port) + port.size(), " reuseport");
    proxy_ = std::make_unique<ProxyProcess>(config);
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  std::unique_ptr<WebSocketClient> Open(const std::string& user) {
    return std::make_unique<WebSocketClient>(proxy_->port(0), To("/?user=" + user));
  }

  RedisServer redis_;
  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

INSTANTIATE_TEST_SUITE_P(Zones, MessageLimit, ::testing::Values(Where::kHere, Where::kRedis),
                         [](const auto& one) {
                           return one.param == Where::kHere ? "Here" : "Redis";
                         });

TEST_P(MessageLimit, HoldsOverAllSocketsOfAUser) {
  Start("1r/m", "burst=5 nodelay drop");
  std::vector<std::unique_ptr<WebSocketClient>> sockets;
  for (int i = 0; i < 6; ++i) sockets.push_back(Open("one"));
  const auto stranger = Open("two");
  for (int i = 0; i < 20; ++i) {
    (*sockets[static_cast<size_t>(i) % sockets.size()])->SendText("m" + std::to_string(i));
  }
  int answers = 0;
  for (const auto& socket : sockets) {
    while ((*socket)->Read(milliseconds(700)).kind == Kind::kText) ++answers;
  }
  EXPECT_EQ(answers, 6) << "the burst and one";
  (*stranger)->SendText("free");
  EXPECT_EQ((*stranger)->Read().payload, "free");
  EXPECT_EQ(proxy_->CountInLog("limiting messages, excess: "), 14u);
}

TEST_P(MessageLimit, CountsNothingWithoutAKey) {
  Start("1r/m", "close");
  const auto socket = Open("");
  for (int i = 0; i < 10; ++i) {
    (*socket)->SendText("m" + std::to_string(i));
    EXPECT_EQ((*socket)->Read().payload, "m" + std::to_string(i));
  }
}

TEST_P(MessageLimit, ClosesUnlessToldOtherwise) {
  Start("1r/m", "burst=1 nodelay");
  const auto socket = Open("one");
  for (const char* text : {"m0", "m1"}) {
    (*socket)->SendText(text);
    EXPECT_EQ((*socket)->Read().payload, text);
  }
  (*socket)->SendText("m2");
  EXPECT_CLOSED_WITH(socket->end(), 1008);
  // A new socket of the same user is no way out.
  const auto again = Open("one");
  (*again)->SendText("m3");
  EXPECT_CLOSED_WITH(again->end(), 1008);
}

TEST_P(MessageLimit, AnswersWithAnError) {
  Start("1r/m", "burst=1 nodelay 'error={\"e\":1}'");
  const auto socket = Open("one");
  for (int i = 0; i < 3; ++i) (*socket)->SendText("m" + std::to_string(i));
  // The error may overtake echoes that still come from the upstream.
  std::vector<std::string> all;
  for (int i = 0; i < 3; ++i) all.push_back((*socket)->Read().payload);
  EXPECT_EQ(std::count(all.begin(), all.end(), "{\"e\":1}"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "m0"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "m1"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "m2"), 0);
}

TEST_P(MessageLimit, DelaysInOrder) {
  Start("20r/s", "burst=10");
  const auto socket = Open("one");
  std::string octets;
  for (int i = 0; i < 6; ++i) octets += ClientFrame(kOpText, "m" + std::to_string(i), true);
  const auto began = Clock::now();
  // In one segment: what is behind the first waits in the hop.
  (*socket)->Send(octets);
  for (int i = 0; i < 6; ++i) EXPECT_EQ((*socket)->Read().payload, "m" + std::to_string(i));
  EXPECT_GE(Clock::now() - began, milliseconds(5 * 50 - 20)) << "five periods";
  (*socket)->SendClose(1000);
  EXPECT_CLOSED_WITH(socket->end(), 1000);
}

TEST_P(MessageLimit, EndsWhileAMessageWaits) {
  Start("1r/m", "burst=10", "", 1);
  const auto socket = Open("one");
  (*socket)->SendText("m0");
  EXPECT_EQ((*socket)->Read().payload, "m0");
  (*socket)->SendText("m1");
  const auto other = Open("two");
  (*other)->SendText("x");
  EXPECT_EQ((*other)->Read().payload, "x");
  socket->raw().Reset();
  other->raw().Close();
  // The message is lost with its socket; the worker lives.
  const auto third = Open("three");
  (*third)->SendText("y");
  EXPECT_EQ((*third)->Read().payload, "y");
  EXPECT_EQ(proxy_->Terminate(), 0);
}

using MessageLimitOutage = MessageLimit;
INSTANTIATE_TEST_SUITE_P(Zones, MessageLimitOutage, ::testing::Values(Where::kRedis),
                         [](const auto&) { return "Redis"; });

TEST_P(MessageLimitOutage, WaitsNoLongerThanTheTimeout) {
  Start("1r/m", "burst=1 nodelay drop", "redis_down=pass");
  const auto socket = Open("one");
  (*socket)->SendText("m0");
  EXPECT_EQ((*socket)->Read().payload, "m0");
  redis_.Signal(SIGSTOP);
  const auto began = Clock::now();
  for (int i = 1; i < 5; ++i) (*socket)->SendText("m" + std::to_string(i));
  for (int i = 1; i < 5; ++i) EXPECT_EQ((*socket)->Read().payload, "m" + std::to_string(i));
  EXPECT_GE(Clock::now() - began, milliseconds(450)) << "the first waits until it is given up";
  EXPECT_LE(Clock::now() - began, milliseconds(1500)) << "the others do not: the breaker is open";
  redis_.Signal(SIGCONT);
}

}  // namespace
}  // namespace framewall::test
