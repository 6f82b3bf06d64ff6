#include "proxy/process/pid_file.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace framewall::process {
namespace {

TEST(PidFile, IsReadAsItWasWritten) {
  const test::TempDir directory;
  const std::string path = directory.File("a.pid");
  ASSERT_TRUE(WritePidFile(path, 4194304).ok());
  EXPECT_EQ(directory.Read("a.pid"), "4194304\n");
  ASSERT_TRUE(WritePidFile(path, 7).ok());
  EXPECT_EQ(directory.Read("a.pid"), "7\n");
  EXPECT_EQ(*ReadPidFile(path), 7);
}

TEST(PidFile, RefusesWhatIsNoProcess) {
  const test::TempDir directory;
  // Zero and negative numbers would signal groups of processes.
  for (const char* text : {"", "\n", "abc\n", "-1\n", "0\n", "12 34\n", "99999999999\n"}) {
    directory.Write("a.pid", text);
    const auto pid = ReadPidFile(directory.File("a.pid"));
    ASSERT_FALSE(pid.ok()) << text;
    EXPECT_TRUE(pid.error().message.starts_with("invalid PID number \"")) << pid.error().message;
  }
}

TEST(PidFile, ACheckLeavesNothingBehind) {
  const test::TempDir directory;
  EXPECT_TRUE(CheckPidFile(directory.File("a.pid")).ok());
  EXPECT_FALSE(directory.Has("a.pid"));
  EXPECT_FALSE(CheckPidFile(directory.File("missing/a.pid")).ok());
  directory.Write("b.pid", "5\n");
  EXPECT_TRUE(CheckPidFile(directory.File("b.pid")).ok());
  EXPECT_EQ(directory.Read("b.pid"), "5\n");
}

}  // namespace
}  // namespace framewall::process
