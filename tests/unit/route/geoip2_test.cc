#include "proxy/route/geoip2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "exchange_testing.h"
#include "proxy/route/geoip2_reload.h"
#include "proxy/route/map_table.h"
#include "tests/support/mmdb.h"

namespace framewall::route {
namespace {

constexpr char kNetworks[] = R"([
  ["192.0.2.0/24", {"country": {"iso_code": "DE", "names": {"en": "Germany", "ru": "Германия"},
                                "geoname_id": 2921044, "is_in_european_union": 1},
                    "location": {"latitude": 52.5244, "longitude": -13.41049},
                    "subdivisions": [{"iso_code": "BE"}, {"iso_code": "BB"}],
                    "ports": [80, 443]}],
  ["2001:db8::/32", {"country": {"iso_code": "RU", "is_in_european_union": 0},
                     "float": 1.5, "int32": -7, "uint64": "18446744073709551615",
                     "uint128": "18446744073709551616", "bytes": "xyz",
                     "accuracy_radius": 65535}],
  ["203.0.113.7/32", {"autonomous_system_number": 64500, "nested": {}}]])";

class Geoip2Test : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::CanMakeMmdb()) GTEST_SKIP() << test::kNoMmdb;
    // Made once: starting perl takes longer than all else here.
    static const std::string bytes = [this] {
      EXPECT_TRUE(test::MakeMmdb(File(), kNetworks, ", \"build_epoch\": 1700000000"));
      std::ostringstream whole;
      whole << std::ifstream(File(), std::ios::binary).rdbuf();
      return whole.str();
    }();
    testing_.Write("a.mmdb", bytes);
  }

  std::string File() const { return testing_.folder() + "/a.mmdb"; }

  std::shared_ptr<const Geoip2Database> Open() {
    auto opened = Geoip2Database::Open(File());
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    return opened.ok() ? *opened : nullptr;
  }

  // "-" where there is none.
  static std::string Value(const Geoip2Database& database, std::string_view address,
                           std::vector<const char*> path) {
    path.push_back(nullptr);
    uint32_t record = 0;
    std::string value;
    if (!database.Find(*IpAddress::Parse(address), &record)) return "-";
    return database.AppendValue(record, path.data(), value) ? value : "-";
  }

  ExchangeTesting testing_;
};

TEST_F(Geoip2Test, PrintsValuesOfEveryType) {
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  const auto v4 = [&](std::vector<const char*> path) {
    return Value(*database, "192.0.2.200", std::move(path));
  };
  const auto v6 = [&](std::vector<const char*> path) {
    return Value(*database, "2001:db8:1::9", std::move(path));
  };
  EXPECT_EQ(v4({"country", "iso_code"}), "DE");
  EXPECT_EQ(v4({"country", "names", "ru"}), "Германия");
  EXPECT_EQ(v4({"country", "geoname_id"}), "2921044");
  EXPECT_EQ(v4({"country", "is_in_european_union"}), "1");
  EXPECT_EQ(v4({"location", "latitude"}), "52.52440");
  EXPECT_EQ(v4({"location", "longitude"}), "-13.41049");
  EXPECT_EQ(v4({"subdivisions", "0", "iso_code"}), "BE");
  EXPECT_EQ(v4({"subdivisions", "1", "iso_code"}), "BB");
  EXPECT_EQ(v4({"subdivisions", "-1", "iso_code"}), "BB");
  EXPECT_EQ(v4({"subdivisions", "2", "iso_code"}), "-");
  EXPECT_EQ(v4({"subdivisions", "x", "iso_code"}), "-");
  EXPECT_EQ(v4({"ports", "1"}), "443");
  EXPECT_EQ(v6({"country", "is_in_european_union"}), "0");
  EXPECT_EQ(v6({"float"}), "1.50000");
  EXPECT_EQ(v6({"int32"}), "-7");
  EXPECT_EQ(v6({"uint64"}), "18446744073709551615");
  EXPECT_EQ(v6({"uint128"}), "0x00000000000000010000000000000000");
  EXPECT_EQ(v6({"bytes"}), "xyz");
  EXPECT_EQ(v6({"accuracy_radius"}), "65535");
  EXPECT_EQ(database->build_epoch(), 1700000000u);
}

TEST_F(Geoip2Test, WhatIsNoValueIsNone) {
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Value(*database, "192.0.2.1", {"country"}), "-");
  EXPECT_EQ(Value(*database, "192.0.2.1", {}), "-");
  EXPECT_EQ(Value(*database, "192.0.2.1", {"city", "names"}), "-");
  EXPECT_EQ(Value(*database, "192.0.2.1", {"country", "iso_code", "more"}), "-");
  EXPECT_EQ(Value(*database, "192.0.3.0", {"country", "iso_code"}), "-");
}

TEST_F(Geoip2Test, MappedAddressesAreIpv4) {
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Value(*database, "::ffff:192.0.2.1", {"country", "iso_code"}), "DE");
}

TEST_F(Geoip2Test, AnIpv4DatabaseKnowsNoIpv6) {
  ASSERT_TRUE(test::MakeMmdb(File(), R"([["192.0.2.0/24", {"country": {"iso_code": "DE"}}]])",
                             ", \"ip_version\": 4"));
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Value(*database, "192.0.2.1", {"country", "iso_code"}), "DE");
  EXPECT_EQ(Value(*database, "2001:db8::1", {"country", "iso_code"}), "-");
}

TEST_F(Geoip2Test, CutAndBrokenFilesAreRefusedOrAnswerWithNothing) {
  std::ostringstream whole;
  whole << std::ifstream(File(), std::ios::binary).rdbuf();
  const std::string bytes = whole.str();
  ASSERT_GT(bytes.size(), 500u);
  const auto try_bytes = [&](const std::string& text) {
    std::ofstream(File(), std::ios::binary | std::ios::trunc) << text;
    auto opened = Geoip2Database::Open(File());
    if (!opened.ok()) {
      EXPECT_NE(opened.error().message.find(File()), std::string::npos);
      return false;
    }
    for (const char* address : {"192.0.2.1", "2001:db8::1", "203.0.113.7", "1.1.1.1"}) {
      Value(**opened, address, {"country", "names", "en"});
      Value(**opened, address, {"subdivisions", "0", "iso_code"});
    }
    return true;
  };
  // Cut at the end: its metadata stands there.
  for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 300) {
    const bool opened = try_bytes(bytes.substr(0, length));
    EXPECT_FALSE(opened && length < bytes.size() / 2) << length;
  }
  // Cut at the beginning, and single octets changed.
  for (size_t cut = 1; cut < bytes.size(); cut += 1 + bytes.size() / 300) {
    try_bytes(bytes.substr(cut));
  }
  for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 1000) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    try_bytes(changed);
  }
  EXPECT_TRUE(try_bytes(bytes));
}

TEST_F(Geoip2Test, WritingIntoTheFileChangesNothing) {
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  std::filesystem::resize_file(File(), 0);
  EXPECT_EQ(Value(*database, "192.0.2.1", {"country", "iso_code"}), "DE");
}

// With its configuration and variables.
class Geoip2Variables : public Geoip2Test {
 protected:
  void Load(const std::string& lines) {
    testing_.Load("geoip2 DIR/a.mmdb { " + lines +
                  " } server { listen 127.0.0.1:80; add_header X $out; }");
    config::Diagnostics diagnostics;
    geoip2_ = Geoip2::Open(testing_.config(), nullptr, diagnostics);
    ASSERT_FALSE(diagnostics.has_errors());
    testing_.UseGeoip2(geoip2_.get());
  }

  // "-" where the variable is absent.
  std::string Out(const std::string& args = "", const std::string& client = "127.0.0.1") {
    exchange::Exchange& exchange = testing_.Request("", "/?" + args);
    exchange.client_address = SocketAddress::FromIp(*IpAddress::Parse(client), 1);
    return Again(exchange);
  }
  static std::string Again(exchange::Exchange& exchange) {
    const auto& value = exchange.settings().headers.add_header[0].value;
    return std::string(exchange.Get(value.parts[0].variable).value_or("-"));
  }

  std::unique_ptr<Geoip2> geoip2_;
};

TEST_F(Geoip2Variables, LookUpTheClientUnlessASourceIsNamed) {
  Load("$out default=none country iso_code;");
  EXPECT_EQ(Out("", "192.0.2.77"), "DE");
  EXPECT_EQ(Out("", "::ffff:192.0.2.77"), "DE");
  EXPECT_EQ(Out("", "2001:db8::5"), "RU");
  EXPECT_EQ(Out("", "127.0.0.1"), "none");
  Load("$out default=none source=$arg_ip country iso_code;");
  EXPECT_EQ(Out("ip=192.0.2.77"), "DE");
  EXPECT_EQ(Out("ip=2001:db8::5", "192.0.2.77"), "RU");
  EXPECT_EQ(Out("ip=nonsense", "192.0.2.77"), "none");
  EXPECT_EQ(Out("ip=192.0.2.1,192.0.2.2", "192.0.2.77"), "none");
  EXPECT_EQ(Out("", "192.0.2.77"), "none");
}

TEST_F(Geoip2Variables, WithoutADefaultTheyAreAbsent) {
  Load("$out country iso_code;");
  EXPECT_EQ(Out("", "127.0.0.1"), "-");
  EXPECT_EQ(Out("", "203.0.113.7"), "-");
}

TEST_F(Geoip2Variables, TellWhatIsKnownOfTheFile) {
  Load("$out metadata build_epoch;");
  EXPECT_EQ(Out(), "1700000000");
  SetCachedNowForTest({SteadyTime(), 5000});
  Load("$out metadata last_check;");
  EXPECT_EQ(Out(), "5");
  geoip2_->SetChecked(0, 77);
  EXPECT_EQ(Out(), "77");
  Load("$out metadata last_change;");
  EXPECT_EQ(Out(), "5");
  UpdateCachedNow();
}

TEST_F(Geoip2Variables, OneExchangeSearchesOnceForAnAddress) {
  Load(
      "$out \"default=a\" country iso_code; $name country names en; $eu country "
      "is_in_european_union; $other source=$arg_ip country iso_code;");
  exchange::Exchange& exchange = testing_.Request("", "/?ip=192.0.2.1");
  exchange.client_address = SocketAddress::FromIp(*IpAddress::Parse("2001:db8::1"), 1);
  const auto& names = testing_.config().variables.names();
  for (int round = 0; round < 3; ++round) {
    for (size_t slot = 0; slot < names.size(); ++slot) {
      if (names[slot].kind == config::VariableKind::kGeoip2) {
        exchange.Get(static_cast<config::VariableSlot>(slot));
      }
    }
  }
  EXPECT_EQ(geoip2_->searches(), 2u);  // one for the client, one for the argument
}

TEST_F(Geoip2Variables, ForwardedAddressesAreBelievedOfProxies) {
  testing_.Load(
      "geoip2_proxy 10.0.0.0/8; geoip2_proxy_recursive on; geoip2 DIR/a.mmdb { $out country "
      "iso_code; } server { listen 127.0.0.1:80; add_header X $out; }");
  config::Diagnostics diagnostics;
  geoip2_ = Geoip2::Open(testing_.config(), nullptr, diagnostics);
  testing_.UseGeoip2(geoip2_.get());
  const auto out = [&](const std::string& client, const std::string& forwarded) {
    exchange::Exchange& exchange = testing_.Request("", "/", {{"X-Forwarded-For", forwarded}});
    exchange.client_address = SocketAddress::FromIp(*IpAddress::Parse(client), 1);
    return Again(exchange);
  };
  EXPECT_EQ(out("10.0.0.1", "2001:db8::1, 192.0.2.1, 10.2.2.2"), "DE");
  EXPECT_EQ(out("11.0.0.1", "192.0.2.1"), "-");
}

// Runs the loop until the log says so.
class Geoip2Reloading : public Geoip2Variables {
 protected:
  bool RunUntil(const std::string& line) {
    for (int turn = 0; turn < 500; ++turn) {
      loop_.RunOnce(Milliseconds(20));
      if (testing_.log().find(line) != std::string::npos) return true;
    }
    return false;
  }
  size_t LinesLogged() const {
    const std::string log = testing_.log();
    return static_cast<size_t>(std::count(log.begin(), log.end(), '\n'));
  }

  event::EventLoop loop_;
};

TEST_F(Geoip2Reloading, ANewFileTakesThePlaceOfTheOld) {
  Load("auto_reload 50ms; $out default=none country iso_code;");
  const Geoip2Reload reload(loop_, testing_.config(), *geoip2_);
  exchange::Exchange& before = testing_.Request("", "/");
  before.client_address = SocketAddress::FromIp(*IpAddress::Parse("192.0.2.1"), 1);
  EXPECT_EQ(Again(before), "DE");
  ASSERT_TRUE(test::MakeMmdb(File(), R"([["192.0.2.0/24", {"country": {"iso_code": "FR"}}]])"));
  ASSERT_TRUE(RunUntil("is read anew"));
  EXPECT_EQ(Again(before), "DE");  // as it was for this exchange
  EXPECT_EQ(Out("", "192.0.2.1"), "FR");
}

TEST_F(Geoip2Reloading, ABrokenFileIsReportedOnceAndTheOldOneKept) {
  Load("auto_reload 20ms; $out default=none country iso_code;");
  const Geoip2Reload reload(loop_, testing_.config(), *geoip2_);
  testing_.Write("a.mmdb", "this is no database");
  ASSERT_TRUE(RunUntil("cannot be used"));
  for (int turn = 0; turn < 20; ++turn) loop_.RunOnce(Milliseconds(20));
  EXPECT_EQ(LinesLogged(), 1u) << testing_.log();
  EXPECT_NE(testing_.log().find("[error] geoip2 database"), std::string::npos);
  EXPECT_EQ(Out("", "192.0.2.1"), "DE");
  std::filesystem::remove(File());
  ASSERT_TRUE(RunUntil("No such file"));
  for (int turn = 0; turn < 20; ++turn) loop_.RunOnce(Milliseconds(20));
  EXPECT_EQ(LinesLogged(), 2u) << testing_.log();
  ASSERT_TRUE(test::MakeMmdb(File(), R"([["192.0.2.0/24", {"country": {"iso_code": "FR"}}]])"));
  ASSERT_TRUE(RunUntil("is read anew"));
  EXPECT_EQ(Out("", "192.0.2.1"), "FR");
}

TEST(Geoip2Open, SaysWhichLineNamesABadFile) {
  ExchangeTesting testing;
  testing.Write("bad.mmdb", "nothing");
  testing.Load(
      "geoip2 DIR/bad.mmdb { }\ngeoip2 DIR/none.mmdb { }\nserver { listen 127.0.0.1:80; }");
  config::Diagnostics diagnostics;
  Geoip2::Open(testing.config(), nullptr, diagnostics);
  ASSERT_EQ(diagnostics.messages().size(), 2u);
  EXPECT_EQ(diagnostics.messages()[0].at.line, 3);
  EXPECT_NE(diagnostics.messages()[0].text.find("metadata"), std::string::npos)
      << diagnostics.messages()[0].text;
  EXPECT_EQ(diagnostics.messages()[1].at.line, 4);
  EXPECT_NE(diagnostics.messages()[1].text.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace framewall::route
