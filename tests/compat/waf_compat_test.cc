// The same configuration, rules and requests given to nginx with its ModSecurity connector and to
// framewall: the same statuses, the same rules.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "tests/compat/intended.h"
#include "tests/compat/nginx.h"
#include "tests/rules/case_file.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

using rules_test::Case;

struct Record {
  std::set<long> rules;
  int status = 0;
};

// What one side did with one case.
struct Outcome {
  int status = 0;  // 0: no answer
  std::vector<Record> records;

  std::set<long> Rules() const {
    std::set<long> rules;
    for (const Record& record : records) rules.insert(record.rules.begin(), record.rules.end());
    return rules;
  }

  std::string Text(bool with_records) const {
    std::ostringstream text;
    text << status;
    if (with_records) text << ", " << records.size() << " records";
    for (const Record& record : records) {
      if (with_records) text << ", logged " << record.status;
      if (record.rules.empty()) text << " no rule";
      for (const long rule : record.rules) text << ' ' << rule;
    }
    return text.str();
  }
};

std::vector<Case> AllCases() {
  std::vector<std::string> files;
  for (const char* folder : {FW_COMPAT_DATA "/waf_requests", FW_SOURCE_DIR "/tests/rules"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".yaml") && !name.starts_with("messages_") &&
          !name.starts_with("held_out_") && name != "crs4.yaml")
        files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const std::string& file : files) {
    for (Case& one : rules_test::ReadCaseFile(file).cases) cases.push_back(std::move(one));
  }
  return cases;
}

// Heads that frame no body, or another than they say, or do not fit a line, are for
// http_policy_compat_test.
bool CanBeSent(const Case& one) {
  for (const auto& [name, value] : one.request.headers) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) return false;
    if (name == "Transfer-Encoding") return false;
    if (name == "Content-Length" && value != std::to_string(one.request.body.size())) return false;
  }
  return one.request.target.find_first_of(" \r\n") == std::string::npos;
}

std::string RequestText(const Case& one, const std::string& id) {
  std::string text = one.request.method + " " + one.request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : one.request.headers) text += name + ": " + value + "\r\n";
  return text + "X-Case: " + id + "\r\n\r\n" + one.request.body;
}

std::string ResponseText(const Case& one, const HttpMessage& request) {
  const bool is_head = request.start_line.starts_with("HEAD ");
  std::string text = "HTTP/1.1 " + std::to_string(one.response.status) + " Said\r\n";
  for (const auto& [name, value] : one.response.headers) text += name + ": " + value + "\r\n";
  const std::string body = one.has_response ? one.response.body : "fine";
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         (is_head ? "" : body);
}

// The digits after `name` in a record, wherever it stands.
std::vector<long> NumbersAfter(const std::string& record, const std::string& name) {
  std::vector<long> numbers;
  for (size_t at = 0; (at = record.find(name, at)) != record.npos;) {
    at += name.size();
    numbers.push_back(std::strtol(record.c_str() + at, nullptr, 10));
  }
  return numbers;
}

// Records in JSON, one a line. Names of members in what a client sent have their quotes escaped.
std::map<std::string, std::vector<Record>> ReadRecords(const std::string& log) {
  std::map<std::string, std::vector<Record>> records;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::string mark = "\"X-Case\":\"";
    const size_t at = line.find(mark);
    if (at == line.npos) continue;
    const size_t start = at + mark.size();
    Record record;
    for (const long rule : NumbersAfter(line, "\"ruleId\":\"")) record.rules.insert(rule);
    const std::vector<long> codes = NumbersAfter(line, "\"http_code\":");
    if (!codes.empty()) record.status = static_cast<int>(codes.back());
    records[line.substr(start, line.find('"', start) - start)].push_back(record);
  }
  return records;
}

struct Sent {
  std::string id;
  std::string text;
  bool is_head;
};

std::map<std::string, Outcome> RunSide(const std::string& binary, const std::string& config,
                                       const std::vector<Sent>& requests) {
  ProxyProcess proxy(config, binary);
  std::map<std::string, Outcome> outcomes;
  if (!proxy.Start()) {
    ADD_FAILURE() << binary << " does not start: " << proxy.Output();
    return outcomes;
  }
  // "header already sent", where the connector refuses a response too late.
  if (binary == kNginx) proxy.AllowAlerts();
  for (const Sent& request : requests) {
    RawClient client(proxy.port(0));
    client.Send(request.text);
    outcomes[request.id].status =
        client.ReadResponse(request.is_head ? BodyRule::kNoBody : BodyRule::kByHead).status();
  }
  proxy.Quit();
  for (auto& [id, records] : ReadRecords(proxy.Log("audit.log"))) {
    outcomes[id].records = std::move(records);
  }
  return outcomes;
}

std::string Config(const std::string& rules, const std::string& locations) {
  return LoadModules() + R"(
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    modsecurity on;
)" + rules +
         R"(
    modsecurity_rules '
      SecAuditEngine On
      SecAuditLogFormat JSON
      SecAuditLogType Serial
      SecAuditLogParts ABHZ
      SecAuditLog %%DIR%%/audit.log';
)" + locations +
         R"(
  }
}
)";
}

// Where the entry says which rules we excuse: no others, and none that nginx does not fire.
bool Explains(const IntendedDifference& entry, const std::set<long>& nginx,
              const std::set<long>& framewall) {
  if (entry.unfired.empty()) return true;
  for (const long rule : nginx) {
    if (framewall.count(rule) == 0 && entry.unfired.count(rule) == 0) return false;
  }
  return std::includes(nginx.begin(), nginx.end(), framewall.begin(), framewall.end());
}

std::string Family(long rule) {
  if (rule < 900000 || rule > 999999) return "";
  return std::to_string(rule / 1000);
}

class WafCompat : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasNginx()) GTEST_SKIP() << "no nginx with the ModSecurity connector";
    if (::access("/usr/share/modsecurity-crs/rules", R_OK) != 0) GTEST_SKIP() << "no CRS";
  }

  // Sends every case to both sides; returns how many cases each family of rules fired in.
  std::map<std::string, int> Compare(const std::string& rules, const std::string& name) {
    const std::vector<Case> cases = AllCases();
    std::map<std::string, const Case*> by_id;
    std::vector<Sent> requests;
    for (const Case& one : cases) {
      if (!CanBeSent(one)) continue;
      const std::string id = "c" + std::to_string(by_id.size());
      by_id[id] = &one;
      requests.push_back({id, RequestText(one, id), one.request.method == "HEAD"});
    }
    EXPECT_GE(requests.size(), 400u);
    FakeUpstream upstream([&](FakeUpstream::Peer& peer) {
      const HttpMessage request = peer.ReadRequest();
      const auto found = by_id.find(request.Header("X-Case"));
      if (found != by_id.end()) peer.Send(ResponseText(*found->second, request));
    });
    const std::string config =
        Config(rules, "location / { proxy_pass http://" + upstream.address() + "; }");
    auto theirs = RunSide(kNginx, config, requests);
    auto ours = RunSide(BinaryPath(), config, requests);
    std::map<std::string, int> families;
    int equal = 0;
    for (const auto& [id, one] : by_id) {
      const std::string nginx = theirs[id].Text(false);
      const std::string framewall = ours[id].Text(false);
      std::set<std::string> fired;
      for (const Record& record : ours[id].records) {
        for (const long rule : record.rules) fired.insert(Family(rule));
      }
      for (const std::string& family : fired) ++families[family];
      if (nginx == framewall) {
        ++equal;
        continue;
      }
      const bool same_rules = theirs[id].Rules() == ours[id].Rules();
      const IntendedDifference* intended = intended_.Find(
          name + " " + one->name, same_rules ? std::to_string(theirs[id].status) : nginx,
          same_rules ? std::to_string(ours[id].status) : framewall);
      EXPECT_TRUE(intended != nullptr && Explains(*intended, theirs[id].Rules(), ours[id].Rules()))
          << name << " " << one->name << "\n  nginx:     " << nginx
          << "\n  framewall: " << framewall;
    }
    std::cout << name << ": " << by_id.size() << " requests, " << equal << " equal\n";
    return families;
  }

  static void TearDownTestSuite() {
    if (!complete_) return;
    for (const std::string& what : intended_.Unused()) {
      ADD_FAILURE() << "intended difference that no case needs: " << what;
    }
  }

  static IntendedDifferences intended_;
  static bool complete_;
  TempDir folder_;
};

IntendedDifferences WafCompat::intended_("waf");
bool WafCompat::complete_ = false;

TEST_F(WafCompat, DebiansRulesSayTheSame) {
  const std::map<std::string, int> families = Compare(DebianRules(folder_), "debian");
  // 912 counts in collections and is off unless set up; 922 came with CRS 3.3.4 and has four rules.
  for (const char* family : {"911", "913", "920", "921", "930", "931", "932", "933", "934", "941",
                             "942", "943", "944", "949", "950", "951", "952", "953", "954"}) {
    EXPECT_GE(families.count(family) > 0 ? families.at(family) : 0, 10) << family;
  }
}

TEST_F(WafCompat, OurRulesSayTheSameInNginx) {
  Compare("modsecurity_rules_file " FW_SOURCE_DIR "/rules/framewall.conf;", "framewall");
}

// How a refusal is answered and recorded. Every case goes to a location without and to one with an
// error_page.
TEST_F(WafCompat, InterventionsAndTheirRecords) {
  const std::string rules = R"(
    modsecurity_rules '
      SecRuleEngine On
      SecRequestBodyAccess On
      SecRule ARGS:deny1 "@streq 1" "id:1,phase:1,deny,status:403,log,auditlog"
      SecRule ARGS:deny2 "@streq 1" "id:2,phase:2,deny,status:403,log,auditlog"
      SecRule ARGS:code "@streq 1" "id:3,phase:1,deny,status:451,log,auditlog"
      SecRule ARGS:redirect1 "@streq 1" "id:4,phase:1,redirect:http://elsewhere.test/,status:302,log,auditlog"
      SecRule ARGS:redirect2 "@streq 1" "id:5,phase:2,redirect:http://elsewhere.test/,status:302,log,auditlog"
      SecRule ARGS:drop1 "@streq 1" "id:6,phase:1,drop,log,auditlog"
      SecRule ARGS:drop2 "@streq 1" "id:7,phase:2,drop,log,auditlog"
      SecRule ARGS:quiet "@streq 1" "id:8,phase:1,drop,nolog"
      SecRule ARGS:allow "@streq 1" "id:9,phase:1,allow,log,auditlog"
      SecRule ARGS:allow "@streq 1" "id:10,phase:2,deny,status:403,log,auditlog"
      SecRule ARGS:pass "@streq 1" "id:11,phase:1,pass,log,auditlog"
      SecRule RESPONSE_STATUS "@streq 503" "id:12,phase:3,deny,status:403,log,auditlog"
      ';
)";
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    const HttpMessage request = peer.ReadRequest();
    const bool fails = request.start_line.find("fail=1") != std::string::npos;
    peer.Send(std::string("HTTP/1.1 ") + (fails ? "503 No" : "200 OK") +
              "\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  const std::string config = Config(rules, R"(
    error_page 497 /never;
    location /plain { proxy_pass http://)" + upstream.address() +
                                               R"(; }
    location /page { error_page 403 451 /denied; proxy_pass http://)" +
                                               upstream.address() + R"(; }
    location = /denied { internal; default_type text/plain; return 403 "sorry"; }
)");
  std::vector<Sent> requests;
  for (const char* where : {"plain", "page"}) {
    for (const char* what : {"nothing", "deny1", "deny2", "code", "redirect1", "redirect2", "drop1",
                             "drop2", "quiet", "allow", "pass", "fail"}) {
      const std::string id = std::string(where) + "." + what;
      requests.push_back({id,
                          "GET /" + std::string(where) + "?" + what +
                              "=1 HTTP/1.1\r\nHost: a\r\nX-Case: " + id + "\r\n\r\n",
                          false});
    }
  }
  auto theirs = RunSide(kNginx, config, requests);
  auto ours = RunSide(BinaryPath(), config, requests);
  for (const Sent& request : requests) {
    const std::string nginx = theirs[request.id].Text(true);
    const std::string framewall = ours[request.id].Text(true);
    if (nginx == framewall) continue;
    EXPECT_NE(intended_.Find(request.id, nginx, framewall), nullptr)
        << request.id << "\n  nginx:     " << nginx << "\n  framewall: " << framewall;
  }
  complete_ = true;
}

}  // namespace
}  // namespace framewall::test
