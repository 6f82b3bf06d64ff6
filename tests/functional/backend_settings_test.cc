// Settings of the real binary: file, environment, --check and what it says.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/backend_process.h"

namespace framewall::test {
namespace {

bool Has(const CommandResult& result, std::string_view text) {
  return result.output.find(text) != std::string::npos;
}

TEST(BackendSettings, CheckTellsEveryError) {
  BackendProcess backend(
      "server:\n"
      "  listn: unix:a\n"
      "  head_seconds: soon\n"
      "acounts: {}\n"
      "limits: [1]\n");
  backend.SetEnvironment("FRAMEWALL_BACKEND_LOG_LEVL", "info");
  backend.SetEnvironment("FRAMEWALL_BACKEND_LIMITS_PAGE_SIZE", "0");
  backend.SetEnvironment("FRAMEWALL_BACKEND_LIMITS_PAGE_LIMIT_FILE", "%%DIR%%/nothing");
  const CommandResult result = backend.Run({"--check", "--config", "backend.yaml"});
  EXPECT_EQ(result.exit_code, 1);
  for (const char* line : {
           "backend.yaml:2: unknown setting \"server.listn\"; did you mean \"server.listen\"?",
           "backend.yaml:3: server.head_seconds: a time from 1 to 600 seconds was expected, found "
           "\"soon\"",
           "backend.yaml:4: unknown section \"acounts\"; did you mean \"accounts\"?",
           "backend.yaml:5: a mapping of settings was expected in \"limits\"",
           "FRAMEWALL_BACKEND_LOG_LEVL: no such setting; did you mean "
           "\"FRAMEWALL_BACKEND_LOG_LEVEL\"?",
           "FRAMEWALL_BACKEND_LIMITS_PAGE_SIZE: limits.page_size: a whole number from 1 to 1000 "
           "items was expected, found \"0\"",
           "FRAMEWALL_BACKEND_LIMITS_PAGE_LIMIT_FILE: cannot open",
           "7 error(s) in the settings",
       }) {
    EXPECT_TRUE(Has(result, line)) << line << "\n--- in\n" << result.output;
  }
  EXPECT_FALSE(backend.directory().Has("data"));
  EXPECT_FALSE(backend.Start());
}

TEST(BackendSettings, CheckChangesNothing) {
  BackendProcess backend("limits: {page_size: 20}\n");
  const CommandResult result = backend.Run({"--check", "--config=backend.yaml"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(Has(result, "the settings are good")) << result.output;
  EXPECT_FALSE(backend.directory().Has("data"));
}

TEST(BackendSettings, TheEnvironmentWins) {
  BackendProcess backend("server: {listen: 'unix:%%DIR%%/other.sock', data_dir: one}\n");
  backend.SetEnvironment("FRAMEWALL_BACKEND_SERVER_LISTEN", "unix:backend.sock");
  backend.directory().Write("where", "two\n");
  backend.SetEnvironment("FRAMEWALL_BACKEND_SERVER_DATA_DIR_FILE", "where");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_TRUE(backend.directory().Has("two/backend.db"));
  EXPECT_FALSE(backend.directory().Has("one"));
  EXPECT_FALSE(backend.directory().Has("other.sock"));
}

TEST(BackendSettings, TheFileMayBeNamedInTheEnvironment) {
  BackendProcess backend("limits: {page_size: 0}\n");
  backend.SetEnvironment("FRAMEWALL_BACKEND_CONFIG", "backend.yaml");
  EXPECT_TRUE(Has(backend.Run({"--check"}), "backend.yaml:1: limits.page_size"));
}

TEST(BackendSettings, OtherTasks) {
  BackendProcess backend;
  EXPECT_TRUE(Has(backend.Run({"--version"}), "framewall-backend 0.1.0"));
  EXPECT_TRUE(Has(backend.Run({"--help"}), "--check"));
  EXPECT_TRUE(Has(backend.Run({"--settings"}), "| `server.listen` | `unix:backend.sock` |"));
  const CommandResult wrong = backend.Run({"--chek"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_TRUE(Has(wrong, "\"--chek\" is not understood")) << wrong.output;
  EXPECT_EQ(backend.Run({"--config"}).exit_code, 2);
  EXPECT_EQ(backend.Run({"--config", "nothing.yaml", "--check"}).exit_code, 1);
}

// Each secret file of ours: readable by others, it refuses the start and is named.
TEST(BackendSecrets, OfOursAreForNobodyElse) {
  BackendProcess backend(
      "llm:\n"
      "  providers: [{name: a, kind: openai, url: 'http://127.0.0.1:1', key_file: data/provider}]\n"
      "  models: [{name: m, provider: a}]\n");
  std::filesystem::create_directory(backend.directory().File("data"));
  EXPECT_EQ(::chmod(backend.directory().File("data").c_str(), 0700), 0);
  backend.directory().Write("data/provider", "sk-very-secret\n");
  ASSERT_EQ(::chmod(backend.directory().File("data/provider").c_str(), 0600), 0);
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(backend.Terminate(), 0);
  std::vector<std::string> secrets = {"data/provider", "data/admin-password"};
  for (const auto& key :
       std::filesystem::directory_iterator(backend.directory().File("data/keys"))) {
    secrets.push_back("data/keys/" + key.path().filename().string());
  }
  EXPECT_EQ(secrets.size(), 4u) << "one that signs, one of cookies";
  for (const std::string& name : secrets) {
    const std::string path = backend.directory().File(name);
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    const CommandResult refused = backend.Run({"--config", "backend.yaml"});
    EXPECT_EQ(refused.exit_code, 1) << name;
    EXPECT_TRUE(Has(refused, name + "\" holds a secret") && Has(refused, "mode 0640"))
        << refused.output;
    EXPECT_FALSE(Has(refused, "sk-very-secret"));
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  }
  ASSERT_TRUE(backend.Start()) << backend.Output();
}

TEST(BackendSecrets, ThatAreMountedWarn) {
  BackendProcess backend(
      "llm:\n"
      "  providers: [{name: a, kind: openai, url: 'http://127.0.0.1:1', key_file: secrets/key}]\n"
      "  models: [{name: m, provider: a}]\n");
  backend.directory().Write("secrets/key", "sk-very-secret\n");
  ASSERT_EQ(::chmod(backend.directory().File("secrets/key").c_str(), 0644), 0);
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_NE(backend.Output().find("\"secrets/key\" holds a secret and may be read by everybody"),
            std::string::npos)
      << backend.Output();
  EXPECT_EQ(backend.Output().find("sk-very-secret"), std::string::npos);
}

// A directory of keys that is called mounted, but is ours.
TEST(BackendSecrets, SigningKeysWithinOurDirectoryAreOurs) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(backend.Terminate(), 0);
  std::filesystem::rename(backend.directory().File("data/keys"),
                          backend.directory().File("data/other"));
  std::string pem;
  for (const auto& key :
       std::filesystem::directory_iterator(backend.directory().File("data/other"))) {
    if (key.path().extension() == ".pem") pem = key.path().string();
  }
  backend.SetSettings("accounts: {signing_key_dir: data/other}\n");
  ASSERT_EQ(::chmod(pem.c_str(), 0644), 0);
  const CommandResult refused = backend.Run({"--config", "backend.yaml"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(Has(refused, "holds a secret and has mode 0644")) << refused.output;
  ASSERT_EQ(::chmod(pem.c_str(), 0600), 0);
  ASSERT_TRUE(backend.Start()) << backend.Output();
}

TEST(BackendSettings, WhatCannotBeUsedStopsTheStart) {
  BackendProcess backend("server: {data_dir: file}\n");
  backend.directory().Write("file", "");
  const CommandResult result = backend.Run({"--config", "backend.yaml"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(Has(result, "[emerg]") && Has(result, "is no directory")) << result.output;
  BackendProcess first("server: {listen: 127.0.0.1:%%PORT_0%%}\n");
  ASSERT_TRUE(first.Start()) << first.Output();
  BackendProcess taken("server: {listen: '127.0.0.1:" + std::to_string(first.port(0)) + "'}\n");
  const CommandResult busy = taken.Run({"--config", "backend.yaml"});
  EXPECT_EQ(busy.exit_code, 1);
  EXPECT_TRUE(Has(busy, "bind() to 127.0.0.1")) << busy.output;
}

}  // namespace
}  // namespace framewall::test
