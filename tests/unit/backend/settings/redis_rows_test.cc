// Section redis: where it is, what it may be, and that its secrets come from files alone.
#include "backend/settings/redis_rows.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "backend/settings/load.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend {
namespace {

class RedisSettings : public testing::Test {
 protected:
  LoadedSettings Load(std::string_view yaml, const Environment& environment = {}) {
    return LoadSettings(directory_.Write("b.yaml", yaml), environment);
  }
  // All errors, one behind the other.
  std::string Error(std::string_view yaml, const Environment& environment = {}) {
    std::string all;
    for (const std::string& error : Load(yaml, environment).errors) all += error + "\n";
    return all;
  }
  std::string Servers(std::string_view text) {
    return Error("redis: {servers: \"" + std::string(text) + "\"}\n");
  }

  test::TempDir directory_;
};

TEST_F(RedisSettings, NoneIsNoRedis) {
  const LoadedSettings none = Load("");
  EXPECT_TRUE(none.errors.empty());
  EXPECT_TRUE(none.settings.redis_servers.empty());
  EXPECT_NE(Error("redis: {tls: true}\n").find("redis.servers is empty"), std::string::npos);
}

TEST_F(RedisSettings, WhereItIs) {
  for (const char* good : {"cache", "cache:6380", "127.0.0.1", "[::1]:6379", "unix:/run/r.sock"}) {
    EXPECT_EQ(Servers(good), "") << good;
  }
  for (const char* bad : {":6379", "cache:0", "cache:65536", "a b", "unix:", "[x]:1", "r://a"}) {
    EXPECT_NE(Servers(bad).find("a list of HOST[:PORT] or unix:PATH was expected"),
              std::string::npos)
        << bad;
  }
  const LoadedSettings three =
      Load("redis: {servers: [a, 'b:7', '[::1]'], sentinel: main, database: 3, prefix: 'x:'}\n");
  ASSERT_TRUE(three.errors.empty()) << three.errors.front();
  const redis::Settings made = RedisSettingsOf(three.settings);
  EXPECT_EQ(made.mode, redis::Mode::kSentinel);
  ASSERT_EQ(made.servers.size(), 3u);
  EXPECT_EQ(made.servers[0].ToText(), "a:26379");
  EXPECT_EQ(made.servers[1].ToText(), "b:7");
  EXPECT_EQ(made.servers[2].ToText(), "[::1]:26379");
  EXPECT_EQ(made.master_name, "main");
  EXPECT_EQ(made.database, 3);
  EXPECT_EQ(made.key_prefix, "x:");
  const LoadedSettings variable = Load("", {{"FRAMEWALL_BACKEND_REDIS_SERVERS", "[a, b]"},
                                            {"FRAMEWALL_BACKEND_REDIS_CLUSTER", "true"}});
  ASSERT_TRUE(variable.errors.empty()) << variable.errors.front();
  EXPECT_EQ(RedisSettingsOf(variable.settings).mode, redis::Mode::kCluster);
  EXPECT_EQ(RedisSettingsOf(variable.settings).servers[0].ToText(), "a:6379");
  const LoadedSettings one = Load("", {{"FRAMEWALL_BACKEND_REDIS_SERVERS", "127.0.0.1:7000"}});
  ASSERT_TRUE(one.errors.empty()) << one.errors.front();
  EXPECT_EQ(RedisSettingsOf(one.settings).servers[0].ToText(), "127.0.0.1:7000");
}

TEST_F(RedisSettings, WhatContradictsItself) {
  const auto error = [&](const std::string& rest) {
    return Error("redis:\n  servers: [a]\n" + rest);
  };
  EXPECT_EQ(error(""), "");
  EXPECT_NE(error("  sentinel: m\n  cluster: true\n").find("exclude each other"),
            std::string::npos);
  EXPECT_NE(error("  cluster: true\n  database: 1\n").find("database 0 only"), std::string::npos);
  EXPECT_NE(error("  user: u\n").find("needs a password"), std::string::npos);
  EXPECT_NE(error("  ca_file: /x\n").find("without redis.tls"), std::string::npos);
  EXPECT_NE(error("  tls: true\n  certificate: /x\n").find("belong together"), std::string::npos);
  EXPECT_NE(error("  tls: true\n  ca_file: /nothing\n").find("/nothing"), std::string::npos);
  EXPECT_NE(error("  when_down: wait\n").find("local, pass or refuse"), std::string::npos);
  EXPECT_NE(Error("redis: {servers: [a, b]}\n").find("Sentinel or Cluster"), std::string::npos);
  EXPECT_NE(Error("redis: {servers: ['unix:/a'], cluster: true}\n").find("Unix socket"),
            std::string::npos);
}

TEST_F(RedisSettings, BothSidesOfNumbers) {
  const auto error = [&](const std::string& name, const std::string& value) {
    return Error("redis: {servers: [a], " + name + ": " + value + "}\n");
  };
  for (const char* good : {"1", "60000"}) {
    EXPECT_EQ(error("deadline_ms", good), "");
    EXPECT_EQ(error("pause_ms", good), "");
  }
  for (const char* bad : {"0", "60001", "-1", "1s"}) {
    EXPECT_NE(error("deadline_ms", bad), "") << bad;
    EXPECT_NE(error("pause_ms", bad), "") << bad;
  }
  EXPECT_EQ(error("failures", "1000"), "");
  EXPECT_NE(error("failures", "0"), "");
  EXPECT_NE(error("failures", "1001"), "");
  EXPECT_EQ(error("database", "1000000"), "");
  EXPECT_NE(error("database", "1000001"), "");
}

TEST_F(RedisSettings, SecretsComeFromFilesAlone) {
  const std::string path = directory_.Write("secret", "tell nobody\n");
  ::chmod(path.c_str(), 0600);
  const LoadedSettings file = Load("redis: {servers: [a], password_file: " + path + "}\n");
  ASSERT_TRUE(file.errors.empty()) << file.errors.front();
  EXPECT_EQ(file.settings.redis_password, "tell nobody");
  EXPECT_TRUE(file.warnings.empty());
  const LoadedSettings variable =
      Load("redis: {servers: [a]}\n", {{"FRAMEWALL_BACKEND_REDIS_PASSWORD_FILE", path}});
  EXPECT_EQ(variable.settings.redis_password, "tell nobody");
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(Load("redis: {servers: [a], password_file: " + path + "}\n").warnings.size(), 1u);

  for (const std::string& error :
       {Error("redis: {servers: [a], password: 'tell nobody'}\n"),
        Error("redis: {servers: [a]}\n", {{"FRAMEWALL_BACKEND_REDIS_PASSWORD", "tell nobody"}}),
        Error("redis: {servers: [a], sentinel_password: 'tell nobody'}\n")}) {
    EXPECT_NE(error.find("comes from a file alone"), std::string::npos) << error;
    EXPECT_EQ(error.find("tell nobody"), std::string::npos) << error;
  }
  const std::string empty = directory_.Write("empty", "\n");
  EXPECT_NE(Error("redis: {servers: [a], password_file: " + empty + "}\n").find("is empty"),
            std::string::npos);
  const std::string two = directory_.Write("two", "tell\nnobody\n");
  const std::string error = Error("redis: {servers: [a], password_file: " + two + "}\n");
  EXPECT_NE(error.find("one line was expected"), std::string::npos) << error;
  EXPECT_EQ(error.find("nobody"), std::string::npos) << error;
}

}  // namespace
}  // namespace framewall::backend
