#include "proxy/event/timer.h"

#include <optional>

#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

using std::chrono::milliseconds;

TEST(Timer, FiresOnceAndNotBeforeItsTime) {
  EventLoop loop;
  int fired = 0;
  SteadyTime at;
  Timer timer(loop, [&] {
    ++fired;
    at = CachedNow().steady;
  });
  const SteadyTime start = CachedNow().steady;
  timer.Set(milliseconds(20));
  EXPECT_TRUE(timer.active());
  ASSERT_TRUE(RunUntil(loop, [&] { return fired == 1; }));
  EXPECT_FALSE(timer.active());
  EXPECT_GE(at - start, milliseconds(20));
  RunIdle(loop);
  EXPECT_EQ(1, fired);
}

TEST(Timer, ALaterDeadlineReplacesTheEarlier) {
  EventLoop loop;
  std::string order;
  Timer pushed(loop, [&] { order += "pushed"; });
  Timer other(loop, [&] { order += "other "; });
  pushed.Set(milliseconds(5));
  pushed.Set(milliseconds(60));
  other.Set(milliseconds(20));
  ASSERT_TRUE(RunUntil(loop, [&] { return order.size() > 7; }));
  EXPECT_EQ("other pushed", order);
}

TEST(Timer, AnEarlierDeadlineReplacesTheLater) {
  EventLoop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  timer.Set(std::chrono::hours(1));
  timer.Set(milliseconds(1));
  EXPECT_TRUE(RunUntil(loop, [&] { return fired; }));
}

TEST(Timer, DoesNotFireAfterCancelOrDestruction) {
  EventLoop loop;
  bool cancelled_fired = false, destroyed_fired = false, done = false;
  Timer cancelled(loop, [&] { cancelled_fired = true; });
  cancelled.Set(milliseconds(1));
  cancelled.Cancel();
  EXPECT_FALSE(cancelled.active());
  std::optional<Timer> destroyed(std::in_place, loop, [&] { destroyed_fired = true; });
  destroyed->Set(milliseconds(1));
  destroyed.reset();
  Timer last(loop, [&] { done = true; });
  last.Set(milliseconds(20));
  ASSERT_TRUE(RunUntil(loop, [&] { return done; }));
  EXPECT_FALSE(cancelled_fired);
  EXPECT_FALSE(destroyed_fired);
}

TEST(Timer, CanBeSetAgainAfterCancelAndInItsCallback) {
  EventLoop loop;
  int fired = 0;
  Timer* self = nullptr;
  Timer timer(loop, [&] {
    if (++fired < 3) self->Set(milliseconds(1));
  });
  self = &timer;
  timer.Set(milliseconds(1));
  timer.Cancel();
  timer.Set(milliseconds(2));
  EXPECT_TRUE(RunUntil(loop, [&] { return fired == 3; }));
}

TEST(Timer, TakesTheLongestTime) {
  EventLoop loop;
  Timer timer(loop, [] { FAIL(); });
  timer.Set(milliseconds::max());
  RunIdle(loop);
  EXPECT_TRUE(timer.active());
}

}  // namespace
}  // namespace framewall::event
