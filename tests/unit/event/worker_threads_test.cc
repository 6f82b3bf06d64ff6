#include "proxy/event/worker_threads.h"

#include <signal.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

using Ticket = std::unique_ptr<WorkerThreads::Ticket>;
using Clock = std::chrono::steady_clock;

class Task final : public WorkerThreads::Job {
 public:
  explicit Task(std::function<void()> work) : work_(std::move(work)) {}
  void Run() override { work_(); }

 private:
  std::function<void()> work_;
};

std::shared_ptr<Task> Do(std::function<void()> work) {
  return std::make_shared<Task>(std::move(work));
}

// Holds threads up until it is opened, at the latest when it goes.
class Gate {
 public:
  ~Gate() { Open(); }
  std::function<void()> Waiter() {
    return [this, open = open_.get_future().share()] {
      ++arrived;
      open.wait();
    };
  }
  void Open() {
    if (!std::exchange(is_open_, true)) open_.set_value();
  }
  std::atomic<int> arrived = 0;

 private:
  std::promise<void> open_;
  bool is_open_ = false;
};

TEST(WorkerThreads, RunsAJobElsewhereAndSaysSoOnTheLoop) {
  EventLoop loop;
  WorkerThreads threads(loop, 2, 4);
  EXPECT_EQ(0u, threads.thread_count());
  std::thread::id worked;
  std::thread::id told;
  const Ticket ticket = threads.Submit(Do([&] { worked = std::this_thread::get_id(); }),
                                       [&] { told = std::this_thread::get_id(); });
  ASSERT_NE(nullptr, ticket);
  EXPECT_EQ(1u, threads.thread_count());
  ASSERT_TRUE(RunUntil(loop, [&] { return told != std::thread::id(); }));
  EXPECT_EQ(std::this_thread::get_id(), told);
  EXPECT_NE(std::this_thread::get_id(), worked);
  EXPECT_NE(std::thread::id(), worked);
}

TEST(WorkerThreads, TakesAsManyAsThreadsAndQueueHold) {
  EventLoop loop;
  Gate gate;
  WorkerThreads threads(loop, 2, 3);
  const auto wait = gate.Waiter();
  std::vector<Ticket> tickets;
  int done = 0;
  for (int i = 0; i < 5; ++i) {
    tickets.push_back(threads.Submit(Do(wait), [&] { ++done; }));
    EXPECT_NE(nullptr, tickets.back()) << i;
  }
  EXPECT_EQ(nullptr, threads.Submit(Do(wait), [&] { ++done; }));
  EXPECT_EQ(2u, threads.thread_count());
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return done == 5; }));
  tickets.push_back(threads.Submit(Do(wait), [&] { ++done; }));
  EXPECT_NE(nullptr, tickets.back());
  ASSERT_TRUE(RunUntil(loop, [&] { return done == 6; }));
}

TEST(WorkerThreads, AJobWithoutTicketNeverBegins) {
  EventLoop loop;
  Gate gate;
  WorkerThreads threads(loop, 1, 2);
  bool first_done = false;
  bool begun = false;
  const Ticket first = threads.Submit(Do(gate.Waiter()), [&] { first_done = true; });
  Ticket second = threads.Submit(Do([&] { begun = true; }), [] { ADD_FAILURE(); });
  second.reset();
  // Its place is free at once.
  bool third_done = false;
  bool fourth_done = false;
  const Ticket third = threads.Submit(Do([] {}), [&] { third_done = true; });
  const Ticket fourth = threads.Submit(Do([] {}), [&] { fourth_done = true; });
  EXPECT_NE(nullptr, fourth);
  gate.Open();
  ASSERT_TRUE(RunUntil(loop, [&] { return first_done && third_done && fourth_done; }));
  EXPECT_FALSE(begun);
}

TEST(WorkerThreads, NobodyIsToldWhoseTicketWentWhileItRan) {
  EventLoop loop;
  Gate gate;
  WorkerThreads threads(loop, 1, 2);
  Ticket ticket = threads.Submit(Do(gate.Waiter()), [] { ADD_FAILURE(); });
  while (gate.arrived == 0) std::this_thread::yield();
  ticket.reset();
  gate.Open();
  bool done = false;
  const Ticket next = threads.Submit(Do([] {}), [&] { done = true; });
  EXPECT_TRUE(RunUntil(loop, [&] { return done; }));
}

TEST(WorkerThreads, WhoIsToldMayEndHisTicketAndAskAgain) {
  EventLoop loop;
  WorkerThreads threads(loop, 1, 2);
  bool done = false;
  Ticket ticket;
  ticket = threads.Submit(Do([] {}), [&] {
    ticket.reset();
    ticket = threads.Submit(Do([] {}), [&] { done = true; });
  });
  EXPECT_TRUE(RunUntil(loop, [&] { return done; }));
}

TEST(WorkerThreads, NoSignalReachesThem) {
  EventLoop loop;
  WorkerThreads threads(loop, 1, 2);
  sigset_t blocked;
  sigemptyset(&blocked);
  bool done = false;
  const Ticket ticket = threads.Submit(Do([&] { ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked); }),
                                       [&] { done = true; });
  ASSERT_TRUE(RunUntil(loop, [&] { return done; }));
  for (const int number : {SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM}) {
    EXPECT_EQ(1, sigismember(&blocked, number)) << number;
  }
  sigset_t ours;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &ours);
  EXPECT_EQ(0, sigismember(&ours, SIGTERM));
}

TEST(WorkerThreads, TheEndWaitsForAShortJobAndNotForALongOne) {
  std::atomic<bool> short_done = false;
  {
    EventLoop loop;
    WorkerThreads threads(loop, 1, 1);
    Gate started;
    Ticket ticket = threads.Submit(Do([&] {
                                     ++started.arrived;
                                     std::this_thread::sleep_for(std::chrono::milliseconds(50));
                                     short_done = true;
                                   }),
                                   [] { ADD_FAILURE(); });
    while (started.arrived == 0) std::this_thread::yield();
    ticket.reset();
  }
  EXPECT_TRUE(short_done);

  // What a thread that was left to itself uses must live on.
  static Gate gate;
  static std::atomic<bool> released = false;
  const auto begin = Clock::now();
  {
    EventLoop loop;
    WorkerThreads threads(loop, 1, 1);
    Ticket ticket = threads.Submit(Do([wait = gate.Waiter()] {
                                     wait();
                                     released = true;
                                   }),
                                   [] { ADD_FAILURE(); });
    while (gate.arrived == 0) std::this_thread::yield();
    ticket.reset();
  }
  EXPECT_GE(Clock::now() - begin, WorkerThreads::kLongestFarewell);
  EXPECT_LT(Clock::now() - begin, WorkerThreads::kLongestFarewell * 5);
  EXPECT_FALSE(released);
  gate.Open();
  while (!released) std::this_thread::yield();
}

}  // namespace
}  // namespace framewall::event
