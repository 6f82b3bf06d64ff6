// USR2: one binary hands over to the next.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

// A pid that could not be read is 0 or -1, which would be others.
int Tell(pid_t pid, int number) { return pid > 0 ? ::kill(pid, number) : -1; }

constexpr char kServer[] = R"(
daemon on; worker_processes 2; env ASAN_OPTIONS; env UBSAN_OPTIONS;
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    listen 127.0.0.1:%%PORT_1%% reuseport;
    listen unix:%%DIR%%/http.sock;
    location / { return 204; }
  }
}
)";

// The pid in a file, 0 where there is none.
pid_t PidIn(ProxyProcess& proxy, const char* name) {
  return static_cast<pid_t>(std::atoi(proxy.directory().Read(name).c_str()));
}

bool IsGone(pid_t pid) {
  // Orphans are ours (see ProxyProcess); the old master's child becomes one when it ends.
  ::waitpid(pid, nullptr, WNOHANG);
  return Tell(pid, 0) != 0;
}

class Upgrade : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(proxy_.Run({}).exit_code, 0) << proxy_.Output();
    ASSERT_TRUE(Eventually([&] { return PidIn(proxy_, "nginx.pid") > 0; }));
    old_ = PidIn(proxy_, "nginx.pid");
    ASSERT_EQ(Get(proxy_.port(0), "/").status(), 204);
    Tell(old_, SIGUSR2);
    // Read once: between two reads the old one's file may go.
    ASSERT_TRUE(Eventually([&] {
      new_ = PidIn(proxy_, "nginx.pid");
      return new_ > 0 && new_ != old_ && PidIn(proxy_, "nginx.pid.oldbin") == old_;
    })) << proxy_.Output();
  }
  void TearDown() override {
    for (const pid_t pid : {new_, old_}) {
      if (pid > 0) Tell(pid, SIGTERM);
    }
    for (const pid_t pid : {new_, old_}) {
      EXPECT_TRUE(pid <= 0 || Eventually([&] { return IsGone(pid); }));
    }
  }
  void End(pid_t& pid, int number) {
    Tell(pid, number);
    EXPECT_TRUE(Eventually([&] { return IsGone(pid); })) << proxy_.Output();
    pid = 0;
  }

  ProxyProcess proxy_{kServer};
  pid_t old_ = 0;
  pid_t new_ = 0;
};

TEST_F(Upgrade, TheNewBinaryGoesOnAlone) {
  EXPECT_EQ(Get(proxy_.port(0), "/").status(), 204);
  End(old_, SIGQUIT);
  EXPECT_FALSE(proxy_.directory().Has("nginx.pid.oldbin"));
  EXPECT_TRUE(proxy_.directory().Has("http.sock"));
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(Get(proxy_.port(i), "/").status(), 204);
  RawClient client = RawClient::Unix(proxy_.directory().File("http.sock"));
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 204);
  End(new_, SIGQUIT);
  EXPECT_FALSE(proxy_.directory().Has("http.sock"));
  EXPECT_FALSE(proxy_.directory().Has("nginx.pid"));
}

TEST_F(Upgrade, TheOldBinaryTakesOverAgain) {
  End(new_, SIGQUIT);
  EXPECT_TRUE(Eventually([&] { return PidIn(proxy_, "nginx.pid") == old_; }));
  EXPECT_FALSE(proxy_.directory().Has("nginx.pid.oldbin"));
  EXPECT_TRUE(proxy_.directory().Has("http.sock"));
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(Get(proxy_.port(i), "/").status(), 204);
}

TEST_F(Upgrade, WinchSendsTheOldWorkersAwayAndHupBringsThemBack) {
  Tell(old_, SIGWINCH);
  ASSERT_TRUE(Eventually([&] { return proxy_.CountInLog("gracefully shutting down") == 2; }));
  EXPECT_EQ(Get(proxy_.port(0), "/").status(), 204);
  Tell(old_, SIGHUP);
  ASSERT_TRUE(Eventually([&] { return proxy_.CountInLog("start worker process ") == 6; }));
  End(new_, SIGQUIT);
  EXPECT_EQ(Get(proxy_.port(0), "/").status(), 204);
}

TEST_F(Upgrade, OldWorkersComeBackWhenTheNewBinaryDies) {
  Tell(old_, SIGWINCH);
  ASSERT_TRUE(Eventually([&] { return proxy_.CountInLog("gracefully shutting down") == 2; }));
  End(new_, SIGTERM);
  ASSERT_TRUE(Eventually([&] { return proxy_.CountInLog("start worker process ") == 6; }));
  EXPECT_EQ(Get(proxy_.port(0), "/").status(), 204);
}

TEST_F(Upgrade, ASecondOneMustWait) {
  Tell(old_, SIGUSR2);
  Tell(new_, SIGUSR2);
  EXPECT_TRUE(Eventually([&] {
    return proxy_.CountInLog("the changing binary signal is ignored") == 2;
  })) << proxy_.Log();
}

TEST(UpgradeUnderLoad, LosesNoRequest) {
  ProxyProcess proxy(kServer);
  ASSERT_EQ(proxy.Run({}).exit_code, 0) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return PidIn(proxy, "nginx.pid") > 0; }));
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> clients;
  for (size_t i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      while (!stop) {
        if (Get(proxy.port(i % 2), "/").status() != 204) ++failures;
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    const pid_t old = PidIn(proxy, "nginx.pid");
    Tell(old, SIGUSR2);
    EXPECT_TRUE(Eventually([&] {
      const pid_t now = PidIn(proxy, "nginx.pid");
      return now > 0 && now != old;
    })) << proxy.Output();
    Tell(old, SIGQUIT);
    EXPECT_TRUE(Eventually([&] { return IsGone(old); })) << proxy.Output();
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failures, 0);
  const pid_t last = PidIn(proxy, "nginx.pid");
  Tell(last, SIGQUIT);
  EXPECT_TRUE(Eventually([&] { return IsGone(last); }));
}

}  // namespace
}  // namespace framewall::test
