#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "backend/settings/load.h"
#include "backend/settings/rows.h"
#include "proxy/base/parse.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend {
namespace {

using testing::Test;

class SettingsTest : public Test {
 protected:
  LoadedSettings Load(std::string_view yaml, const Environment& environment = {}) {
    return LoadSettings(directory_.Write("b.yaml", yaml), environment);
  }
  // The one error, without the directory; all of them where there are several.
  std::string Error(std::string_view yaml, const Environment& environment = {}) {
    const LoadedSettings loaded = Load(yaml, environment);
    std::string all;
    for (const std::string& error : loaded.errors) all += (all.empty() ? "" : "\n") + error;
    for (size_t at; (at = all.find(directory_.path() + "/")) != all.npos;) {
      all.erase(at, directory_.path().size() + 1);
    }
    return all;
  }

  test::TempDir directory_;
};

TEST_F(SettingsTest, NothingIsEnough) {
  EXPECT_TRUE(LoadSettings("", {}).errors.empty());
  EXPECT_EQ(Error(""), "");
  EXPECT_EQ(Error("# only a comment\n"), "");
  EXPECT_EQ(Error("server:\n"), "");
}

TEST_F(SettingsTest, TheFileSaysAndTheEnvironmentOverrules) {
  const std::string yaml =
      "server: {listen: '127.0.0.1:81', drain_seconds: 1m}\n"
      "limits:\n  body_limit: 64k\n  page_size: 7\naccounts: {registration_open: yes}\n";
  const Settings file = Load(yaml).settings;
  EXPECT_EQ(file.listen, "127.0.0.1:81");
  EXPECT_EQ(file.drain_seconds, 60);
  EXPECT_EQ(file.body_limit, 65536u);
  EXPECT_TRUE(file.registration_open);
  const LoadedSettings both = Load(yaml, {{"FRAMEWALL_BACKEND_LIMITS_PAGE_SIZE", "8"},
                                          {"FRAMEWALL_BACKEND_ACCOUNTS_REGISTRATION_OPEN", "false"},
                                          {"FRAMEWALL_BACKEND_CONFIG", "elsewhere"}});
  EXPECT_TRUE(both.errors.empty());
  EXPECT_EQ(both.settings.page_size, 8u);
  EXPECT_FALSE(both.settings.registration_open);
  EXPECT_EQ(both.settings.body_limit, 65536u);
}

TEST_F(SettingsTest, ListsComeFromBothToo) {
  const std::string yaml =
      "llm:\n  providers:\n    - {name: a, kind: echo}\n  models:\n"
      "    - {name: m, provider: a, provider_model: x}\n";
  const Settings file = Load(yaml).settings;
  ASSERT_EQ(file.models.size(), 1u);
  EXPECT_EQ(file.models[0].provider_model, "x");
  const LoadedSettings both =
      Load(yaml, {{"FRAMEWALL_BACKEND_LLM_MODELS", "[{name: n, provider: a}]"}});
  EXPECT_TRUE(both.errors.empty());
  ASSERT_EQ(both.settings.models.size(), 1u);
  EXPECT_EQ(both.settings.models[0].name, "n");
  EXPECT_EQ(Error("", {{"FRAMEWALL_BACKEND_LLM_MODELS", "[{"}}).substr(0, 28),
            "FRAMEWALL_BACKEND_LLM_MODELS");
}

TEST_F(SettingsTest, FilesHoldValues) {
  const std::string path = directory_.Write("secret", "https://chat.example\r\n");
  const LoadedSettings loaded = Load("", {{"FRAMEWALL_BACKEND_SERVER_PUBLIC_URL_FILE", path}});
  EXPECT_TRUE(loaded.errors.empty());
  EXPECT_EQ(loaded.settings.public_url, "https://chat.example");
  EXPECT_NE(Error("", {{"FRAMEWALL_BACKEND_SERVER_PUBLIC_URL_FILE", "/no/such"}})
                .find("FRAMEWALL_BACKEND_SERVER_PUBLIC_URL_FILE: cannot open \"/no/such\""),
            std::string::npos);
  EXPECT_EQ(Error("", {{"FRAMEWALL_BACKEND_SERVER_PUBLIC_URL", "https://a"},
                       {"FRAMEWALL_BACKEND_SERVER_PUBLIC_URL_FILE", path}}),
            "FRAMEWALL_BACKEND_SERVER_PUBLIC_URL_FILE: is set beside "
            "FRAMEWALL_BACKEND_SERVER_PUBLIC_URL; one of them");
  // A setting whose own name ends so.
  EXPECT_EQ(Load("", {{"FRAMEWALL_BACKEND_LOG_FILE", "x.log"}}).settings.log_file, "x.log");
}

TEST_F(SettingsTest, ErrorsSayWhereAndWhatWasExpected) {
  EXPECT_EQ(Error("server:\n  head_seconds: soon\n"),
            "b.yaml:2: server.head_seconds: a time from 1 to 600 seconds was expected, found "
            "\"soon\"");
  EXPECT_EQ(Error("server:\n  listn: x\n"),
            "b.yaml:2: unknown setting \"server.listn\"; did you mean \"server.listen\"?");
  EXPECT_EQ(Error("server:\n  entirely_else: x\n"),
            "b.yaml:2: unknown setting \"server.entirely_else\"");
  EXPECT_EQ(Error("serfer: {}\n"),
            "b.yaml:1: unknown section \"serfer\"; did you mean \"server\"?");
  EXPECT_EQ(Error("server: 3\n"), "b.yaml:1: a mapping of settings was expected in \"server\"");
  EXPECT_EQ(Error("- a\n"), "b.yaml:1: a mapping of sections was expected");
  EXPECT_EQ(Error("server:\n  listen: [a]\n"),
            "b.yaml:2: server.listen: unix:PATH or ADDRESS:PORT was expected, found a list");
  EXPECT_EQ(Error("server:\n  listen: unix:a\n  listen: unix:b\n"),
            "b.yaml:3: \"listen\" stands there twice");
  EXPECT_EQ(Error("a: {b: c\n").substr(0, 15), "b.yaml:2: YAML:");
  EXPECT_EQ(Error("log: {}\n---\nlog: {}\n").substr(0, 9), "b.yaml:3:");
  EXPECT_EQ(Error("", {{"FRAMEWALL_BACKEND_LOG_LEVL", "info"}}),
            "FRAMEWALL_BACKEND_LOG_LEVL: no such setting; did you mean "
            "\"FRAMEWALL_BACKEND_LOG_LEVEL\"?");
  EXPECT_EQ(Error("", {{"FRAMEWALL_BACKEND_LOG_LEVEL", "loud"}}).substr(0, 27),
            "FRAMEWALL_BACKEND_LOG_LEVEL");
  EXPECT_EQ(LoadSettings("/no/such", {}).errors.size(), 1u);
}

TEST_F(SettingsTest, AllErrorsAtOnce) {
  const LoadedSettings loaded =
      Load("server: {listn: x, head_seconds: 0}\nloge: {}\n", {{"FRAMEWALL_BACKEND_X", "1"}});
  EXPECT_EQ(loaded.errors.size(), 4u);
}

TEST_F(SettingsTest, ContradictionsAreToldBesideOtherErrors) {
  const std::string contradiction = "settings: limits.page_size is more than limits.page_limit";
  EXPECT_EQ(Error("limits: {page_size: 100, page_limit: 10}\nacounts: {}\n"),
            "b.yaml:2: unknown section \"acounts\"; did you mean \"accounts\"?\n" + contradiction);
  EXPECT_NE(
      Error("limits: {page_size: 100, page_limit: 10, body_limit: much}\n").find(contradiction),
      std::string::npos);
  // Of two, one of which was not taken, nobody knows.
  EXPECT_EQ(Error("limits: {page_size: 300, page_limit: many}\n").find(contradiction),
            std::string::npos);
  EXPECT_EQ(
      Error("limits: {page_size: 300}\n", {{"FRAMEWALL_BACKEND_LIMITS_PAGE_LIMIT_FILE", "/no"}})
          .find(contradiction),
      std::string::npos);
  EXPECT_EQ(Error("llm: {providers: [{name: a}], models: [{name: m, provider: a}]}\n"),
            "b.yaml:1: llm.providers: an item lacks \"kind\"");
}

TEST_F(SettingsTest, BoundsAreInclusive) {
  const auto page = [&](std::string_view value) {
    return Error("limits: {page_size: 1, page_limit: " + std::string(value) + "}\n");
  };
  EXPECT_EQ(page("1"), "");
  EXPECT_EQ(page("1000"), "");
  EXPECT_NE(page("0"), "");
  EXPECT_NE(page("1001"), "");
  EXPECT_NE(page("-1"), "");
  EXPECT_NE(page("1.5"), "");
  EXPECT_NE(page("99999999999999999999"), "");
  const auto token = [&](std::string_view value) {
    return Error("accounts: {access_token_seconds: " + std::string(value) + "}\n");
  };
  EXPECT_EQ(token("10m"), "");
  EXPECT_NE(token("601"), "");
  EXPECT_NE(token("10500ms"), "");
}

TEST_F(SettingsTest, TextsAreChecked) {
  const auto url = [&](std::string_view value) {
    return Error("server: {public_url: \"" + std::string(value) + "\"}\n").empty();
  };
  EXPECT_TRUE(url("https://chat.example"));
  EXPECT_TRUE(url("http://[::1]:8080"));
  for (const char* bad : {"", "chat.example", "ftp://a", "https://a/", "https://a?b", "https://",
                          "https://u@a", "https://a:99999", "https://a b"}) {
    EXPECT_FALSE(url(bad)) << bad;
  }
  const auto mode = [&](std::string_view value) {
    return Load("server: {socket_mode: \"" + std::string(value) + "\"}\n");
  };
  EXPECT_EQ(mode("0600").settings.socket_mode, 0600u);
  EXPECT_EQ(mode("777").settings.socket_mode, 0777u);
  for (const char* bad : {"", "60", "0680", "1777", "00660", "rw"}) {
    EXPECT_FALSE(mode(bad).errors.empty()) << bad;
  }
  EXPECT_EQ(Error("accounts: {admin_name: root.1}\n"), "");
  EXPECT_NE(Error("accounts: {admin_name: Root}\n"), "");
  EXPECT_NE(Error("accounts: {admin_name: a}\n"), "");
  EXPECT_NE(Error("accounts: {registration_open: maybe}\n"), "");
}

TEST_F(SettingsTest, WhatContradictsEachOther) {
  EXPECT_NE(Error("limits: {page_size: 300}\n").find("more than limits.page_limit"),
            std::string::npos);
  EXPECT_NE(Error("limits: {message_limit: 64k, body_limit: 10k}\n").find("limits.body_limit"),
            std::string::npos);
  EXPECT_NE(Error("llm: {models: [{name: a, provider: nobody}]}\n").find("\"nobody\""),
            std::string::npos);
  EXPECT_NE(Error("llm: {models: [{name: a, provider: echo}, {name: a, provider: echo}]}\n")
                .find("two are named \"a\""),
            std::string::npos);
  EXPECT_NE(Error("llm: {providers: [{name: a, kind: echo}, {name: a, kind: echo}], models: []}\n")
                .find("two are named \"a\""),
            std::string::npos);
}

TEST_F(SettingsTest, ItemsOfListsAreChecked) {
  EXPECT_EQ(Error("llm:\n  providers:\n    - {name: a}\n"),
            "b.yaml:3: llm.providers: an item lacks \"kind\"");
  EXPECT_NE(Error("llm: {models: [{name: a, provider: echo, colour: red}]}\n").find("\"colour\""),
            std::string::npos);
  EXPECT_NE(Error("llm: {models: [a]}\n").find("a list of mappings"), std::string::npos);
  EXPECT_NE(Error("llm: {models: a}\n").find("a list of mappings"), std::string::npos);
  EXPECT_NE(Error("llm: {providers: [{name: a, kind: oracle}]}\n").find("kind: echo, ollama"),
            std::string::npos);
}

TEST_F(SettingsTest, SecretsAreNotRepeated) {
  const std::string yaml =
      "llm: {providers: [{name: a, kind: openai, url: 'http://a', key: 'se cret'}], models: []}\n";
  EXPECT_NE(Error(yaml).find("llm.providers: key:"), std::string::npos) << Error(yaml);
  EXPECT_EQ(Error(yaml).find("se cret"), std::string::npos) << Error(yaml);
}

TEST(SettingRowsTest, AreAllDifferentAndDocumented) {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const SettingRow& row : SettingRows()) {
    EXPECT_TRUE(names.insert(row.FullName()).second) << row.FullName();
    EXPECT_TRUE(variables.insert(row.EnvironmentName()).second) << row.EnvironmentName();
    EXPECT_TRUE(row.doc.ends_with(".") || row.doc.ends_with("?")) << row.FullName();
    EXPECT_FALSE(row.expected.empty()) << row.FullName();
  }
}

bool Takes(const SettingRow& row, uint64_t number) {
  Settings settings;
  Complaints complaints;
  row.read(
      settings, SettingValue::Scalar(std::to_string(number)),
      [](int) { return std::string("here"); }, complaints);
  return complaints.texts().empty();
}

// Of every number, size and time there is.
TEST(SettingRowsTest, BoundsHoldOnBothSides) {
  size_t tried = 0;
  for (const SettingRow& row : SettingRows()) {
    // "a size from 64 to 511 octets"
    const size_t from = row.expected.find(" from ");
    const size_t to = row.expected.find(" to ", from);
    if (row.list || from == std::string::npos || to == std::string::npos) continue;
    const auto least = ParseUnsigned(row.expected.substr(from + 6, to - from - 6));
    const std::string rest = row.expected.substr(to + 4);
    const auto most = ParseUnsigned(rest.substr(0, rest.find(' ')));
    ASSERT_TRUE(least && most) << row.expected;
    ++tried;
    EXPECT_TRUE(Takes(row, *least)) << row.FullName();
    EXPECT_TRUE(Takes(row, *most)) << row.FullName();
    EXPECT_FALSE(*least > 0 && Takes(row, *least - 1)) << row.FullName();
    EXPECT_FALSE(Takes(row, *most + 1)) << row.FullName();
  }
  EXPECT_GE(tried, 24u);
}

TEST_F(SettingsTest, AFileHasAtMostAMebibyte) {
  const auto sized = [](size_t octets) {
    const std::string yaml = "log: {level: info}\n#";
    return yaml + std::string(octets - yaml.size(), 'x');
  };
  EXPECT_EQ(Error(sized(1024 * 1024)), "");
  EXPECT_NE(Error(sized(1024 * 1024 + 1)).find("is too large"), std::string::npos);
}

// A default is a value that could be written.
TEST(SettingRowsTest, DefaultsAreAllowed) {
  const Settings defaults;
  for (const SettingRow& row : SettingRows()) {
    if (row.list) continue;
    Settings settings;
    Complaints complaints;
    row.read(
        settings, SettingValue::Scalar(row.show(defaults)),
        [](int) { return std::string("default"); }, complaints);
    EXPECT_TRUE(complaints.texts().empty()) << complaints.texts().front();
    EXPECT_EQ(row.show(settings), row.show(defaults));
  }
}

}  // namespace
}  // namespace framewall::backend
