#include "proxy/base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace framewall {
namespace {

TEST(Arena, CopiesStayValidAsMoreIsTaken) {
  Arena arena(64);
  const std::string_view first = arena.Copy("first");
  for (int i = 0; i < 100; ++i) arena.Copy("something else");
  EXPECT_EQ(first, "first");
}

TEST(Arena, AlignsScalars) {
  Arena arena(256);
  for (size_t size : {1, 3, 8, 17, 300}) {
    arena.AllocateChars(1);
    void* memory = arena.Allocate(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % alignof(std::max_align_t), 0u);
    std::memset(memory, 0xab, size);
  }
}

TEST(Arena, JoinsAndCopiesNothing) {
  Arena arena;
  EXPECT_EQ(arena.Join("ab", "cd"), "abcd");
  EXPECT_EQ(arena.Join("", ""), "");
  EXPECT_EQ(arena.Copy(""), "");
}

TEST(Arena, LargePieceLeavesTheCurrentBlockInUse) {
  Arena arena(128);
  const char* before = arena.AllocateChars(1);
  const std::string large(1000, 'x');
  EXPECT_EQ(arena.Copy(large), large);
  EXPECT_EQ(arena.AllocateChars(1), before + 1);
}

TEST(Arena, ResetKeepsOneBlock) {
  Arena arena(128);
  for (int i = 0; i < 50; ++i) arena.AllocateChars(100);
  EXPECT_GT(arena.reserved(), 128u);
  arena.Reset();
  EXPECT_EQ(arena.reserved(), 128u);
  EXPECT_EQ(arena.Copy("again"), "again");
  EXPECT_EQ(arena.reserved(), 128u);
}

TEST(Arena, BlocksGrow) {
  Arena arena(4096);
  arena.AllocateChars(1);
  EXPECT_EQ(arena.reserved(), Arena::kFirstBlock);
  for (size_t taken = 0; taken < 16384; taken += 64) arena.AllocateChars(64);
  EXPECT_LE(arena.reserved(), 16384u + 4096u);
  EXPECT_EQ((arena.reserved() - 1024 - 2048) % 4096, 0u);
}

TEST(Arena, ResetKeepsTheLargestBlockButNoLargePiece) {
  Arena arena(4096);
  arena.Copy(std::string(600, 'x'));
  arena.Copy(std::string(20000, 'y'));
  arena.Copy(std::string(600, 'z'));
  EXPECT_GT(arena.reserved(), 20000u);
  arena.Reset();
  EXPECT_EQ(arena.reserved(), 4096u);
  EXPECT_EQ(arena.Copy("again"), "again");
  EXPECT_EQ(arena.reserved(), 4096u);
}

}  // namespace
}  // namespace framewall
