#include "proxy/event/loop.h"

#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "proxy/event/listener.h"
#include "proxy/event/signal.h"
#include "proxy/event/timer.h"
#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, RunsPostedTasksWithoutWaiting) {
  EventLoop loop;
  std::string order;
  loop.Post([&] {
    order += "a";
    loop.Post([&] {
      order += "c";
      loop.Stop();
    });
    order += "b";
  });
  loop.Run();
  EXPECT_EQ("abc", order);
}

TEST(EventLoop, StopBeforeRunReturnsAtOnceAndTheNextRunRuns) {
  EventLoop loop;
  loop.Stop();
  loop.Run();
  bool ran = false;
  loop.Post([&] {
    ran = true;
    loop.Stop();
  });
  loop.Run();
  EXPECT_TRUE(ran);
}

struct NotesDestruction {
  explicit NotesDestruction(bool* flag) : gone(flag) {}
  ~NotesDestruction() { *gone = true; }
  bool* gone;
};

TEST(EventLoop, RetiredObjectsLiveUntilTheCallbackHasReturned) {
  EventLoop loop;
  bool gone = false;
  bool gone_inside = true;
  Timer timer(loop, [&] {
    loop.Retire(std::make_unique<NotesDestruction>(&gone));
    gone_inside = gone;
  });
  timer.Set(milliseconds(0));
  ASSERT_TRUE(RunUntil(loop, [&] { return gone; }));
  EXPECT_FALSE(gone_inside);
}

TEST(EventLoop, DestroysWhatIsStillRetiredOrPosted) {
  bool gone = false;
  {
    EventLoop loop;
    loop.Retire(std::make_unique<NotesDestruction>(&gone));
    loop.Post([] { FAIL() << "nobody runs this"; });
  }
  EXPECT_TRUE(gone);
}

class CountsFlushes : public Flushable {
 public:
  void Flush() override {
    ++flushes;
    if (on_flush) on_flush();
  }
  int flushes = 0;
  std::function<void()> on_flush;
};

TEST(EventLoop, FlushesWhenTheOutermostCallbackReturns) {
  EventLoop loop;
  CountsFlushes out;
  loop.EnterCallback();
  loop.EnterCallback();
  loop.RequestFlush(&out);
  loop.LeaveCallback();
  EXPECT_EQ(0, out.flushes);
  EXPECT_TRUE(loop.InCallback());
  loop.LeaveCallback();
  EXPECT_EQ(1, out.flushes);
  EXPECT_FALSE(loop.InCallback());
}

TEST(EventLoop, FlushesWhatAFlushAskedFor) {
  EventLoop loop;
  CountsFlushes first, second, forgotten;
  first.on_flush = [&] {
    loop.RequestFlush(&second);
    loop.ForgetFlush(&forgotten);
  };
  loop.EnterCallback();
  loop.RequestFlush(&first);
  loop.RequestFlush(&forgotten);
  loop.LeaveCallback();
  EXPECT_EQ(1, second.flushes);
  EXPECT_EQ(0, forgotten.flushes);
}

// Two timers that are due in one turn: what the first asks to flush, the second sees as told.
class FlushesOfOneTurn : public ::testing::Test {
 protected:
  void Run(const std::function<void()>& between) {
    Timer first(loop, [&] { loop.RequestFlush(&out); });
    Timer second(loop, [&] { between(); });
    Timer third(loop, [&] { seen = out.flushes; });
    first.Set(milliseconds(1));
    second.Set(milliseconds(2));
    third.Set(milliseconds(3));
    std::this_thread::sleep_for(milliseconds(20));  // libevent's clock ticks coarsely
    loop.RunOnce(milliseconds(0));
  }

  EventLoop loop;
  CountsFlushes out;
  int seen = -1;
};

TEST_F(FlushesOfOneTurn, WaitForItsEnd) {
  Run([] {});
  EXPECT_EQ(0, seen);
  EXPECT_EQ(1, out.flushes);
}

TEST_F(FlushesOfOneTurn, DoNotWaitForLongWork) {
  Run([&] { std::this_thread::sleep_for(2 * EventLoop::kLongestHold); });
  EXPECT_EQ(1, seen);
  EXPECT_EQ(1, out.flushes);
}

TEST(EventLoop, WaitsNoLongerThanAsked) {
  EventLoop loop;
  loop.RunOnce(milliseconds(1));
  loop.RunOnce(milliseconds(0));
}

TEST(Signal, CallsBackUntilDestroyed) {
  EventLoop loop;
  int seen = 0;
  {
    Signal signal(loop, SIGUSR1, [&] { ++seen; });
    ::raise(SIGUSR1);
    ASSERT_TRUE(RunUntil(loop, [&] { return seen == 1; }));
  }
  struct sigaction action {};
  ::sigaction(SIGUSR1, nullptr, &action);
  EXPECT_EQ(SIG_DFL, action.sa_handler);
}

TEST(EventLoop, WorksInAForkedChild) {
  EventLoop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  timer.Set(milliseconds(1));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    loop.ReinitAfterFork();
    ::_exit(RunUntil(loop, [&] { return fired; }) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
  EXPECT_TRUE(RunUntil(loop, [&] { return fired; }));
}

UniqueFd ConnectTo(const SocketAddress& address) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(0, ::connect(fd.get(), address.get(), address.length()));
  return fd;
}

TEST(Listener, GivesConnectedSocketsAndTheirPeer) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  std::vector<UniqueFd> accepted;
  SocketAddress peer;
  Listener listener(
      loop, fd.get(), true,
      [&](int connected, const SocketAddress& from) {
        accepted.emplace_back(connected);
        peer = from;
      },
      nullptr);
  UniqueFd a = ConnectTo(address), b = ConnectTo(address);
  ASSERT_TRUE(RunUntil(loop, [&] { return accepted.size() == 2; }));
  EXPECT_EQ("127.0.0.1", peer.HostText());
  EXPECT_NE(0, ::fcntl(accepted[0].get(), F_GETFL) & O_NONBLOCK);
  EXPECT_NE(0, ::fcntl(accepted[0].get(), F_GETFD) & FD_CLOEXEC);
}

TEST(Listener, AcceptsNothingWhilePaused) {
  EventLoop loop;
  auto [fd, address] = ListenTcp();
  int accepted = 0;
  Listener listener(
      loop, fd.get(), false,
      [&](int connected, const SocketAddress&) {
        ::close(connected);
        ++accepted;
        listener.Pause();
      },
      nullptr);
  UniqueFd a = ConnectTo(address), b = ConnectTo(address);
  ASSERT_TRUE(RunUntil(loop, [&] { return accepted == 1; }));
  RunIdle(loop);
  EXPECT_EQ(1, accepted);
  listener.Resume();
  ASSERT_TRUE(RunUntil(loop, [&] { return accepted == 2; }));
}

}  // namespace
}  // namespace framewall::event
