#include "proxy/ws/mask.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

namespace framewall::ws {
namespace {

constexpr MaskKey kKey = {'\x37', '\xfa', '\x21', '\x3d'};

std::string Plain(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + 7);
  return text;
}

// RFC 6455 5.3, octet by octet.
std::string Masked(std::string text, uint64_t offset) {
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ kKey[(i + offset) % 4]);
  }
  return text;
}

TEST(Mask, IsTheExampleOfTheRfc) {
  std::string text = "Hello";
  ApplyMask(text.data(), text.size(), kKey);
  EXPECT_EQ(text, "\x7f\x9f\x4d\x51\x58");
}

TEST(Mask, SuitsEverySizeAndOffset) {
  for (size_t size = 0; size < 200; ++size) {
    for (uint64_t offset = 0; offset < 9; ++offset) {
      const std::string plain = Plain(size);
      const std::string expected = Masked(plain, offset);
      std::string in_place = plain;
      ApplyMask(in_place.data(), size, kKey, offset);
      ASSERT_EQ(in_place, expected) << size << " at " << offset;
      std::string copy(size, '\0');
      CopyMasked(copy.data(), plain.data(), size, kKey, offset);
      ASSERT_EQ(copy, expected) << size << " at " << offset;
    }
  }
}

TEST(Mask, SuitsUnalignedMemoryAndTouchesNothingElse) {
  for (size_t shift = 0; shift < 17; ++shift) {
    std::string memory = Plain(300);
    const std::string before = memory;
    ApplyMask(memory.data() + shift, 200, kKey, shift);
    EXPECT_EQ(memory.substr(0, shift), before.substr(0, shift));
    EXPECT_EQ(memory.substr(shift, 200), Masked(before.substr(shift, 200), shift));
    EXPECT_EQ(memory.substr(shift + 200), before.substr(shift + 200));
  }
}

TEST(Mask, InPiecesIsTheSame) {
  const std::string plain = Plain(1000);
  for (size_t step : {1u, 3u, 7u, 64u, 129u}) {
    std::string pieces = plain;
    for (size_t at = 0; at < pieces.size(); at += step) {
      ApplyMask(pieces.data() + at, std::min(step, pieces.size() - at), kKey, at);
    }
    EXPECT_EQ(pieces, Masked(plain, 0));
  }
}

TEST(MaskKeys, DoNotRepeat) {
  std::set<MaskKey> keys;
  for (int i = 0; i < 2000; ++i) keys.insert(NewMaskKey());
  // A clash among 2000 of 2^32 has a chance of one in two thousand; two, of one in ten million.
  EXPECT_GE(keys.size(), 1999u);
}

// Two workers forked from one process, which has drawn keys already, draw different ones.
TEST(MaskKeys, AreNotSharedAcrossAFork) {
  constexpr size_t kDraws = 300;
  NewMaskKey();
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  std::multiset<MaskKey> keys;
  for (int child = 0; child < 2; ++child) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      for (size_t i = 0; i < kDraws; ++i) {
        const MaskKey key = NewMaskKey();
        if (::write(pipes[1], key.data(), key.size()) != ssize_t{sizeof key}) ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_EQ(status, 0);
  }
  for (size_t i = 0; i < 2 * kDraws; ++i) {
    MaskKey key;
    ASSERT_EQ(::read(pipes[0], key.data(), key.size()), ssize_t{sizeof key});
    keys.insert(key);
  }
  for (size_t i = 0; i < kDraws; ++i) keys.insert(NewMaskKey());
  ::close(pipes[0]);
  ::close(pipes[1]);
  size_t repeated = 0;
  for (const MaskKey& key : std::set<MaskKey>(keys.begin(), keys.end())) {
    repeated += keys.count(key) - 1;
  }
  EXPECT_LE(repeated, 1u);  // by chance; a shared pool repeats hundreds
}

}  // namespace
}  // namespace framewall::ws
