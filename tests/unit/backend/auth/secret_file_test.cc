#include "backend/auth/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace framewall::backend::auth {
namespace {

unsigned ModeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class SecretFile : public testing::Test {
 protected:
  std::string Written(std::string_view text = "secret", unsigned mode = 0600) {
    const std::string path = directory.Write("file", text);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  test::TempDir directory;
};

TEST_F(SecretFile, IsWrittenForUsAlone) {
  const std::string path = directory.File("new");
  const mode_t before = ::umask(0);
  const Status written = WriteSecretFile(path, "text");
  ::umask(before);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_EQ(ReadSecretFile(path, SecretPlace::kOurs).value(), "text");
}

TEST_F(SecretFile, ReplacesOneThatEverybodyReads) {
  const std::string path = Written("old", 0644);
  ASSERT_TRUE(WriteSecretFile(path, "new").ok());
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_EQ(directory.Read("file"), "new");
}

TEST_F(SecretFile, OfOursIsRefusedWhereOthersMayReadIt) {
  for (const unsigned mode : {0640u, 0604u, 0620u, 0601u, 0644u}) {
    const auto text = ReadSecretFile(Written("secret", mode), SecretPlace::kOurs);
    ASSERT_FALSE(text.ok()) << mode;
    EXPECT_NE(text.error().message.find("chmod 600"), std::string::npos) << text.error().message;
    EXPECT_EQ(text.error().message.find("secret\""), std::string::npos);
  }
  for (const unsigned mode : {0600u, 0400u}) {
    EXPECT_TRUE(ReadSecretFile(Written("secret", mode), SecretPlace::kOurs).ok()) << mode;
  }
}

TEST_F(SecretFile, MountedIsReadWithAWarning) {
  EXPECT_EQ(ReadSecretFile(Written("secret", 0644), SecretPlace::kMounted).value(), "secret");
}

TEST_F(SecretFile, LinksAreFollowedOnlyWhereTheyAreMounted) {
  const std::string link = directory.File("link");
  ASSERT_EQ(::symlink(Written().c_str(), link.c_str()), 0);
  EXPECT_FALSE(ReadSecretFile(link, SecretPlace::kOurs).ok());
  EXPECT_TRUE(ReadSecretFile(link, SecretPlace::kMounted).ok());
}

TEST_F(SecretFile, HasALimit) {
  EXPECT_TRUE(ReadSecretFile(Written(std::string(65536, 'a')), SecretPlace::kOurs).ok());
  EXPECT_FALSE(ReadSecretFile(Written(std::string(65537, 'a')), SecretPlace::kOurs).ok());
  EXPECT_FALSE(ReadSecretFile(directory.path(), SecretPlace::kMounted).ok());
  EXPECT_FALSE(ReadSecretFile(directory.File("none"), SecretPlace::kOurs).ok());
}

TEST_F(SecretFile, ItsDirectoryIsNotForOthersToWrite) {
  const std::string path = directory.File("keys");
  ASSERT_TRUE(MakeSecretDirectory(path).ok());
  EXPECT_EQ(ModeOf(path), 0700u);
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  EXPECT_TRUE(MakeSecretDirectory(path).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0770), 0);
  EXPECT_FALSE(MakeSecretDirectory(path).ok());
  EXPECT_FALSE(MakeSecretDirectory(Written()).ok());
}

}  // namespace
}  // namespace framewall::backend::auth
