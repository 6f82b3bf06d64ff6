#include "proxy/base/bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall {
namespace {

TEST(Bytes, ReadsWhatItWrote) {
  char buffer[8];
  WriteBig16(buffer, 0xfedc);
  EXPECT_EQ(ReadBig16({buffer, 2}), 0xfedc);
  WriteBig32(buffer, 0xfedcba98);
  EXPECT_EQ(ReadBig32({buffer, 4}), 0xfedcba98u);
  WriteBig64(buffer, 0xfedcba9876543210);
  EXPECT_EQ(ReadBig64({buffer, 8}), 0xfedcba9876543210u);
}

TEST(Bytes, NetworkOrderPutsTheHighOctetFirst) {
  char buffer[4];
  WriteBig32(buffer, 0x01020304);
  EXPECT_EQ(std::string(buffer, 4), "\1\2\3\4");
}

TEST(Bytes, HighOctetsAreNotNegative) { EXPECT_EQ(ByteAt("\xff", 0), 255); }

}  // namespace
}  // namespace framewall
