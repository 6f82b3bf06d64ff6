#include "backend/settings/llm_rows.h"

#include <gtest/gtest.h>

#include "backend/settings/load.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend {
namespace {

class LlmRowsTest : public testing::Test {
 protected:
  LoadedSettings Load(std::string_view yaml) {
    return LoadSettings(directory_.Write("b.yaml", yaml), {});
  }
  std::string Error(std::string_view yaml) {
    std::string all;
    for (const std::string& error : Load(yaml).errors) all += error + "\n";
    return all;
  }
  void ExpectError(std::string_view yaml, std::string_view part) {
    const std::string error = Error(yaml);
    EXPECT_NE(error.find(part), error.npos) << yaml << "\n" << error;
  }

  test::TempDir directory_;
};

TEST_F(LlmRowsTest, ReadsProvidersAndRoutes) {
  const std::string key_file = directory_.Write("key", "sk-1\r\n");
  const LoadedSettings loaded = Load(
      "llm:\n"
      "  providers:\n"
      "  - {name: a, kind: openai, url: \"https://a.example/v1\", key_file: " +
      key_file +
      ", image_addresses: true}\n"
      "  - {name: b, kind: anthropic, url: \"http://[::1]:80\", key: k, version: 2024-01-01,\n"
      "     authorization: bearer, connect_ms: 1, failures: 7, pause_ms: 86400000}\n"
      "  models:\n"
      "  - name: m\n"
      "    by_weight: true\n"
      "    targets: [{provider: a, model: \"org/x:1\", weight: 3}, {provider: b}]\n"
      "    first_token_ms: 5\n"
      "    retries: 0\n"
      "    cache: true\n"
      "  user_limits: {tokens_per_day: 7}\n"
      "  key_limits: {requests_per_minute: 8, concurrent: 0}\n"
      "  cache_octets: 1m\n");
  EXPECT_TRUE(loaded.errors.empty()) << loaded.errors.front();
  const Settings& settings = loaded.settings;
  ASSERT_EQ(settings.providers.size(), 2u);
  EXPECT_EQ(settings.providers[0].key, "sk-1");
  EXPECT_TRUE(settings.providers[0].image_addresses);
  EXPECT_EQ(settings.providers[1].version, "2024-01-01");
  EXPECT_EQ(settings.providers[1].failures, 7);
  EXPECT_EQ(settings.providers[1].pause_ms, 86400000);
  ASSERT_EQ(settings.models.size(), 1u);
  ASSERT_EQ(settings.models[0].targets.size(), 2u);
  EXPECT_EQ(settings.models[0].targets[0].model, "org/x:1");
  EXPECT_EQ(settings.models[0].targets[0].weight, 3);
  EXPECT_TRUE(settings.models[0].by_weight);
  EXPECT_TRUE(settings.models[0].cache);
  EXPECT_EQ(settings.models[0].retries, 0);
  EXPECT_EQ(settings.models[0].first_token_ms, 5);
  EXPECT_EQ(settings.llm_user.tokens_per_day, 7);
  EXPECT_EQ(settings.llm_user.concurrent, 16);  // the others stay
  EXPECT_EQ(settings.llm_key.requests_per_minute, 8);
  EXPECT_EQ(settings.llm_cache_octets, 1048576u);
}

TEST_F(LlmRowsTest, SaysWhatIsWrong) {
  const std::string provider = "llm: {models: [], providers: [{name: a, kind: openai, ";
  ExpectError(provider + "}]}", "lacks \"url\"");
  ExpectError(provider + "url: \"ftp://a\"}]}", "url: http(s)://HOST");
  ExpectError(provider + "url: \"http://u:p@a\"}]}", "url: http(s)://HOST");
  ExpectError(provider + "url: \"http://a\", key: \"a b\"}]}", "key: a key");
  ExpectError(provider + "url: \"http://a\", key_file: /none}]}", "key_file: a readable file");
  ExpectError(provider + "url: \"http://a\", authorization: basic}]}", "authorization: bearer");
  ExpectError(provider + "url: \"http://a\", failures: 0}]}", "failures: a whole number from 1");
  ExpectError(provider + "url: \"http://a\", image_addresses: maybe}]}", "true or false");
  ExpectError("llm: {models: [{name: a}]}", "neither \"provider\" nor \"targets\"");
  ExpectError("llm: {models: [{name: a, targets: []}]}", "targets: a list of mappings");
  ExpectError("llm: {models: [{name: a, targets: [{provider: echo, weight: 0}]}]}",
              "targets: a list of mappings");
  ExpectError("llm: {models: [{name: a, targets: [{provider: nobody}]}]}", "\"nobody\"");
  ExpectError("llm: {user_limits: {tokens_per_year: 1}}", "unknown \"tokens_per_year\"");
  ExpectError("llm: {user_limits: {tokens_per_day: -1}}", "tokens_per_day: a whole number");
  ExpectError("llm: {cache_octets: 17g}", "cache_octets");
}

TEST_F(LlmRowsTest, BoundsAreInclusive) {
  const auto good = [this](const std::string& member) {
    return Error("llm: {models: [{name: a, provider: echo, " + member + "}]}").empty();
  };
  EXPECT_TRUE(good("retries: 10"));
  EXPECT_FALSE(good("retries: 11"));
  EXPECT_TRUE(good("first_token_ms: 1"));
  EXPECT_FALSE(good("first_token_ms: 0"));
  EXPECT_TRUE(good("between_tokens_ms: 86400000"));
  EXPECT_FALSE(good("between_tokens_ms: 86400001"));
  EXPECT_TRUE(Error("llm: {cache_octets: 16g}").empty());
  EXPECT_TRUE(Error("llm: {cache_octets: 0}").empty());
}

TEST_F(LlmRowsTest, NamesAndKeysAreAsLongAsIsSaid) {
  const auto name = [this](size_t length) {
    return Error("llm: {models: [{name: " + std::string(length, 'm') + ", provider: echo}]}");
  };
  EXPECT_EQ(name(128), "");
  EXPECT_NE(name(129), "");
  const std::string provider =
      "llm: {models: [], providers: [{name: a, kind: openai, url: \"http://a\", ";
  const auto key = [&](size_t length) {
    return Error(provider + "key: " + std::string(length, 'k') + "}]}");
  };
  EXPECT_EQ(key(4096), "");
  EXPECT_NE(key(4097).find("key: a key was expected"), std::string::npos);
  const auto key_file = [&](size_t length, const std::string& end) {
    const std::string path = directory_.Write("key", std::string(length, 'k') + end);
    return Error(provider + "key_file: " + path + "}]}");
  };
  EXPECT_EQ(key_file(4096, ""), "");
  EXPECT_NE(key_file(4097, ""), "");
  EXPECT_EQ(key_file(4095, "\n"), "");
}

TEST_F(LlmRowsTest, KeysAreNotShown) {
  Settings settings;
  settings.providers = {{"a", "openai", "http://a", "sk-secret"}};
  for (const SettingRow& row : framewall::backend::LlmRows()) {
    EXPECT_EQ(row.show(settings).find("sk-secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace framewall::backend
