#include "proxy/ws/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/base/encoding.h"

namespace framewall::ws {
namespace {

std::string Encoded(const FrameHeader& header) {
  char octets[kMaxFrameHeader];
  return HexEncode({octets, EncodeFrameHeader(header, octets)});
}

struct Decoded {
  HeaderReach reach;
  FrameHeader header;
  size_t size;
};

Decoded Decode(std::string_view hex) {
  Decoded decoded{};
  decoded.reach =
      DecodeFrameHeader(HexDecode(hex).value_or("bad hex"), &decoded.header, &decoded.size);
  return decoded;
}

TEST(FrameHeader, EncodesTheShortestLength) {
  EXPECT_EQ(Encoded({.opcode = Opcode::kText, .length = 0}), "8100");
  EXPECT_EQ(Encoded({.opcode = Opcode::kBinary, .length = 125}), "827d");
  EXPECT_EQ(Encoded({.opcode = Opcode::kBinary, .length = 126}), "827e007e");
  EXPECT_EQ(Encoded({.opcode = Opcode::kBinary, .length = 65535}), "827effff");
  EXPECT_EQ(Encoded({.opcode = Opcode::kBinary, .length = 65536}), "827f0000000000010000");
}

TEST(FrameHeader, EncodesBitsAndMask) {
  EXPECT_EQ(Encoded({.fin = false, .opcode = Opcode::kContinuation}), "0000");
  EXPECT_EQ(Encoded({.rsv1 = true, .opcode = Opcode::kText}), "c100");
  EXPECT_EQ(Encoded({.rsv2 = true, .rsv3 = true, .opcode = Opcode::kPing}), "b900");
  EXPECT_EQ(Encoded({.masked = true, .length = 5, .mask = {'\x37', '\xfa', '\x21', '\x3d'}}),
            "818537fa213d");
}

TEST(FrameHeader, DecodesAsFarAsTheOctetsReach) {
  EXPECT_EQ(Decode("").reach, HeaderReach::kNothing);
  EXPECT_EQ(Decode("c1").reach, HeaderReach::kOpcode);
  EXPECT_TRUE(Decode("c1").header.rsv1);
  EXPECT_EQ(Decode("81fe").reach, HeaderReach::kLengthCode);
  EXPECT_EQ(Decode("81fe01").reach, HeaderReach::kLengthCode);
  EXPECT_EQ(Decode("81fe0102").reach, HeaderReach::kLength);
  EXPECT_EQ(Decode("81fe0102").header.length, 0x0102u);
  EXPECT_EQ(Decode("81fe0102").size, 0u);
  EXPECT_EQ(Decode("81fe0102010203").reach, HeaderReach::kLength);
  EXPECT_EQ(Decode("81fe010201020304").reach, HeaderReach::kAll);
  EXPECT_EQ(Decode("81fe010201020304").size, 8u);
  EXPECT_EQ(Decode("817f00000000000100").reach, HeaderReach::kLengthCode);
  EXPECT_EQ(Decode("817f0000000000010000").reach, HeaderReach::kAll);
  EXPECT_EQ(Decode("0a05").header.opcode, Opcode::kPong);
  EXPECT_FALSE(Decode("0a05").header.fin);
}

TEST(FrameHeader, DecodesWhatItEncodes) {
  for (const uint64_t length : {uint64_t{0}, uint64_t{125}, uint64_t{126}, uint64_t{65535},
                                uint64_t{65536}, uint64_t{1} << 40}) {
    for (const bool masked : {false, true}) {
      const FrameHeader header{
          .fin = masked, .rsv3 = true, .masked = masked, .length = length, .mask = {1, 2, 3, 4}};
      char octets[kMaxFrameHeader];
      const size_t size = EncodeFrameHeader(header, octets);
      FrameHeader read;
      size_t read_size = 0;
      ASSERT_EQ(DecodeFrameHeader({octets, size}, &read, &read_size), HeaderReach::kAll);
      EXPECT_EQ(read_size, size);
      EXPECT_EQ(read.length, length);
      EXPECT_EQ(read.fin, masked);
      EXPECT_TRUE(read.rsv3);
      EXPECT_EQ(read.mask, masked ? header.mask : MaskKey{});
      EXPECT_FALSE(HasOddLength(read));
    }
  }
}

TEST(FrameHeader, KnowsLengthsInALongerForm) {
  EXPECT_TRUE(HasOddLength(Decode("827e007d").header));
  EXPECT_FALSE(HasOddLength(Decode("827e007e").header));
  EXPECT_TRUE(HasOddLength(Decode("827f000000000000ffff").header));
  EXPECT_FALSE(HasOddLength(Decode("827f0000000000010000").header));
  EXPECT_TRUE(HasOddLength(Decode("827f8000000000000000").header));
}

TEST(Opcode, KnowsTheSixOfTheRfc) {
  std::string known;
  for (uint8_t opcode = 0; opcode < 16; ++opcode) {
    if (IsKnownOpcode(static_cast<Opcode>(opcode))) known += std::to_string(opcode) + " ";
    EXPECT_EQ(IsControl(static_cast<Opcode>(opcode)), opcode >= 8);
  }
  EXPECT_EQ(known, "0 1 2 8 9 10 ");
  EXPECT_EQ(OpcodeName(Opcode::kPong), "pong");
  EXPECT_EQ(OpcodeName(static_cast<Opcode>(3)), "reserved");
}

}  // namespace
}  // namespace framewall::ws
