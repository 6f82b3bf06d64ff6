// Countries and networks: databases, lists from files, and what rules are told of them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "tests/functional/waf_testing.h"
#include "tests/functional/websocket_testing.h"
#include "tests/support/mmdb.h"

namespace framewall::test {
namespace {

constexpr char kCity[] = R"([
  ["127.0.0.1/32", {"country": {"iso_code": "DE", "names": {"en": "Germany", "ru": "Германия"}},
                    "city": {"names": {"en": "Berlin"}},
                    "location": {"latitude": 52.52, "longitude": 13.4},
                    "subdivisions": [{"iso_code": "BE"}]}],
  ["127.0.0.2/32", {"country": {"iso_code": "XX", "names": {"en": "Nowhere"}}}],
  ["2001:db8::/32", {"country": {"iso_code": "RU"}}]])";
constexpr char kAsn[] = R"([
  ["127.0.0.0/8", {"autonomous_system_number": 64500,
                   "autonomous_system_organization": "Example Net"}]])";

HttpMessage GetFrom(const std::string& source, uint16_t port, const std::string& path,
                    const std::string& headers = "") {
  RawClient client = RawClient::To("127.0.0.1", port, source);
  client.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
              "\r\n");
  return client.ReadResponse();
}

class GeoDatabases : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanMakeMmdb()) GTEST_SKIP() << kNoMmdb;
  }
  // With the databases in its folder.
  void Start(const std::string& http, bool wait = true) {
    proxy_ = std::make_unique<ProxyProcess>("events {}\nhttp {\n" + http + "\n}\n");
    ASSERT_TRUE(MakeMmdb(File("city.mmdb"), kCity, ", \"build_epoch\": 1700000000"));
    ASSERT_TRUE(MakeMmdb(File("asn.mmdb"), kAsn));
    if (!wait) return;
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  std::string File(const std::string& name) { return proxy_->directory().File(name); }
  std::string Body(const std::string& path, const std::string& source = "127.0.0.1") {
    return GetFrom(source, proxy_->port(0), path).body;
  }

  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(GeoDatabases, FeedVariablesOfAllKinds) {
  Start(R"(
    geoip2 city.mmdb {
      $code default=ZZ country iso_code;
      $name country names ru;
      $city default=Nowhere city names en;
      $latitude location latitude;
      $region subdivisions 0 iso_code;
      $of_argument default=ZZ source=$arg_ip country iso_code;
      $built metadata build_epoch;
    }
    geoip2 asn.mmdb { $asn autonomous_system_number; $net autonomous_system_organization; }
    map $code $welcome { default hello; DE "guten Tag"; }
    log_format geo "$code $asn";
    server {
      listen 127.0.0.1:%%PORT_0%%;
      access_log %%DIR%%/geo.log geo;
      set $kept "$code-$asn";
      if ($code = XX) { return 451; }
      location / { return 200 "$code|$name|$city|$latitude|$region|$asn|$net|$built"; }
      location /map { return 200 $welcome; }
      location /set { return 200 $kept; }
      location /argument { return 200 $of_argument; }
    })");
  EXPECT_EQ(Body("/"), "DE|Германия|Berlin|52.52000|BE|64500|Example Net|1700000000");
  EXPECT_EQ(Body("/", "127.0.0.3"), "ZZ||Nowhere|||64500|Example Net|1700000000");
  EXPECT_EQ(GetFrom("127.0.0.2", proxy_->port(0), "/").status(), 451);
  EXPECT_EQ(Body("/map"), "guten Tag");
  EXPECT_EQ(Body("/set"), "DE-64500");
  EXPECT_EQ(Body("/argument?ip=2001:db8::1"), "RU");
  EXPECT_EQ(Body("/argument?ip=nobody"), "ZZ");
  EXPECT_TRUE(proxy_->WaitForLog("XX 64500", "geo.log"));
  EXPECT_TRUE(proxy_->WaitForLog("DE 64500", "geo.log"));
}

TEST_F(GeoDatabases, AreKeysOfLimits) {
  Start(R"(
    geoip2 asn.mmdb { $asn autonomous_system_number; }
    limit_req_zone $asn zone=nets:1m rate=1r/m;
    server { listen 127.0.0.1:%%PORT_0%%; limit_req zone=nets; root %%DIR%%; })");
  proxy_->directory().Write("a.txt", "a");
  EXPECT_EQ(GetFrom("127.0.0.1", proxy_->port(0), "/a.txt").status(), 200);
  EXPECT_EQ(GetFrom("127.0.0.9", proxy_->port(0), "/a.txt").status(), 503);
}

TEST_F(GeoDatabases, AreReadAnewWhileRequestsGoOn) {
  Start(R"(
    geoip2 city.mmdb { auto_reload 100ms; $code default=ZZ country iso_code; }
    server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $code; } })");
  // One connection all the time.
  RawClient client(proxy_->port(0));
  const auto ask = [&] {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpMessage answer = client.ReadResponse();
    EXPECT_EQ(answer.status(), 200);
    return answer.body;
  };
  EXPECT_EQ(ask(), "DE");
  ASSERT_TRUE(
      MakeMmdb(File("city.mmdb"), R"([["127.0.0.1/32", {"country": {"iso_code": "FR"}}]])"));
  EXPECT_TRUE(Eventually([&] { return ask() == "FR"; }));

  // Cut where it stands, as by a copy that fills up the disk: one line, and the old one goes on.
  std::filesystem::resize_file(File("city.mmdb"), 100);
  ASSERT_TRUE(proxy_->WaitForLog("the one before is kept"));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask(), "FR");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(proxy_->CountInLog("the one before is kept"), 1u) << proxy_->Log();

  ASSERT_TRUE(
      MakeMmdb(File("city.mmdb"), R"([["127.0.0.1/32", {"country": {"iso_code": "IT"}}]])"));
  EXPECT_TRUE(Eventually([&] { return ask() == "IT"; }));
  EXPECT_EQ(proxy_->CountInLog("is read anew"), 2u);
}

TEST_F(GeoDatabases, WithoutAutoReloadAReloadReadsThem) {
  Start(R"(
    geoip2 city.mmdb { $code default=ZZ country iso_code; }
    server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $code; } })");
  ASSERT_TRUE(
      MakeMmdb(File("city.mmdb"), R"([["127.0.0.1/32", {"country": {"iso_code": "FR"}}]])"));
  EXPECT_EQ(Body("/"), "DE");
  ASSERT_TRUE(proxy_->Reload());
  EXPECT_EQ(Body("/"), "FR");
  // A bad one leaves everything as it was.
  proxy_->directory().Write("city.mmdb", "no database");
  proxy_->Signal(SIGHUP);
  ASSERT_TRUE(proxy_->WaitForLog("[emerg]"));
  EXPECT_EQ(Body("/"), "FR");
}

TEST_F(GeoDatabases, StopTheStartWhereTheyCannotBeRead) {
  Start(R"(
    geoip2 city.mmdb { $code country iso_code; }
    server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $code; } })",
        false);
  std::filesystem::resize_file(File("city.mmdb"), 100);
  const CommandResult cut = proxy_->Run({"-t"});
  EXPECT_NE(cut.exit_code, 0);
  EXPECT_NE(cut.output.find("geoip2 database \"" + File("city.mmdb") + "\" cannot be used"),
            std::string::npos)
      << cut.output;
  EXPECT_NE(cut.output.find("nginx.conf:"), std::string::npos) << cut.output;
  std::filesystem::remove(File("city.mmdb"));
  const CommandResult none = proxy_->Run({"-t"});
  EXPECT_NE(none.exit_code, 0);
  EXPECT_NE(none.output.find("No such file"), std::string::npos) << none.output;
}

// --- What rules are told ---

TEST_F(GeoDatabases, RulesSeeThemInTx) {
  FakeUpstream upstream(FakeUpstream::Always(Answer("ok")));
  Start(R"(
    geoip2 city.mmdb { $code default=ZZ country iso_code; }
    modsecurity on;
    modsecurity_rules 'SecRuleEngine On
      SecRule TX:COUNTRY "@streq XX" "id:1,phase:1,deny,status:451,log,msg:closed-country"
      SecRule TX:empty "@rx ^$" "id:2,phase:1,pass,log,msg:empty-is-there"
      SecRule &TX:nobody "!@eq 0" "id:3,phase:1,deny"';
    modsecurity_variable country $code;
    modsecurity_variable empty $arg_nothing;
    server {
      listen 127.0.0.1:%%PORT_0%%;
      location / { )" +
        Pass(upstream) +
        R"( }
      # Added to those above, or instead of one.
      location /other/ { modsecurity_variable country XX; )" +
        Pass(upstream) + R"( }
      location /more/ {
        modsecurity_rules 'SecRule TX:path "@contains forbidden" "id:4,phase:1,deny,status:403,log"';
        modsecurity_variable path "$uri";
        )" +
        Pass(upstream) +
        R"( }
    })");
  const uint16_t port = proxy_->port(0);
  EXPECT_EQ(GetFrom("127.0.0.1", port, "/").status(), 200);
  EXPECT_EQ(GetFrom("127.0.0.2", port, "/").status(), 451);
  EXPECT_TRUE(proxy_->WaitForLog("closed-country"));
  EXPECT_TRUE(proxy_->WaitForLog("empty-is-there"));
  EXPECT_EQ(GetFrom("127.0.0.1", port, "/other/").status(), 451);
  EXPECT_EQ(GetFrom("127.0.0.1", port, "/more/allowed").status(), 200);
  EXPECT_EQ(GetFrom("127.0.0.1", port, "/more/forbidden").status(), 403);
  EXPECT_EQ(GetFrom("127.0.0.2", port, "/more/allowed").status(), 451);
}

TEST_F(GeoDatabases, RulesSeeThemWithEveryMessage) {
  WebSocketUpstream upstream;
  Start(R"(
    geoip2 city.mmdb { $code default=ZZ country iso_code; }
    modsecurity on;
    modsecurity_variable country $code;
    modsecurity_rules 'SecRuleEngine On
      SecResponseBodyAccess On
      SecRule TX:country "@streq DE" "id:1,phase:2,deny,log,msg:no-orders-from-there,chain"
        SecRule ARGS:json.type "@streq order" "t:none"
      SecRule TX:country "@streq XX" "id:2,phase:4,deny,log,msg:nothing-leaves,chain"
        SecRule RESPONSE_BODY "@contains secret" "t:none"';
    server { listen 127.0.0.1:%%PORT_0%%; location / { )" +
        SocketPass(upstream.address()) + " } }");
  const auto connect = [&](const std::string& source) {
    WebSocketClientOptions options;
    options.source = source;
    return WebSocketClient(proxy_->port(0), options);
  };
  WebSocketClient german = connect("127.0.0.1");
  ASSERT_EQ(german.status(), 101) << proxy_->Output();
  german->SendText(R"({"type":"chat","text":"secret"})");
  EXPECT_EQ(german->Read().payload, R"({"type":"chat","text":"secret"})");
  german->SendText(R"({"type":"order"})");
  EXPECT_CLOSED_WITH(german.end(), 1008);
  EXPECT_TRUE(proxy_->WaitForLog("no-orders-from-there"));

  WebSocketClient other = connect("127.0.0.2");
  other->SendText(R"({"type":"order"})");
  EXPECT_EQ(other->Read().payload, R"({"type":"order"})");
  other->SendText("a secret");
  EXPECT_CLOSED_WITH(other.end(), 1008);
  EXPECT_TRUE(proxy_->WaitForLog("nothing-leaves"));
}

TEST(RuleVariables, NamesThatBelongToOthersAreRefused) {
  for (const char* name : {"1", "ws_direction", "a.b", "\"\""}) {
    ProxyProcess proxy("events {} http { modsecurity_variable " + std::string(name) +
                       " x; server { listen 127.0.0.1:%%PORT_0%%; } }");
    const CommandResult result = proxy.Run({"-t"});
    EXPECT_NE(result.exit_code, 0) << name;
    EXPECT_NE(result.output.find("modsecurity_variable"), std::string::npos) << result.output;
  }
}

// --- Lists of networks ---

// A hundred thousand networks of both families, none of 127.0.0.0/8, then `last`.
std::string ManyNetworks(const std::string& before, const std::string& after,
                         const std::string& last) {
  std::ostringstream list;
  for (int i = 0; i < 50000; ++i) {
    list << before << 10 + i / 6000 << '.' << i / 256 % 256 << '.' << i % 256 << ".0/26" << after;
    list << before << "2001:db8:" << std::hex << i << std::dec << "::/48" << after;
  }
  return list.str() + last;
}

// Of the processor, in the processes that `work` starts: others share the machine.
double SecondsOf(const std::function<void()>& work) {
  const auto spent = [] {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  };
  const double before = spent();
  work();
  return spent() - before;
}

TEST(NetworkLists, AHundredThousandAreReadAtTheStartAndAnewOnReload) {
  ProxyProcess proxy(R"(events {} http {
    geo $listed { default 0; include networks.conf; }
    geo $of_argument $found { default 0; include networks.conf; }
    map $arg_ip $of_argument { default $arg_ip; }
    server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 "$listed $found"; } } })");
  proxy.directory().Write("networks.conf", ManyNetworks("", " 1;\n", "127.0.0.7/32 7;\n"));
  CommandResult tested;
  const double seconds = SecondsOf([&] { tested = proxy.Run({"-t"}); });
  EXPECT_EQ(tested.exit_code, 0) << tested.output.substr(0, 2000);
  std::printf("two geo blocks of 100,000 networks: -t takes %.2f s of CPU\n", seconds);
  EXPECT_LT(seconds, 2);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto ask = [&](const std::string& source, const std::string& ip) {
    return GetFrom(source, proxy.port(0), "/?ip=" + ip).body;
  };
  EXPECT_EQ(ask("127.0.0.1", "10.0.3.1"), "0 1");
  EXPECT_EQ(ask("127.0.0.7", "10.0.3.64"), "7 0");
  EXPECT_EQ(ask("127.0.0.1", "2001:db8:c34f::1"), "0 1");
  EXPECT_EQ(ask("127.0.0.1", "2001:db8:c350::1"), "0 0");
  proxy.directory().Write("networks.conf", "127.0.0.1/32 2;\n");
  ASSERT_TRUE(proxy.Reload());
  EXPECT_EQ(ask("127.0.0.1", "10.0.3.1"), "2 0");
  EXPECT_EQ(ask("127.0.0.7", "2001:db8:1::1"), "0 0");
}

TEST(NetworkLists, LongAccessListsKeepTheirOrder) {
  ProxyProcess proxy(R"(events {} http {
    server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%;
      location / { include first.conf; include denied.conf; allow all; }
      location /nested/ { location /nested/inner/ { } include denied.conf; deny 127.0.0.1; }
    } })");
  proxy.directory().Write("first.conf", "allow 127.0.0.5;\n");
  proxy.directory().Write("denied.conf", ManyNetworks("deny ", ";\n", "deny 127.0.0.4/30;\n"));
  proxy.directory().Write("a.txt", "a");
  proxy.directory().Write("nested/inner/a.txt", "a");
  CommandResult tested;
  const double seconds = SecondsOf([&] { tested = proxy.Run({"-t"}); });
  EXPECT_EQ(tested.exit_code, 0) << tested.output.substr(0, 2000);
  std::printf("two access lists of 100,000 networks: -t takes %.2f s of CPU\n", seconds);
  EXPECT_LT(seconds, 2);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto status = [&](const std::string& source, const std::string& path) {
    return GetFrom(source, proxy.port(0), path).status();
  };
  EXPECT_EQ(status("127.0.0.1", "/a.txt"), 200);
  EXPECT_EQ(status("127.0.0.4", "/a.txt"), 403);
  EXPECT_EQ(status("127.0.0.5", "/a.txt"), 200);
  EXPECT_EQ(status("127.0.0.7", "/a.txt"), 403);
  EXPECT_EQ(status("127.0.0.8", "/a.txt"), 200);
  EXPECT_EQ(status("127.0.0.1", "/nested/inner/a.txt"), 403);
  EXPECT_EQ(status("127.0.0.8", "/nested/inner/a.txt"), 200);
  proxy.directory().Write("denied.conf", "deny 127.0.0.8;\n");
  ASSERT_TRUE(proxy.Reload());
  EXPECT_EQ(status("127.0.0.4", "/a.txt"), 200);
  EXPECT_EQ(status("127.0.0.8", "/a.txt"), 403);
}

}  // namespace
}  // namespace framewall::test
