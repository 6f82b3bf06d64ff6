#include "waf/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

constexpr char kSerialJson[] =
    "SecAuditEngine RelevantOnly\nSecAuditLogRelevantStatus \"^(?:5|4(?!04))\"\n"
    "SecAuditLogParts ABCFHZ\nSecAuditLogType Serial\nSecAuditLogFormat JSON\n"
    "SecAuditLog audit.log\n";
constexpr char kDenyBad[] = "SecRule ARGS \"@streq bad\" \"id:7,phase:1,deny,msg:'no'\"\n";

// One exchange: the head, then the answer `status` (a denial's own where 0).
void Exchange(const std::shared_ptr<const RuleSet>& rules, const std::string& target,
              const std::string& id, int status = 0, Heard* heard = nullptr) {
  Transaction transaction(TestEngine(), rules, id, heard);
  const Decision decision = transaction.ProcessRequestHead(Get(target).view());
  const ResponseView sent{status != 0 ? status : decision.status, "HTTP/1.1", {}};
  transaction.ProcessLogging(&sent);
}

std::size_t Lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}
bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(AuditLog, RefusedRequestLeavesOneRecordWithOurIdAndItsRule) {
  TemporaryDirectory directory;
  const auto rules = Rules(std::string(kSerialJson) + kDenyBad, directory.path());
  Exchange(rules, "/?a=bad", "my-id-17");
  Exchange(rules, "/?a=good", "my-id-18");
  const std::string log = directory.Read("audit.log");
  EXPECT_EQ(Lines(log), 1U) << log;
  EXPECT_TRUE(Has(log, "\"unique_id\":\"my-id-17\"")) << log;
  EXPECT_TRUE(Has(log, "\"ruleId\":\"7\""));
  EXPECT_TRUE(Has(log, "\"http_code\":403"));
  EXPECT_TRUE(Has(log, "framewall/test"));
}

TEST(AuditLog, ErrorPageAndRedirectAreRecordedWithTheRulesStatus) {
  TemporaryDirectory directory;
  const auto rules =
      Rules(std::string(kSerialJson) + kDenyBad +
                "SecRule ARGS \"@streq go\" \"id:8,phase:1,redirect:http://x.test/,msg:'r'\"\n",
            directory.path());
  Exchange(rules, "/?a=bad", "one", 200);  // error_page 403 =200 /sorry
  Exchange(rules, "/?a=go", "two");
  const std::string log = directory.Read("audit.log");
  EXPECT_EQ(Lines(log), 2U) << log;
  EXPECT_TRUE(Has(log, "\"http_code\":403"));
  EXPECT_TRUE(Has(log, "\"http_code\":302"));
  EXPECT_FALSE(Has(log, "\"http_code\":200"));
}

TEST(AuditLog, AnswersHeadersAreRecordedWherePhase3DidNotRun) {
  TemporaryDirectory directory;
  const auto rules = Rules(std::string(kSerialJson) + kDenyBad, directory.path());
  Transaction transaction(TestEngine(), rules, "x", nullptr);
  ASSERT_TRUE(transaction.ProcessRequestHead(Get("/?a=bad").view()).interrupts());
  const HeaderView headers[] = {{"X-Sent", "yes"}};
  const ResponseView sent{403, "HTTP/1.1", headers};
  transaction.ProcessLogging(&sent);
  EXPECT_TRUE(Has(directory.Read("audit.log"), "\"X-Sent\":\"yes\""));
}

TEST(AuditLog, RelevanceIsTheLibrarys) {
  const std::string plain = "SecAuditLogFormat JSON\nSecAuditLog audit.log\n";
  const std::string relevant =
      plain + "SecAuditEngine RelevantOnly\nSecAuditLogRelevantStatus \"^(?:5|4(?!04))\"\n";
  const std::string pass = "SecRule ARGS \"@streq bad\" \"id:7,phase:1,pass,log,msg:'m'";
  const struct {
    std::string rules;
    std::string target;
    int status;
    std::size_t records;
  } cases[] = {
      {plain + "SecAuditEngine On\n", "/", 200, 1},
      {plain + "SecAuditEngine Off\n", "/", 500, 0},
      {plain, "/", 500, 0},
      {relevant, "/", 200, 0},
      {relevant, "/", 404, 0},
      {relevant, "/", 403, 1},
      {relevant, "/", 502, 1},
      {relevant + pass + "\"\n", "/?a=bad", 200, 1},
      {relevant + pass + "\"\n", "/?a=good", 200, 0},
      {relevant + pass + ",noauditlog\"\n", "/?a=bad", 200, 0},
      {relevant + pass + ",ctl:auditEngine=Off\"\n", "/?a=bad", 200, 0},
      {relevant + pass + ",noauditlog,ctl:auditEngine=On\"\n", "/?a=bad", 200, 1},
      {plain + "SecAuditEngine Off\n" + pass + ",ctl:auditEngine=On\"\n", "/?a=bad", 200, 1},
      {plain + "SecAuditEngine On\n" + pass + ",ctl:ruleEngine=Off\"\n", "/?a=bad", 200, 0},
  };
  for (const auto& test : cases) {
    TemporaryDirectory directory;
    const auto rules = Rules(test.rules, directory.path());
    for (int i = 0; i < 2; ++i) Exchange(rules, test.target, "id", test.status);
    EXPECT_EQ(Lines(directory.Read("audit.log")), 2 * test.records)
        << test.rules << test.target << " " << test.status;
  }
}

TEST(AuditLog, NativeRecordHasItsParts) {
  TemporaryDirectory directory;
  const auto rules = Rules(
      "SecAuditEngine On\nSecAuditLogParts ABHZ\nSecAuditLog audit.log\n" + std::string(kDenyBad),
      directory.path());
  Exchange(rules, "/?a=bad", "my-id");
  const std::string log = directory.Read("audit.log");
  for (const char* part : {"-A--", "-B--", "-H--", "-Z--", " my-id 192.0.2.7 4711 192.0.2.1 80"}) {
    EXPECT_TRUE(Has(log, part)) << part << "\n" << log;
  }
  EXPECT_FALSE(Has(log, "-F--"));
}

TEST(AuditLog, PartsFollowCtl) {
  TemporaryDirectory directory;
  const auto rules = Rules(
      "SecAuditEngine On\nSecAuditLogParts ABZ\nSecAuditLog audit.log\n"
      "SecAction \"id:1,phase:1,pass,nolog,ctl:auditLogParts=+F\"\n"
      "SecAction \"id:2,phase:1,pass,nolog,ctl:auditLogParts=-B\"\n",
      directory.path());
  Exchange(rules, "/", "x");
  EXPECT_TRUE(Has(directory.Read("audit.log"), "-F--"));
  EXPECT_FALSE(Has(directory.Read("audit.log"), "-B--"));
}

TEST(AuditLog, ConcurrentLogKeepsAFileForEachAndAnIndex) {
  TemporaryDirectory directory;
  const auto rules = Rules(
      "SecAuditEngine On\nSecAuditLogType Concurrent\nSecAuditLogFormat JSON\n"
      "SecAuditLog index.log\nSecAuditLogStorageDir deep/store\n",
      directory.path());
  EXPECT_TRUE(TestEngine().PrepareAuditStorage({::getuid(), ::getgid()}).empty());
  Exchange(rules, "/a", "first");
  Exchange(rules, "/b", "../../etc/passwd");
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory.path("deep/store"))) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return a.substr(16) < b.substr(16); });
  ASSERT_EQ(names.size(), 2U);
  EXPECT_TRUE(names[0].ends_with("-.._.._etc_passwd")) << names[0];
  EXPECT_TRUE(names[1].ends_with("-first")) << names[1];
  EXPECT_FALSE(std::filesystem::exists(directory.path("etc")));
  const std::string index = directory.Read("index.log");
  EXPECT_EQ(Lines(index), 2U);
  EXPECT_TRUE(Has(index, "deep/store/"));
  EXPECT_TRUE(Has(index, " md5:"));
}

TEST(AuditLog, SecondPathTakesTheIndex) {
  TemporaryDirectory directory;
  const auto rules = Rules(
      "SecAuditEngine On\nSecAuditLogType Concurrent\nSecAuditLog one.log\nSecAuditLog2 two.log\n"
      "SecAuditLogStorageDir store\n",
      directory.path());
  EXPECT_TRUE(TestEngine().PrepareAuditStorage({::getuid(), ::getgid()}).empty());
  Exchange(rules, "/", "x");
  EXPECT_EQ(Lines(directory.Read("two.log")), 1U);
  EXPECT_EQ(Lines(directory.Read("one.log")), 0U);
}

TEST(AuditLog, LevelMayHaveALogOfItsOwn) {
  TemporaryDirectory directory;
  RuleLoader loader(TestEngine(), directory.path());
  std::vector<RuleError> errors;
  const RuleSource parent_sources[] = {
      Inline("SecRuleEngine On\nSecAuditEngine On\nSecAuditLogFormat JSON\nSecAuditLog p.log\n")};
  const auto parent = loader.Load(nullptr, parent_sources, &errors);
  const RuleSource child_sources[] = {Inline("SecAuditLog c.log\n")};
  const auto child = loader.Load(parent, child_sources, &errors);
  ASSERT_TRUE(child) << Text(errors);
  Exchange(child, "/", "of-child");
  Exchange(parent, "/", "of-parent");
  EXPECT_TRUE(Has(directory.Read("c.log"), "of-child"));
  EXPECT_EQ(Lines(directory.Read("p.log")), 1U);
  EXPECT_TRUE(Has(directory.Read("p.log"), "of-parent"));
}

TEST(AuditLog, FileThatCannotBeOpenedStopsTheLoad) {
  RuleLoader loader(TestEngine(), "/nonexistent");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecAuditEngine On\nSecAuditLog audit.log\n")};
  EXPECT_FALSE(loader.Load(nullptr, sources, &errors));
  EXPECT_EQ(Text(errors),
            "SecAuditLog: open() \"/nonexistent/audit.log\" failed (2: No such file or "
            "directory)\n");
}

TEST(AuditLog, LibraryOpensNothingItself) {
  // It would open the path as it stands, from the current directory.
  TemporaryDirectory base;
  TemporaryDirectory current;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(current.path());
  const auto rules = Rules(std::string(kSerialJson) + kDenyBad, base.path());
  Exchange(rules, "/?a=bad", "x");
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(current.path()));
  EXPECT_EQ(Lines(base.Read("audit.log")), 1U);
}

TEST(AuditLog, RenamedLogIsFollowedAfterReopen) {
  TemporaryDirectory directory;
  const auto rules = Rules(std::string(kSerialJson) + kDenyBad, directory.path());
  Exchange(rules, "/?a=bad", "one");
  std::filesystem::rename(directory.path("audit.log"), directory.path("old.log"));
  Exchange(rules, "/?a=bad", "two");
  EXPECT_TRUE(TestEngine().ReopenAuditLogs().empty());
  Exchange(rules, "/?a=bad", "three");
  EXPECT_EQ(Lines(directory.Read("old.log")), 2U);
  EXPECT_EQ(Lines(directory.Read("audit.log")), 1U);
}

TEST(AuditLog, ReopenThatFailsIsToldAndKeepsTheOldFile) {
  TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path("logs"));
  const auto rules =
      Rules(std::string(kSerialJson) + "SecAuditLog logs/audit.log\n" + kDenyBad, directory.path());
  std::filesystem::rename(directory.path("logs"), directory.path("moved"));
  EXPECT_EQ(TestEngine().ReopenAuditLogs().size(), 1U);
  Exchange(rules, "/?a=bad", "one");
  EXPECT_EQ(Lines(directory.Read("moved/audit.log")), 1U);
}

TEST(AuditLog, LostRecordIsTold) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "needs /dev/full";
  const auto rules = Rules("SecAuditEngine On\nSecAuditLogFormat JSON\nSecAuditLog /dev/full\n");
  Heard heard;
  Exchange(rules, "/", "the-lost-one", 200, &heard);
  ASSERT_EQ(heard.failures.size(), 1U);
  EXPECT_TRUE(Has(heard.failures[0], "the-lost-one")) << heard.failures[0];
  EXPECT_TRUE(Has(heard.failures[0], "No space left on device")) << heard.failures[0];
}

TEST(AuditLog, LostConcurrentRecordIsTold) {
  TemporaryDirectory directory;
  const auto rules =
      Rules("SecAuditEngine On\nSecAuditLogType Concurrent\nSecAuditLogStorageDir store\n",
            directory.path());
  Heard heard;  // the storage was never prepared
  Exchange(rules, "/", "x", 200, &heard);
  EXPECT_EQ(heard.failures.size(), 1U);
}

// The master is root, the worker is not: as with nginx, the master makes the new
// file and gives it away, and the worker opens it itself.
TEST(AuditLog, UnprivilegedWorkerFollowsARename) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  constexpr uid_t kNobody = 65534;
  TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  const auto serial = Rules(std::string(kSerialJson) + kDenyBad, directory.path());
  const auto concurrent =
      Rules("SecAuditEngine On\nSecAuditLogType Concurrent\nSecAuditLogStorageDir store\n",
            directory.path());
  ASSERT_TRUE(TestEngine().PrepareAuditStorage({kNobody, kNobody}).empty());
  std::filesystem::rename(directory.path("audit.log"), directory.path("old.log"));
  ASSERT_TRUE(TestEngine().ReopenAuditLogs(FileOwner{kNobody, kNobody}).empty());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Heard heard;
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(2);
    if (!TestEngine().ReopenAuditLogs().empty()) ::_exit(3);
    Exchange(serial, "/?a=bad", "serial", 0, &heard);
    Exchange(concurrent, "/", "concurrent", 200, &heard);
    ::_exit(heard.failures.empty() ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(Lines(directory.Read("audit.log")), 1U);
  EXPECT_EQ(Lines(directory.Read("old.log")), 0U);
}

// Four processes write at once while the log is renamed under them: no record
// is lost, none is broken.
TEST(AuditLog, ProcessesDoNotMixRecordsNorLoseThemInARename) {
  constexpr int kProcesses = 4;
  constexpr int kRecords = 300;
  TemporaryDirectory directory;
  const auto rules = Rules(
      "SecAuditEngine On\nSecAuditLogFormat JSON\nSecAuditLogParts ABCFHZ\n"
      "SecAuditLog audit.log\n",
      directory.path());
  const std::string long_value(16000, 'x');
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      TestEngine().SeedWorker();
      for (int i = 0; i < kRecords; ++i) {
        if (i == kRecords / 2) {
          char go;
          if (::write(ready[1], "x", 1) != 1) ::_exit(2);
          (void)go;
          if (!TestEngine().ReopenAuditLogs().empty()) ::_exit(3);
        }
        Heard heard;
        Exchange(rules, "/?p=" + long_value, std::to_string(process) + "-" + std::to_string(i), 200,
                 &heard);
        if (!heard.failures.empty()) ::_exit(4);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  std::filesystem::rename(directory.path("audit.log"), directory.path("old.log"));
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  ::close(ready[0]);
  ::close(ready[1]);

  std::set<std::string> ids;
  for (const char* name : {"old.log", "audit.log"}) {
    std::ifstream file(directory.path(name));
    for (std::string line; std::getline(file, line);) {
      ASSERT_TRUE(line.starts_with("{\"transaction\":{") && line.ends_with("}}"));
      ASSERT_EQ(line.find("{\"transaction\"", 1), std::string::npos);
      const auto at = line.find("\"unique_id\":\"") + 13;
      ids.insert(line.substr(at, line.find('"', at) - at));
    }
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kProcesses * kRecords));
}

TEST(AuditFile, RecordAfterACutStartsOnALineOfItsOwn) {
  // A pipe that has room for part of the record.
  TemporaryDirectory directory;
  const std::string path = directory.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  AuditFile file(path, 0600);
  std::string error;
  ASSERT_TRUE(file.Open(&error)) << error;
  EXPECT_FALSE(file.Append(std::string(200000, 'a') + "\n", &error));
  EXPECT_TRUE(Has(error, "cut off")) << error;
  std::string all;
  char buffer[65536];
  for (ssize_t got; (got = ::read(reader, buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  EXPECT_TRUE(file.Append("next\n", &error)) << error;
  ASSERT_GT(::read(reader, buffer, sizeof buffer), 0);
  EXPECT_EQ(std::string(buffer, 6), "\nnext\n");
  ::close(reader);
}

}  // namespace
}  // namespace framewall::waf
