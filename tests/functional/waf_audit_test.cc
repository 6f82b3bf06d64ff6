// Audit records: renamed logs, storage of workers that are nobody, many workers.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/functional/waf_testing.h"

namespace framewall::test {
namespace {

const std::string kRules = std::string(kWafRules) + kWafAudit;

TEST(WafAudit, RenamedUnderLoadLosesNoRecord) {
  ProxyProcess proxy(WafServer(kRules, "location / { return 204; }", "worker_processes 4;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  ASSERT_TRUE(Eventually([&] { return proxy.Workers().size() == 4; }));
  std::atomic<bool> is_over = false;
  std::atomic<size_t> refused = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!is_over) {
        if (Get(proxy.port(0), "/?deny=1").status() == 403) ++refused;
      }
    });
  }
  const std::string log = proxy.directory().File("audit.log");
  constexpr size_t kRounds = 10;
  for (size_t round = 0; round < kRounds; ++round) {
    const size_t before = refused;
    EXPECT_TRUE(Eventually([&] { return refused > before + 20; }));
    std::rename(log.c_str(), (log + "." + std::to_string(round)).c_str());
    proxy.Signal(SIGUSR1);
    EXPECT_TRUE(Eventually([&] { return proxy.CountInLog("\n", "audit.log") > 0; })) << round;
  }
  is_over = true;
  for (std::thread& client : clients) client.join();
  proxy.Quit();
  size_t records = proxy.CountInLog("\"ruleId\":\"1\"", "audit.log");
  size_t lines = proxy.CountInLog("\n", "audit.log");
  for (size_t round = 0; round < kRounds; ++round) {
    const std::string name = "audit.log." + std::to_string(round);
    records += proxy.CountInLog("\"ruleId\":\"1\"", name);
    lines += proxy.CountInLog("\n", name);
  }
  EXPECT_EQ(records, refused);
  EXPECT_EQ(lines, refused);
  EXPECT_EQ(proxy.CountInLog("audit record lost"), 0u) << proxy.Log();
}

TEST(WafAudit, ReloadOpensItAgain) {
  ProxyProcess proxy(WafServer(kRules, "location / { return 204; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/?deny=1").status(), 403);
  EXPECT_TRUE(Eventually([&] { return proxy.CountInLog("\n", "audit.log") == 1; }));
  const std::string log = proxy.directory().File("audit.log");
  std::rename(log.c_str(), (log + ".old").c_str());
  ASSERT_TRUE(proxy.Reload());
  EXPECT_EQ(Get(proxy.port(0), "/?deny=1").status(), 403);
  EXPECT_TRUE(Eventually([&] { return proxy.CountInLog("\n", "audit.log") == 1; }));
}

TEST(WafAudit, ConcurrentRecordsAreFilesOfTheirOwn) {
  ProxyProcess proxy(WafServer(kRules + "SecAuditLogType Concurrent\n"
                                        "SecAuditLogStorageDir %%DIR%%/audit\n",
                               "location / { return 204; }", "worker_processes 2;"));
  std::filesystem::create_directory(proxy.directory().File("audit"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(proxy.port(0), "/?deny=1").status(), 403);
  proxy.Quit();
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(proxy.directory().File("audit"))) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 5u) << proxy.Log();
  EXPECT_EQ(proxy.CountInLog("\n", "audit.log"), 5u);
}

TEST(WafAudit, NativeRecordsHaveTheirParts) {
  ProxyProcess proxy(
      WafServer(kRules + "SecAuditLogFormat Native\n", "location / { return 204; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/?deny=1").status(), 403);
  proxy.Quit();
  EXPECT_EQ(proxy.CountInLog("-A--", "audit.log"), 1u);
  EXPECT_EQ(proxy.CountInLog("-Z--", "audit.log"), 1u);
}

TEST(WafAudit, ARecordThatCannotBeWrittenIsToldAndCounted) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP();
  ProxyProcess proxy(WafServer(kRules + "SecAuditLog /dev/full\n",
                               "location / { return 204; } location = /metrics { modsecurity off; "
                               "metrics; }"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(Get(proxy.port(0), "/?deny=1").status(), 403);
  EXPECT_TRUE(proxy.WaitForLog("audit record lost"));
  EXPECT_NE(Get(proxy.port(0), "/metrics").body.find("framewall_waf_audit_records_lost_total 1"),
            std::string::npos);
}

}  // namespace
}  // namespace framewall::test
