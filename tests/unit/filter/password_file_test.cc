#include "proxy/filter/password_file.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace framewall::filter {
namespace {

std::string Of(const PasswordFile& file, std::string_view user) {
  const std::string* found = file.Find(user);
  return found == nullptr ? "-" : *found;
}

TEST(PasswordFile, ReadsLinesAsNginx) {
  const PasswordFile file(
      "# comment\nother:{PLAIN}x\n\nuser:{PLAIN}good:note\r\ntwice:one\ntwice:two\nnothing\n"
      "empty:\ncr:{PLAIN}a\r\nlast:{PLAIN}end");
  EXPECT_EQ(Of(file, "other"), "{PLAIN}x");
  EXPECT_EQ(Of(file, "user"), "{PLAIN}good");
  EXPECT_EQ(Of(file, "twice"), "one");
  EXPECT_EQ(Of(file, "empty"), "");
  EXPECT_EQ(Of(file, "cr"), "{PLAIN}a");
  EXPECT_EQ(Of(file, "last"), "{PLAIN}end");
  for (const char* nobody : {"use", "users", "nothing", "# comment", "#", "", "user:{PLAIN}good"}) {
    EXPECT_EQ(Of(file, nobody), "-") << nobody;
  }
}

TEST(PasswordFile, KnowsTheKindThatMostHave) {
  EXPECT_EQ(PasswordFile("").typical(), "");
  EXPECT_EQ(PasswordFile("# nobody\n").typical(), "");
  EXPECT_EQ(PasswordFile("a:{SHA}x\nb:$2y$12$one\nc:$2y$12$two\n").typical(), "$2y$12$two");
  EXPECT_EQ(PasswordFile("b:$2y$12$one\na:{SHA}x\nc:{SHA}y\n").typical(), "{SHA}y");
  // bcrypt of another cost is another kind.
  EXPECT_EQ(PasswordFile("a:$2y$04$a\nb:$2y$12$b\nc:$2y$05$c\nd:$2y$12$d\n").typical(), "$2y$12$d");
  // Lines that do not count are not counted.
  EXPECT_EQ(PasswordFile("a:{SHA}x\na:$6$x\na:$6$y\n").typical(), "{SHA}x");
}

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fw_passwords_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Files() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  // As if it had been written so long ago.
  void Age(const std::string& name, int seconds) const {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    now.tv_sec -= seconds;
    const timeval times[2] = {now, now};
    ASSERT_EQ(::utimes(Path(name).c_str(), times), 0);
  }
  std::string Ask(const std::string& name, std::string_view user) {
    auto file = files_.Get(Path(name));
    return file.ok() ? Of(**file, user) : "errno " + std::to_string(file.error().system_errno);
  }

  std::filesystem::path folder_;
  PasswordFiles files_;
};

TEST_F(Files, AreReadAgainWhenTheyChange) {
  EXPECT_EQ(Ask("users", "a"), "errno " + std::to_string(ENOENT));
  Write("users", "a:one\n");
  EXPECT_EQ(Ask("users", "a"), "one");
  // In place, within one step of the file system's clock, of the same size.
  Write("users", "a:two\n");
  EXPECT_EQ(Ask("users", "a"), "two");
  // By another file in its place.
  Write("new", "a:six\n");
  std::filesystem::rename(Path("new"), Path("users"));
  EXPECT_EQ(Ask("users", "a"), "six");
  std::filesystem::remove(Path("users"));
  EXPECT_EQ(Ask("users", "a"), "errno " + std::to_string(ENOENT));
}

TEST_F(Files, AreNotReadAgainWhenTheyStay) {
  Write("users", "a:one\n");
  // ctime cannot be set back: it settles by itself.
  std::shared_ptr<const PasswordFile> before;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    auto file = files_.Get(Path("users"));
    ASSERT_TRUE(file.ok());
    if (before == *file) break;
    before = *file;
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    ::usleep(100'000);
  }
  // A new time alone is a change.
  Age("users", 100);
  auto file = files_.Get(Path("users"));
  ASSERT_TRUE(file.ok());
  EXPECT_NE(before, *file);
}

TEST_F(Files, SayWhatFailed) {
  EXPECT_EQ(Ask("", "a"), "errno " + std::to_string(EISDIR));
  Write("file", "");
  EXPECT_EQ(Ask("file/users", "a"), "errno " + std::to_string(ENOTDIR));
  const auto missing = files_.Get(Path("users"));
  EXPECT_EQ(missing.error().message, "open() \"" + Path("users") + "\" failed");
}

TEST_F(Files, AreForgottenWhenThereAreTooMany) {
  for (size_t i = 0; i <= PasswordFiles::kMostFiles; ++i) {
    const std::string name = std::to_string(i);
    Write(name, "a:" + name + "\n");
    EXPECT_EQ(Ask(name, "a"), name);
  }
  EXPECT_EQ(Ask("0", "a"), "0");
}

}  // namespace
}  // namespace framewall::filter
