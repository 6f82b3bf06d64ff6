// A single real Redis that is killed, stopped, restarted: deadlines, late replies, the breaker.
#include <signal.h>

#include <algorithm>
#include <thread>

#include "proxy/base/log.h"
#include "proxy/event/timer.h"
#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

// What the main log is told meanwhile.
class LogRecorder : public LogSink {
 public:
  LogRecorder() : before_(MainLog()) {
    Log log;
    log.Add(std::shared_ptr<LogSink>(this, [](LogSink*) {}), LogLevel::kInfo);
    SetMainLog(std::move(log));
  }
  ~LogRecorder() override { SetMainLog(before_); }
  void WriteLine(LogLevel, std::string_view line) override { lines += line; }
  Status Reopen() override { return OkStatus(); }
  size_t Count(std::string_view text) const {
    size_t count = 0;
    for (size_t at = 0; (at = lines.find(text, at)) != lines.npos; at += text.size()) ++count;
    return count;
  }
  std::string lines;

 private:
  Log before_;
};

class OutageTest : public RedisTest {
 protected:
  void SetUp() override {
    RedisTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(redis.Start()) << redis.Log();
    settings = SettingsFor(redis.port());
    settings.deadline = milliseconds(100);
    settings.connect_timeout = milliseconds(500);
    settings.breaker_failures = 1000000;  // but where the breaker is the subject
    settings.breaker_pause = milliseconds(100);
  }
  // An ordinary timer of 110 ms: what a deadline of 100 ms must come before, however late this
  // machine is at the moment.
  struct Control {
    explicit Control(event::EventLoop& loop)
        : timer(loop, [this] {
            took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() -
                                                            started);
          }) {
      loop.RunOnce(milliseconds(0));  // the loop's clock is that of its last turn
      started = std::chrono::steady_clock::now();
      timer.Set(milliseconds(110));
    }
    std::chrono::steady_clock::time_point started;
    std::optional<milliseconds> took;
    event::Timer timer;
  };
  bool Works(Client& client) { return Do(client, "SET", "works", {"1"}).ok(); }

  RedisServer redis;
  Settings settings;
};

TEST_F(OutageTest, AStoppedServerCostsTheDeadlineAndNotMore) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  const Control control(loop);
  std::vector<Call> calls(20);
  for (Call& call : calls) call.pending = client.Execute("GET", "a", {}, call.Done());
  ASSERT_TRUE(RunUntil([&] { return calls.back().done() && control.took.has_value(); }));
  redis.Signal(SIGCONT);
  for (const Call& call : calls) {
    EXPECT_TRUE(call.failed_with(ErrorKind::kTimeout)) << call.text();
    EXPECT_GE(call.took, milliseconds(99));
    EXPECT_LE(call.took, *control.took);
  }
  EXPECT_EQ("error: redis \"edge\": no answer within 100 ms", calls[0].text());
  EXPECT_EQ(20u, client.counters().timeouts);
}

TEST_F(OutageTest, ADeadlineOfItsOwnIsKept) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  Call late, soon;
  const std::vector<std::string_view> none;
  late.pending = client.Execute("GET", "a", none, late.Done(), milliseconds(200));
  soon.pending = client.Execute("GET", "a", none, soon.Done(), milliseconds(20));
  ASSERT_TRUE(RunUntil([&] { return late.done(); }));
  redis.Signal(SIGCONT);
  EXPECT_GE(soon.took, milliseconds(19));
  EXPECT_LE(soon.took, milliseconds(150));
  EXPECT_GE(late.took, milliseconds(199));
  EXPECT_LE(late.took, milliseconds(400));
}

TEST_F(OutageTest, WhatATurnDidBeforeTheCallIsNotTheServersDelay) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  Call call;
  loop.Post([&] {
    std::this_thread::sleep_for(milliseconds(150));  // as rules over a large body
    call.pending = client.Execute("INCR", "a", {}, call.Done());
  });
  ASSERT_TRUE(RunUntil([&] { return call.done(); }));
  EXPECT_EQ("1", call.text());
}

TEST_F(OutageTest, LateRepliesMeetNobodyElse) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  std::vector<Call> lost(10);
  for (size_t i = 0; i < lost.size(); ++i) {
    lost[i].pending = client.Execute("SET", "lost" + std::to_string(i), {"x"}, lost[i].Done());
  }
  ASSERT_TRUE(RunUntil([&] { return lost.back().done(); }));
  // Sent behind them in the same connection, answered after them.
  Call next;
  next.pending = client.Execute("INCR", "count", {}, next.Done());
  loop.RunOnce(milliseconds(0));
  redis.Signal(SIGCONT);
  ASSERT_TRUE(RunUntil([&] { return next.done(); }));
  EXPECT_EQ("1", next.text());
  EXPECT_EQ(10u, client.counters().late);
  EXPECT_EQ(1u, client.counters().connects);
  for (const Call& call : lost) EXPECT_EQ(1, call.calls);
}

TEST_F(OutageTest, AStalledConnectionIsDropped) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  Call call;
  call.pending = client.Execute("GET", "a", {}, call.Done());
  ASSERT_TRUE(RunUntil([&] { return client.counters().disconnects == 1; }));
  const auto age = std::chrono::steady_clock::now() - call.started;
  EXPECT_GE(age, milliseconds(299));  // three deadlines
  EXPECT_LE(age, milliseconds(400));
  // The kernel still takes connections for it; nobody waits for them.
  Call next;
  next.pending = client.Execute("GET", "a", {}, next.Done());
  ASSERT_TRUE(RunUntil([&] { return next.done(); }));
  EXPECT_TRUE(next.failed_with(ErrorKind::kUnavailable)) << next.text();
  EXPECT_LE(next.took, milliseconds(20));
  redis.Signal(SIGCONT);
  EXPECT_TRUE(RunUntil([&] { return Works(client); }));
}

TEST_F(OutageTest, ACommandWithMoreTimeIsWaitedForLonger) {
  settings.deadline = milliseconds(20);
  Client client(loop, settings);
  ASSERT_TRUE(RunUntil([&] { return Works(client); }));
  redis.Signal(SIGSTOP);
  Call call;
  const std::vector<std::string_view> none;
  call.pending = client.Execute("INCR", "a", none, call.Done(), milliseconds(5000));
  RunFor(milliseconds(200));  // ten deadlines of the others
  EXPECT_FALSE(call.done());
  redis.Signal(SIGCONT);
  ASSERT_TRUE(RunUntil([&] { return call.done(); }));
  EXPECT_EQ("1", call.text());
  EXPECT_EQ(0u, client.counters().disconnects);
}

TEST_F(OutageTest, AKilledServerFailsWhatItWasSentAndIsFoundAgain) {
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);  // so that it cannot answer
  Call sent;
  sent.pending = client.Execute("GET", "a", {}, sent.Done());
  RunFor(milliseconds(10));
  redis.Kill();
  ASSERT_TRUE(RunUntil([&] { return sent.done(); }));
  EXPECT_TRUE(sent.failed_with(ErrorKind::kClosed)) << sent.text();
  EXPECT_LE(sent.took, milliseconds(90));

  std::vector<Call> refused(5);
  for (Call& call : refused) {
    call.started = std::chrono::steady_clock::now();
    call.pending = client.Execute("GET", "a", {}, call.Done());
    ASSERT_TRUE(RunUntil([&] { return call.done(); }));
    EXPECT_TRUE(call.failed_with(ErrorKind::kUnavailable)) << call.text();
    EXPECT_LE(call.took, milliseconds(60));
  }
  ASSERT_TRUE(redis.Start()) << redis.Log();
  EXPECT_TRUE(RunUntil([&] { return Works(client); }));
}

TEST_F(OutageTest, AServerThatIsNotThereAtTheStartIsFoundLater) {
  redis.Kill();
  settings.deadline = milliseconds(1000);
  Client client(loop, settings);
  Call call;
  call.pending = client.Execute("GET", "a", {}, call.Done());
  ASSERT_TRUE(RunUntil([&] { return call.done(); }));
  EXPECT_TRUE(call.failed_with(ErrorKind::kUnavailable)) << call.text();
  EXPECT_LE(call.took, milliseconds(200));  // refused, not waited for
  ASSERT_TRUE(redis.Start()) << redis.Log();
  // Without any command in between.
  EXPECT_TRUE(RunUntil([&] { return client.counters().connects == 1; }));
  EXPECT_TRUE(Works(client));
}

TEST_F(OutageTest, AnIdleConnectionThatTheServerClosedIsNoFailure) {
  Client client(loop, settings);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Works(client));
    redis.Ask({"CLIENT", "KILL", "TYPE", "normal"});
    RunFor(milliseconds(10));
  }
  EXPECT_TRUE(Works(client));
  EXPECT_EQ(0u, client.counters().errors);
  EXPECT_EQ(6u, client.counters().connects);
}

TEST_F(OutageTest, TheBreakerOpensAndClosesAndSaysSoOnce) {
  LogRecorder log;
  settings.breaker_failures = 4;
  Client client(loop, settings);
  std::vector<BreakerState> changes;
  client.OnBreakerChange([&](BreakerState state) { changes.push_back(state); });
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(client.available());
    Call call;
    call.pending = client.Execute("GET", "a", {}, call.Done());
    ASSERT_TRUE(RunUntil([&] { return call.done(); }));
  }
  EXPECT_FALSE(client.available());
  EXPECT_EQ(BreakerState::kOpen, client.breaker());
  for (int i = 0; i < 50; ++i) {
    Call call;
    call.pending = client.Execute("GET", "a", {}, call.Done());
    EXPECT_FALSE(call.done());
    ASSERT_TRUE(RunUntil([&] { return call.done(); }));
    EXPECT_TRUE(call.failed_with(ErrorKind::kUnavailable));
    EXPECT_LE(call.took, milliseconds(20));
  }
  EXPECT_EQ(50u, client.counters().rejected);
  // Some of its own questions go unanswered.
  RunFor(milliseconds(700));
  EXPECT_EQ(BreakerState::kOpen, client.breaker());

  redis.Signal(SIGCONT);
  ASSERT_TRUE(RunUntil([&] { return client.breaker() == BreakerState::kHalfOpen; }));
  EXPECT_TRUE(client.available());
  EXPECT_TRUE(Works(client));
  EXPECT_EQ(BreakerState::kClosed, client.breaker());
  EXPECT_EQ((std::vector<BreakerState>{BreakerState::kOpen, BreakerState::kHalfOpen,
                                       BreakerState::kClosed}),
            changes);
  EXPECT_EQ(1u, client.counters().breaker_opened);
  EXPECT_EQ(1u, client.counters().breaker_closed);
  EXPECT_EQ(1u, log.Count("[error]")) << log.lines;
  EXPECT_EQ(1u, log.Count("redis \"edge\" is out of service after 4 failures in a row"))
      << log.lines;
  EXPECT_EQ(1u, log.Count("redis \"edge\" is back in service after ")) << log.lines;
  EXPECT_EQ(1u, log.Count("50 commands were refused meanwhile")) << log.lines;
}

TEST_F(OutageTest, InHalfOpenOneCommandDecides) {
  settings.breaker_failures = 1;
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  // It answers PING and refuses to write: the trial fails, whatever the probe said.
  redis.Ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_FALSE(Works(client));
  EXPECT_EQ(BreakerState::kOpen, client.breaker());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(RunUntil([&] { return client.breaker() == BreakerState::kHalfOpen; }));
    Call trial, other;
    trial.pending = client.Execute("SET", "a", {"1"}, trial.Done());
    EXPECT_FALSE(client.available());
    other.pending = client.Execute("SET", "a", {"1"}, other.Done());
    ASSERT_TRUE(RunUntil([&] { return trial.done() && other.done(); }));
    EXPECT_NE(std::string::npos, trial.text().find("NOREPLICAS")) << trial.text();
    EXPECT_NE(std::string::npos, other.text().find("out of service")) << other.text();
    EXPECT_EQ(BreakerState::kOpen, client.breaker());
  }
  EXPECT_EQ(1u, client.counters().breaker_opened);  // it never was closed between
  redis.Ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  ASSERT_TRUE(RunUntil([&] { return client.breaker() == BreakerState::kHalfOpen; }));
  EXPECT_TRUE(Works(client));
  EXPECT_TRUE(client.available());
}

TEST_F(OutageTest, TooManyOutstandingFailAtOnce) {
  settings.max_outstanding = 10;
  settings.breaker_failures = 1;  // it is not the server's fault
  Client client(loop, settings);
  ASSERT_TRUE(Works(client));
  redis.Signal(SIGSTOP);
  std::vector<Call> calls(11);
  for (Call& call : calls) call.pending = client.Execute("INCR", "a", {}, call.Done());
  ASSERT_TRUE(RunUntil([&] { return calls.back().done(); }));
  EXPECT_TRUE(calls.back().failed_with(ErrorKind::kLimit)) << calls.back().text();
  for (size_t i = 0; i < 10; ++i) EXPECT_FALSE(calls[i].done());
  redis.Signal(SIGCONT);
  ASSERT_TRUE(RunUntil([&] {
    return std::all_of(calls.begin(), calls.end(), [](const Call& call) { return call.done(); });
  }));
  EXPECT_EQ("10", redis.Ask({"GET", "a"}));
  EXPECT_EQ(1u, client.counters().rejected);
  EXPECT_TRUE(client.available());
}

TEST_F(OutageTest, WhatRanOutOfTimeBeforeItLeftIsNotSent) {
  settings.connect_timeout = milliseconds(5000);
  settings.stalled_after_deadlines = 1000;
  redis.Signal(SIGSTOP);  // connects, does not greet
  Client client(loop, settings);
  Call call;
  call.pending = client.Execute("INCR", "a", {}, call.Done());
  ASSERT_TRUE(RunUntil([&] { return call.done(); }));
  EXPECT_TRUE(call.failed_with(ErrorKind::kTimeout)) << call.text();
  redis.Signal(SIGCONT);
  ASSERT_TRUE(RunUntil([&] { return client.counters().connects == 1; }));
  EXPECT_TRUE(Works(client));
  EXPECT_EQ("(nil)", redis.Ask({"GET", "a"}));
}

}  // namespace
}  // namespace framewall::redis
