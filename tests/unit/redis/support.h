// What the tests of this room share: a loop, settings for a real server, commands that are waited
// for.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/redis/client.h"
#include "tests/support/redis_server.h"

namespace framewall::redis {

using std::chrono::milliseconds;
using test::RedisServer;

inline Endpoint EndpointOf(uint16_t port) {
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  return endpoint;
}

// Patient where a test is not about time: the machine may be slow.
inline Settings SettingsFor(uint16_t port) {
  Settings settings;
  settings.name = "edge";
  settings.servers = {EndpointOf(port)};
  settings.deadline = milliseconds(5000);
  settings.connect_timeout = milliseconds(5000);
  return settings;
}

inline std::string TextOf(const Result<Reply>& reply) {
  if (!reply.ok()) return "error: " + reply.error().message;
  switch (reply->kind) {
    case Reply::Kind::kNil:
      return "(nil)";
    case Reply::Kind::kInteger:
      return std::to_string(reply->integer);
    case Reply::Kind::kArray:
      return "array of " + std::to_string(reply->elements.size());
    default:
      return reply->text;
  }
}

class RedisTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::HasRedis()) GTEST_SKIP() << "redis-server is not installed";
  }

  bool RunUntil(const std::function<bool()>& done, milliseconds patience = milliseconds(15000)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop.RunOnce(milliseconds(10));
    }
    return true;
  }
  void RunFor(milliseconds time) {
    RunUntil([] { return false; }, time);
  }

  // One command, waited for.
  Result<Reply> Do(Client& client, std::string_view name, std::string_view key,
                   std::initializer_list<std::string_view> arguments = {}) {
    return Wait([&](Client::OnReply done) {
      return client.Execute(name, key, arguments, std::move(done));
    });
  }
  Result<Reply> Run(Client& client, const Script& script, std::string_view key,
                    std::initializer_list<std::string_view> arguments = {}) {
    return Wait([&](Client::OnReply done) {
      return client.Evaluate(script, key, arguments, std::move(done));
    });
  }
  Result<Reply> Wait(const std::function<Pending(Client::OnReply)>& start) {
    std::optional<Result<Reply>> answer;
    const Pending pending = start([&](Result<Reply> reply) { answer.emplace(std::move(reply)); });
    EXPECT_FALSE(answer.has_value()) << "called from within the call";
    if (!RunUntil([&] { return answer.has_value(); })) {
      return Error{ErrorKind::kOther, ErrorSource::kInternal, "the callback never came"};
    }
    return std::move(*answer);
  }

  event::EventLoop loop;
};

// A command whose outcome is looked at later.
struct Call {
  std::optional<Result<Reply>> reply;
  int calls = 0;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  milliseconds took{};
  Pending pending;

  Client::OnReply Done() {
    return [this](Result<Reply> result) {
      ++calls;
      took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
      reply.emplace(std::move(result));
    };
  }
  bool done() const { return reply.has_value(); }
  bool ok() const { return done() && reply->ok(); }
  bool failed_with(ErrorKind kind) const {
    return done() && !reply->ok() && reply->error().kind == kind;
  }
  std::string text() const { return done() ? TextOf(*reply) : "(waits)"; }
};

}  // namespace framewall::redis
