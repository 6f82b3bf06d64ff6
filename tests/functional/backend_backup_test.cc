// --backup of a backend that serves, and a backend that is started on what came out: accounts,
// tokens and keys are those of before.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/backend_process.h"

namespace framewall::test {
namespace {

constexpr char kAccount[] = R"({"name":"anna","password":"a long enough phrase"})";

unsigned ModeOf(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? file.st_mode & 0777 : 0;
}

// Of a flat JSON object.
std::string Member(const std::string& json, const std::string& name) {
  const std::string begin = "\"" + name + "\":\"";
  const size_t at = json.find(begin);
  if (at == std::string::npos) return "";
  const size_t from = at + begin.size();
  return json.substr(from, json.find('"', from) - from);
}

std::string Bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

class BackendBackup : public testing::Test {
 protected:
  BackendBackup() : backend(kSettings) {}
  void SetUp() override {
    ASSERT_TRUE(backend.Start()) << backend.Output();
    ASSERT_EQ(201, backend.Request("POST", "/api/v1/register", "", kAccount).status());
    const HttpMessage answer = backend.Request("POST", "/api/v1/login", "", kAccount);
    ASSERT_EQ(200, answer.status()) << answer.body;
    token = Member(answer.body, "access_token");
    ASSERT_NE("", token) << answer.body;
  }
  CommandResult BackUp(const std::string& target) {
    return backend.Run({"--config", "backend.yaml", "--backup", target});
  }
  std::string File(const std::string& name) { return backend.directory().File(name); }

  static constexpr char kSettings[] =
      "server: {data_dir: data}\naccounts: {registration_open: true}\n";
  BackendProcess backend;
  std::string token;
};

TEST_F(BackendBackup, IsForTheOwnerAlone) {
  const CommandResult made = BackUp("copy");
  ASSERT_EQ(0, made.exit_code) << made.output;
  EXPECT_NE(std::string::npos, made.output.find("server.data_dir")) << made.output;
  EXPECT_EQ(0700u, ModeOf(File("copy")));
  EXPECT_EQ(0700u, ModeOf(File("copy/keys")));
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(File("copy"))) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(0600u, ModeOf(entry.path().string())) << entry.path();
  }
  EXPECT_GE(files, 3u);  // database, signing key, key of cookies
  EXPECT_FALSE(std::filesystem::exists(File("copy.partial")));
  for (const auto& key : std::filesystem::directory_iterator(File("data/keys"))) {
    const std::string name = "keys/" + key.path().filename().string();
    EXPECT_EQ(backend.directory().Read("data/" + name), backend.directory().Read("copy/" + name));
  }
}

TEST_F(BackendBackup, RestoredItKnowsAccountsAndTokens) {
  ASSERT_EQ(0, BackUp("copy/").exit_code);
  // What comes later is not part of it.
  const std::string later = R"({"name":"boris","password":"a long enough phrase"})";
  ASSERT_EQ(201, backend.Request("POST", "/api/v1/register", "", later).status());
  ASSERT_EQ(0, backend.Terminate());
  std::filesystem::remove_all(File("data"));
  std::filesystem::rename(File("copy"), File("data"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(200, backend.Get("/ready").status());
  // Signed before the backup with a key that came along.
  EXPECT_EQ(200, backend.Get("/api/v1/keys", Bearer(token)).status()) << backend.Output();
  EXPECT_EQ(200, backend.Request("POST", "/api/v1/login", "", kAccount).status());
  EXPECT_EQ(401, backend.Request("POST", "/api/v1/login", "", later).status());
  EXPECT_EQ(201, backend.Request("POST", "/api/v1/register", "", later).status());
}

TEST_F(BackendBackup, AlsoOfOneThatIsNotRunning) {
  ASSERT_EQ(128 + SIGKILL, backend.Kill());
  ASSERT_EQ(0, BackUp("copy").exit_code);
  std::filesystem::remove_all(File("data"));
  std::filesystem::rename(File("copy"), File("data"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(200, backend.Get("/api/v1/keys", Bearer(token)).status());
}

TEST_F(BackendBackup, SaysWhatIsInItsWay) {
  backend.directory().Write("copy", "something else");
  const CommandResult there = BackUp("copy");
  EXPECT_EQ(1, there.exit_code);
  EXPECT_NE(std::string::npos, there.output.find("is there already and is left alone"))
      << there.output;
  EXPECT_EQ("something else", backend.directory().Read("copy"));
  const CommandResult nowhere = BackUp("missing/copy");
  EXPECT_EQ(1, nowhere.exit_code);
  EXPECT_NE(std::string::npos, nowhere.output.find("missing/copy")) << nowhere.output;
  EXPECT_EQ(1, BackUp("").exit_code);
  backend.Terminate();
  std::filesystem::remove_all(File("data"));
  const CommandResult nothing = BackUp("copy2");
  EXPECT_EQ(1, nothing.exit_code);
  EXPECT_NE(std::string::npos, nothing.output.find("there is no database")) << nothing.output;
  EXPECT_FALSE(std::filesystem::exists(File("copy2")));
  EXPECT_FALSE(std::filesystem::exists(File("data")));
}

// A key that others can read is refused where it would be used, and so it is when it is copied.
TEST_F(BackendBackup, LeavesNothingWhereItFails) {
  for (const auto& key : std::filesystem::directory_iterator(File("data/keys"))) {
    ASSERT_EQ(0, ::chmod(key.path().c_str(), 0644));
  }
  const CommandResult made = BackUp("copy");
  EXPECT_EQ(1, made.exit_code) << made.output;
  EXPECT_FALSE(std::filesystem::exists(File("copy")));
  EXPECT_FALSE(std::filesystem::exists(File("copy.partial")));
}

}  // namespace
}  // namespace framewall::test
