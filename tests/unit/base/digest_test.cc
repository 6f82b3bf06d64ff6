#include "proxy/base/digest.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "proxy/base/encoding.h"

namespace framewall {
namespace {

TEST(Digest, PublishedVectors) {
  EXPECT_EQ(HexEncode(Md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(HexEncode(Md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(HexEncode(Sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexEncode(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(Crc32(""), 0u);
}

TEST(Digest, WebSocketAcceptKey) {
  // RFC 6455 1.3.
  EXPECT_EQ(Base64Encode(Sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(SipHash, VectorsOfTheAuthors) {
  const std::array<uint64_t, 2> key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
  std::string input;
  EXPECT_EQ(SipHash(key, input), 0x726fdb47dd0e0e31u);
  for (char c = 0; c < 15; ++c) input += c;
  EXPECT_EQ(SipHash(key, input), 0xa129ca6149be45e5u);
  EXPECT_NE(SipHash({1, 2}, input), SipHash(key, input));
}

TEST(Random, FillsAllAndDiffers) {
  EXPECT_EQ(RandomBytes(0).size(), 0u);
  EXPECT_EQ(RandomBytes(1000).size(), 1000u);
  EXPECT_NE(RandomBytes(32), RandomBytes(32));
}

TEST(Random, PoolOutlivesManyTakes) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(RandomBytes(16)).second);
}

TEST(Random, ForkedChildDoesNotRepeatTheParent) {
  (void)RandomBytes(16);  // there is a pool to inherit
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string bytes = RandomBytes(16);
    ::_exit(::write(ends[1], bytes.data(), bytes.size()) == 16 ? 0 : 1);
  }
  std::string theirs(16, '\0');
  EXPECT_EQ(::read(ends[0], theirs.data(), theirs.size()), 16);
  EXPECT_NE(theirs, RandomBytes(16));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(EqualsConstantTime, ComparesLikeEquality) {
  EXPECT_TRUE(EqualsConstantTime("", ""));
  EXPECT_TRUE(EqualsConstantTime("secret", "secret"));
  EXPECT_FALSE(EqualsConstantTime("secret", "secreT"));
  EXPECT_FALSE(EqualsConstantTime("secret", "secret1"));
}

}  // namespace
}  // namespace framewall
