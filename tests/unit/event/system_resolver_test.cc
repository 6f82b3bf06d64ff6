#include "proxy/event/system_resolver.h"

#include <optional>

#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

using Answer = std::optional<Result<std::vector<IpAddress>>>;

TEST(SystemQuery, AnswersFromTheLoop) {
  EventLoop loop;
  Answer answer;
  const SystemQuery query(loop, "localhost",
                          [&](auto result) { answer.emplace(std::move(result)); });
  EXPECT_FALSE(answer.has_value());
  ASSERT_TRUE(RunUntil(loop, [&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->ok()) << answer->error().message;
  EXPECT_EQ("127.0.0.1", (*answer)->front().ToText());
}

TEST(SystemQuery, SaysThatAHostIsNotThere) {
  EventLoop loop;
  Answer answer;
  const SystemQuery query(loop, "no-such-host.invalid",
                          [&](auto result) { answer.emplace(std::move(result)); });
  ASSERT_TRUE(RunUntil(loop, [&] { return answer.has_value(); }));
  ASSERT_FALSE(answer->ok());
  EXPECT_TRUE(answer->error().message.starts_with("host not found")) << answer->error().message;
}

TEST(SystemQuery, ADestroyedOneIsNotHeardOf) {
  EventLoop loop;
  int calls = 0;
  for (int i = 0; i < 10; ++i) {
    const SystemQuery query(loop, "localhost", [&](const auto&) { ++calls; });
  }
  Answer last;
  const SystemQuery query(loop, "localhost", [&](auto result) { last.emplace(std::move(result)); });
  ASSERT_TRUE(RunUntil(loop, [&] { return last.has_value(); }));
  EXPECT_EQ(0, calls);
}

}  // namespace
}  // namespace framewall::event
