#include "proxy/exchange/body_buffer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace framewall::exchange {
namespace {

class BodyBufferTest : public ::testing::Test {
 protected:
  BodyBufferTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fw_body_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~BodyBufferTest() override { std::filesystem::remove_all(folder_); }

  size_t FilesInFolder() const {
    const std::filesystem::directory_iterator files(folder_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  // Everything, read in steps of `step`.
  static std::string ReadAll(const BodyBuffer& body, size_t step) {
    std::string text;
    std::string piece(step, '\0');
    for (;;) {
      const auto count = body.ReadAt(text.size(), piece.data(), piece.size());
      EXPECT_TRUE(count.ok());
      if (!count.ok() || *count == 0) return text;
      text.append(piece, 0, *count);
    }
  }

  std::string folder_;
};

TEST_F(BodyBufferTest, UpToTheLimitStaysInMemory) {
  BodyBuffer body;
  body.Configure(8, folder_, false, false);
  ASSERT_TRUE(body.Append("1234").ok());
  ASSERT_TRUE(body.Append("").ok());
  ASSERT_TRUE(body.Append("5678").ok());
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(body.memory(), "12345678");
  EXPECT_EQ(body.size(), 8u);
  EXPECT_EQ(ReadAll(body, 3), "12345678");
  EXPECT_EQ(body.file_path(), "");
}

TEST_F(BodyBufferTest, OneOctetMoreGoesToAFileWithAllBeforeIt) {
  BodyBuffer body;
  body.Configure(8, folder_, false, false);
  ASSERT_TRUE(body.Append("12345678").ok());
  ASSERT_TRUE(body.Append("9").ok());
  EXPECT_TRUE(body.in_file());
  EXPECT_EQ(body.size(), 9u);
  ASSERT_TRUE(body.Append("abc").ok());
  EXPECT_EQ(ReadAll(body, 5), "123456789abc");
  EXPECT_EQ(ReadAll(body, 100), "123456789abc");
}

TEST_F(BodyBufferTest, AFirstPieceOverTheLimitGoesToAFile) {
  BodyBuffer body;
  body.Configure(8, folder_, false, false);
  ASSERT_TRUE(body.Append("123456789").ok());
  EXPECT_TRUE(body.in_file());
  EXPECT_EQ(ReadAll(body, 4), "123456789");
}

TEST_F(BodyBufferTest, TheFileHasNoNameUnlessItIsKept) {
  BodyBuffer body;
  body.Configure(0, folder_, false, false);
  ASSERT_TRUE(body.Append("x").ok());
  EXPECT_TRUE(body.in_file());
  EXPECT_EQ(FilesInFolder(), 0u);
  // $request_body_file tells it in any case.
  EXPECT_TRUE(body.file_path().starts_with(folder_ + "/")) << body.file_path();
  EXPECT_EQ(ReadAll(body, 10), "x");
}

TEST_F(BodyBufferTest, AKeptFileIsThereUntilItIsRemoved) {
  BodyBuffer body;
  body.Configure(100, folder_, true, true);
  EXPECT_FALSE(body.in_file());
  ASSERT_TRUE(body.Append("in a file though it is short").ok());
  EXPECT_TRUE(body.in_file());
  std::ifstream file(body.file_path(), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "in a file though it is short");
  const std::filesystem::perms permissions =
      std::filesystem::status(body.file_path()).permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  body.RemoveFile();
  EXPECT_EQ(FilesInFolder(), 0u);
  EXPECT_EQ(body.file_path(), "");
}

TEST_F(BodyBufferTest, ClearForgetsButLeavesAKeptFile) {
  BodyBuffer body;
  body.Configure(4, folder_, false, true);
  ASSERT_TRUE(body.Append("12345").ok());
  body.Clear();
  EXPECT_TRUE(body.empty());
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(FilesInFolder(), 1u);
  ASSERT_TRUE(body.Append("new").ok());
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(body.memory(), "new");
}

TEST_F(BodyBufferTest, ReadingBeyondTheEndIsTheEnd) {
  BodyBuffer body;
  body.Configure(4, folder_, false, false);
  char out[4];
  EXPECT_EQ(body.ReadAt(0, out, 4).value(), 0u);
  ASSERT_TRUE(body.Append("ab").ok());
  EXPECT_EQ(body.ReadAt(1, out, 4).value(), 1u);
  EXPECT_EQ(body.ReadAt(2, out, 4).value(), 0u);
  EXPECT_EQ(body.ReadAt(1000, out, 4).value(), 0u);
  ASSERT_TRUE(body.Append("cde").ok());
  ASSERT_TRUE(body.in_file());
  EXPECT_EQ(body.ReadAt(4, out, 4).value(), 1u);
  EXPECT_EQ(body.ReadAt(5, out, 4).value(), 0u);
  EXPECT_EQ(body.ReadAt(1000, out, 4).value(), 0u);
}

TEST_F(BodyBufferTest, AFolderThatIsNotThereIsAnError) {
  BodyBuffer body;
  body.Configure(2, folder_ + "/none", false, false);
  ASSERT_TRUE(body.Append("ab").ok());
  const Status status = body.Append("c");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().system_errno, ENOENT);
  EXPECT_NE(status.error().message.find(folder_ + "/none/body"), std::string::npos)
      << status.error().message;
}

}  // namespace
}  // namespace framewall::exchange
