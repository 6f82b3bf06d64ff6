// What each signal does to master and workers.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kServer[] = R"(
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } } }
)";

std::string Title(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string title;
  std::getline(file, title, '\0');
  return title;
}

std::string StandardErrorOf(pid_t pid) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/fd/2", error).string();
}

TEST(Signals, QuitEndsEverythingAndRemovesThePidFile) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(proxy.Quit(), 0);
  EXPECT_FALSE(proxy.directory().Has("nginx.pid"));
  EXPECT_EQ(proxy.CountInLog("exited with code 0"), 1u);
}

TEST(Signals, QuitRightAfterTheStartIsNoCrash) {
  for (int i = 0; i < 5; ++i) {
    ProxyProcess proxy(kServer);
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    EXPECT_EQ(proxy.Quit(), 0);
    EXPECT_EQ(proxy.CountInLog("exited on signal"), 0u) << proxy.Log();
  }
}

TEST(Signals, TermAndIntEndAtOnce) {
  for (const int number : {SIGTERM, SIGINT}) {
    ProxyProcess proxy(kServer);
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
    RawClient open(proxy.port(0));
    open.Send("GET / HTTP/1.1\r\nHost:");
    proxy.Signal(number);
    EXPECT_TRUE(Eventually([&] { return !proxy.directory().Has("nginx.pid"); }));
  }
}

TEST(Signals, QuitWaitsForARequestUnderWay) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  RawClient slow(proxy.port(0));
  // Until the connection is accepted it waits in the backlog, which ends with the listener.
  slow.Send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(slow.ReadResponse().status(), 204);
  slow.Send("GET /b HTTP/1.1\r\nHost: a\r\nX-");
  ASSERT_TRUE(Eventually([&] { return RawClient(proxy.port(0)).connected(); }));
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  proxy.Signal(SIGQUIT);
  ASSERT_TRUE(proxy.WaitForLog("gracefully shutting down"));
  EXPECT_TRUE(Eventually([&] { return !RawClient(proxy.port(0)).connected(); }));
  slow.Send("Slow: yes\r\n\r\n");
  EXPECT_EQ(slow.ReadResponse().status(), 204);
  EXPECT_EQ(proxy.Quit(), 0);
}

TEST(Signals, ReopenWritesToTheNewFiles) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  std::rename(proxy.directory().File("error.log").c_str(),
              proxy.directory().File("error.log.1").c_str());
  proxy.Signal(SIGUSR1);
  // Master (twice) and worker say so in the old file, then go on in the new one.
  ASSERT_TRUE(Eventually([&] {
    return proxy.CountInLog("reopening logs") + proxy.CountInLog("reopening logs", "error.log.1") >=
           3;
  }));
  EXPECT_EQ(proxy.Quit(), 0);
  EXPECT_EQ(proxy.CountInLog("gracefully shutting down"), 1u);
  EXPECT_EQ(proxy.CountInLog("gracefully shutting down", "error.log.1"), 0u);
}

// What libraries and the system say on standard error goes where our own lines go.
TEST(Signals, ReopenTakesStandardErrorAlong) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  const std::string path = proxy.directory().File("error.log");
  std::vector<pid_t> processes = proxy.Workers();
  ASSERT_EQ(processes.size(), 1u);
  processes.push_back(proxy.pid());
  for (const pid_t pid : processes) EXPECT_EQ(StandardErrorOf(pid), path);
  std::rename(path.c_str(), (path + ".1").c_str());
  for (const pid_t pid : processes) EXPECT_EQ(StandardErrorOf(pid), path + ".1");
  proxy.Signal(SIGUSR1);
  for (const pid_t pid : processes) {
    EXPECT_TRUE(Eventually([&] { return StandardErrorOf(pid) == path; })) << StandardErrorOf(pid);
  }
  EXPECT_EQ(proxy.Quit(), 0);
}

TEST(Signals, ReopenLeavesAStandardErrorThatIsALog) {
  ProxyProcess proxy("error_log stderr info;\n" + std::string(kServer));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  const pid_t worker = proxy.Workers().at(0);
  const std::string before = StandardErrorOf(worker);
  proxy.Signal(SIGUSR1);
  ASSERT_TRUE(proxy.WaitForLog("reopening logs"));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(StandardErrorOf(worker), before);
  EXPECT_EQ(proxy.Quit(), 0);
}

TEST(Signals, WinchIsIgnoredInTheForeground) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  proxy.Signal(SIGWINCH);
  ASSERT_TRUE(proxy.WaitForLog("(SIGWINCH) received"));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(proxy.CountInLog("gracefully shutting down"), 0u);
}

TEST(Workers, HaveTheirTitle) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_TRUE(
      Eventually([&] { return Title(proxy.pid()).starts_with("framewall: master process"); }));
  EXPECT_TRUE(Eventually([&] {
    const auto workers = proxy.Workers();
    return workers.size() == 1 && Title(workers[0]).starts_with("framewall: worker process");
  }));
}

TEST(Workers, ThatAreKilledAreStartedAgain) {
  ProxyProcess proxy("worker_processes 2;\n" + std::string(kServer));
  proxy.AllowAlerts();
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return proxy.Workers().size() == 2; }));
  const std::vector<pid_t> before = proxy.Workers();
  ::kill(before[0], SIGKILL);
  EXPECT_TRUE(proxy.WaitForLog("[alert] " + std::to_string(proxy.pid()) + "#" +
                               std::to_string(proxy.pid()) + ": worker process " +
                               std::to_string(before[0]) + " exited on signal 9"));
  EXPECT_TRUE(Eventually([&] {
    const auto now = proxy.Workers();
    return now.size() == 2 && now[0] != before[0] && now[1] != before[0];
  }));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
}

// The master repeats TERM to a worker that takes its time; so do operators.
TEST(Workers, EndWellHoweverOftenTheyAreTold) {
  for (int i = 0; i < 10; ++i) {
    ProxyProcess proxy(kServer);
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
    // Not kill(): the number may be somebody else's a moment later.
    const int worker = static_cast<int>(::syscall(SYS_pidfd_open, proxy.Workers().at(0), 0));
    ASSERT_GE(worker, 0);
    int sent = 0;
    for (; sent < 100000 && ::syscall(SYS_pidfd_send_signal, worker, SIGTERM, nullptr, 0) == 0;
         ++sent) {
      ::usleep(10);  // who has slept is let in between its last instructions
    }
    EXPECT_LT(sent, 100000);
    ::close(worker);
    EXPECT_TRUE(proxy.WaitForLog(" exited "));
    EXPECT_EQ(proxy.CountInLog("exited on signal"), 0u) << proxy.Log();
  }
}

// nginx's http_resolver_cleanup.t does this: the worker ends well and is replaced.
TEST(Workers, ThatAreTerminatedFromOutsideAreStartedAgain) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  const std::vector<pid_t> before = proxy.Workers();
  ::kill(before.at(0), SIGTERM);
  EXPECT_TRUE(Eventually([&] { return proxy.Workers() != before && !proxy.Workers().empty(); }));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
}

TEST(Workers, AreNobodyWhenTheMasterIsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ProxyProcess proxy("user nobody nogroup;\n" + std::string(kServer));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  std::ifstream file("/proc/" + std::to_string(proxy.Workers().at(0)) + "/status");
  std::string status((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(status.find("Uid:\t65534\t65534\t65534\t65534"), std::string::npos) << status;
  EXPECT_NE(status.find("Gid:\t65534\t65534\t65534\t65534"), std::string::npos) << status;
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos) << status;
}

TEST(Workers, KeepOnlyTheEnvironmentThatIsNamed) {
  ::setenv("FW_TEST_SECRET", "1", 1);
  ::setenv("FW_TEST_NAMED", "2", 1);
  ProxyProcess proxy("env FW_TEST_NAMED; env FW_TEST_SET=3;\n" + std::string(kServer));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(proxy.Quit(), 0);
}

}  // namespace
}  // namespace framewall::test
