// HUP: a new configuration, or the old one and a reason.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

std::string ServerThatReturns(const std::string& status, const std::string& more = "") {
  return more + R"(
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; location / { return )" +
         status + R"(; } } }
)";
}

TEST(Reload, TakesTheNewConfiguration) {
  ProxyProcess proxy(ServerThatReturns("204"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  proxy.SetConfig(ServerThatReturns("404"));
  ASSERT_TRUE(proxy.Reload()) << proxy.Output();
  EXPECT_TRUE(Eventually([&] { return Get(proxy.port(0), "/").status() == 404; }));
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 1; }));
}

TEST(Reload, KeepsTheOldWhereTheNewIsBroken) {
  ProxyProcess proxy(ServerThatReturns("204"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  const std::vector<pid_t> before = proxy.Workers();
  proxy.SetConfig(ServerThatReturns("404", "no_such_directive 1;"));
  proxy.Signal(SIGHUP);
  ASSERT_TRUE(proxy.WaitForLog("reconfiguration failed"));
  EXPECT_EQ(proxy.CountInLog("[emerg]"), 1u);
  EXPECT_EQ(proxy.CountInLog("unknown directive \"no_such_directive\""), 1u);
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(proxy.Workers(), before);
}

TEST(Reload, ChangesTheNumberOfWorkers) {
  ProxyProcess proxy(ServerThatReturns("204", "worker_processes 3;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return proxy.Workers().size() == 3; }));
  proxy.SetConfig(ServerThatReturns("204", "worker_processes 1;"));
  ASSERT_TRUE(proxy.Reload());
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 1; }));
}

TEST(Reload, MovesThePidFile) {
  ProxyProcess proxy(ServerThatReturns("204"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  proxy.SetConfig(ServerThatReturns("204", "pid %%DIR%%/moved.pid;"));
  ASSERT_TRUE(proxy.Reload());
  EXPECT_EQ(proxy.directory().Read("moved.pid"), std::to_string(proxy.pid()) + "\n");
  EXPECT_FALSE(proxy.directory().Has("nginx.pid"));
}

TEST(Reload, KeepsOldWorkersForTheirConnections) {
  ProxyProcess proxy(ServerThatReturns("204"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient slow(proxy.port(0));
  slow.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(slow.ReadResponse().status(), 204);
  slow.Send("GET / HTTP/1.1\r\n");
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  proxy.SetConfig(ServerThatReturns("404"));
  ASSERT_TRUE(proxy.Reload());
  slow.Send("Host: a\r\n\r\n");
  EXPECT_EQ(slow.ReadResponse().status(), 204);
  EXPECT_TRUE(slow.WaitForClose());
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 1; }));
}

// Reloads that follow fast tell workers to leave that have hardly begun. Each must drain and say
// so: one that took the signal by its default action would have dropped what it had accepted.
TEST(Reload, WorkersThatHaveJustBegunDrainToo) {
  ProxyProcess proxy(ServerThatReturns("204", "worker_processes 4;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (int i = 0; i < 60; ++i) {
    proxy.Signal(SIGHUP);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(Eventually([&] {
    const size_t started = proxy.CountInLog("start worker process ");
    return started > 8 && proxy.CountInLog("gracefully shutting down") + 4 == started &&
           proxy.Workers().size() == 4;
  })) << proxy.CountInLog("start worker process ")
      << " started, " << proxy.CountInLog("gracefully shutting down") << " drained";
}

TEST(Reload, CapsTheGenerationsThatDrain) {
  const std::string config = ServerThatReturns("204", "worker_old_generations 2;");
  ProxyProcess proxy(config);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  std::vector<RawClient> open;
  for (int i = 0; i < 4; ++i) {
    RawClient& client = open.emplace_back(proxy.port(0));
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(client.ReadResponse().status(), 204);
    client.Send("GET / HTTP/1.1\r\n");
    ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
    proxy.Signal(SIGHUP);
    const size_t told = static_cast<size_t>(i) + 1;
    ASSERT_TRUE(Eventually([&] { return proxy.CountInLog("gracefully shutting down") >= told; }));
  }
  EXPECT_TRUE(proxy.WaitForLog("old generations are still draining"));
  // Two old ones and the present one.
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 3; }));
  EXPECT_TRUE(open[0].WaitForClose());
  open[3].Send("Host: a\r\n\r\n");
  EXPECT_EQ(open[3].ReadResponse().status(), 204);
}

TEST(Reload, GenerationsShowInAMetric) {
  ProxyProcess proxy(R"(worker_processes 2; worker_old_generations 2;
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } location = /metrics { metrics; } } }
)");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto shows = [&proxy](int generations) {
    const std::string line = "\nframewall_worker_generations " + std::to_string(generations) + "\n";
    return Eventually(
        [&] { return Get(proxy.port(0), "/metrics").body.find(line) != std::string::npos; });
  };
  EXPECT_TRUE(shows(1));
  std::vector<std::optional<RawClient>> open;
  for (int i = 1; i <= 3; ++i) {
    // Each holds a worker of its generation.
    open.emplace_back(proxy.port(0));
    open.back()->Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(open.back()->ReadResponse().status(), 204);
    open.back()->Send("GET / HTTP/1.1\r\n");
    ASSERT_TRUE(proxy.Reload());
    // The present one, and two old ones at most.
    EXPECT_TRUE(shows(std::min(i + 1, 3))) << i;
  }
  open[2].reset();
  EXPECT_TRUE(shows(2));
  open[1].reset();
  EXPECT_TRUE(shows(1));
}

// Connections one after the other by several clients, while `work` runs. Returns how many requests
// were not answered with 204.
template <class Work>
int FailuresDuring(uint16_t port, int* requests, Work work) {
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::atomic<int> count = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        if (Get(port, "/").status() != 204) ++failures;
        ++count;
      }
    });
  }
  work();
  stop = true;
  for (std::thread& client : clients) client.join();
  *requests = count;
  return failures;
}

TEST(Reload, LosesNoRequest) {
  ProxyProcess proxy(ServerThatReturns("204", "worker_processes 2;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  int requests = 0;
  const int failures = FailuresDuring(proxy.port(0), &requests, [&] {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(proxy.Reload());
  });
  EXPECT_EQ(failures, 0);
  EXPECT_GT(requests, 50);
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 2; }));
}

// The number of sockets changes with the number of workers; none may be closed with connections in
// its backlog.
TEST(Reload, LosesNoRequestWithReuseport) {
  const auto config = [](const std::string& workers, const std::string& option) {
    return "worker_processes " + workers +
           "; events {} http { server { listen 127.0.0.1:%%PORT_0%% " + option +
           "; location / { return 204; } } }";
  };
  ProxyProcess proxy(config("2", "reuseport"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  int requests = 0;
  const int failures = FailuresDuring(proxy.port(0), &requests, [&] {
    for (const char* workers : {"3", "1", "4", "2"}) {
      proxy.SetConfig(config(workers, "reuseport"));
      EXPECT_TRUE(proxy.Reload());
    }
    proxy.SetConfig(config("2", ""));
    EXPECT_TRUE(proxy.Reload());
    proxy.SetConfig(config("2", "reuseport"));
    EXPECT_TRUE(proxy.Reload());
  });
  EXPECT_EQ(failures, 0);
  EXPECT_GT(requests, 50);
}

TEST(Reload, ManySignalsAtOnceAreFewReloads) {
  ProxyProcess proxy(ServerThatReturns("204"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (int i = 0; i < 200; ++i) proxy.Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return proxy.CountInLog("gracefully shutting down") > 0; }));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 1; }));
  EXPECT_LT(proxy.CountInLog(": reconfiguring"), 200u);
}

}  // namespace
}  // namespace framewall::test
