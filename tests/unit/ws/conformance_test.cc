// What an endpoint must read and refuse, subject by subject in the order of the field's conformance
// suite: framing, pings, reserved bits, opcodes, fragmentation, UTF-8, closing, sizes. Every case
// is read by a server and by a client, whole, octet by octet and cut at random.
#include <gtest/gtest.h>

#include "tests/unit/ws/frame_script.h"

namespace framewall::ws {
namespace {

constexpr char kRefused[] = "violation protocol 1002";
constexpr char kBitsRefused[] = "violation reserved_bits 1002";
constexpr char kTextRefused[] = "violation invalid_utf8 1007";

std::string Quoted(std::string_view octets) {
  std::string text = "\"";
  for (const char c : octets) {
    constexpr char kHex[] = "0123456789abcdef";
    text += "\\x";
    text += kHex[static_cast<uint8_t>(c) >> 4];
    text += kHex[static_cast<uint8_t>(c) & 15];
  }
  return text + "\"";
}

// --- Framing -----------------------------------------------------------------------------------

TEST(Framing, ReadsMessagesAroundEachFormOfLength) {
  for (const std::string size : {"0", "1", "125", "126", "127", "128", "65535", "65536", "70000"}) {
    Reads("text \"*\"*" + size, "text \"*\"*" + size);
    Reads("binary hex:fe*" + size, "binary hex:fe*" + size);
  }
}

TEST(Framing, ReadsManyMessagesInOrder) {
  Reads("text \"a\" | binary hex:00ff | text | text \"b\"",
        "text \"a\" | binary hex:00ff | text | text \"b\"");
}

TEST(Framing, RefusesLengthsThatAreNotShortest) {
  Reads("text len16 \"a\"", kRefused);
  Reads("text len16 \"a\"*125", kRefused);
  Reads("text len16 \"a\"*126", "text \"a\"*126");
  Reads("text len64 \"a\"*126", kRefused);
  Reads("text len64 \"a\"*65535", kRefused);
  Reads("text len64 \"a\"*65536", "text \"a\"*65536");
}

TEST(Framing, RefusesALengthWithTheTopBit) {
  Reads("text len:9223372036854775808", kRefused);
  Reads("text len:18446744073709551615", kRefused);
}

TEST(Framing, RefusesTheWrongMask) {
  Reads("text flipmask \"a\"", "violation masking 1002");
  Reads("text flipmask", "violation masking 1002");
  Reads("ping flipmask", "violation masking 1002");
  Reads("text nofin \"a\" | cont flipmask \"b\"", "violation masking 1002");
}

// Each frame is unmasked by itself, whatever came before it.
TEST(Framing, UnmasksEachFrameWithItsOwnKey) {
  Reads("text nofin \"one \"*7 | ping \"p\" | cont nofin \"two \"*9 | cont \"three\"*5",
        "ping \"p\" | text \"one \"*7 \"two \"*9 \"three\"*5");
}

TEST(Framing, WaitsForTheRest) {
  Reads("text \"abc\" | text len:5 \"ab\"", "text \"abc\" | unfinished");
  Reads("text nofin \"abc\"", "unfinished");
  Reads("ping len:5 \"ab\"", "unfinished");
}

// --- Pings -------------------------------------------------------------------------------------

TEST(Pings, CarryUpTo125Octets) {
  Reads("ping", "ping");
  Reads("ping \"Hello, world!\"", "ping \"Hello, world!\"");
  Reads("ping hex:00fffefdfcfb00ff", "ping hex:00fffefdfcfb00ff");
  Reads("ping hex:fe*125", "ping hex:fe*125");
  Reads("ping hex:fe*126", kRefused);
  Reads("pong hex:fe*126", kRefused);
  Reads("ping len16 \"a\"", kRefused);
}

TEST(Pings, UnaskedPongsAreReported) {
  Reads("pong", "pong");
  Reads("pong \"unasked\" | ping \"x\" | text \"a\"", "pong \"unasked\" | ping \"x\" | text \"a\"");
}

TEST(Pings, ManyComeInOrder) {
  Reads("ping \"0\" | ping \"1\" | ping \"2\" | ping \"3\" | ping \"4\" | ping \"5\" | ping \"6\"",
        "ping \"0\" | ping \"1\" | ping \"2\" | ping \"3\" | ping \"4\" | ping \"5\" | ping \"6\"");
}

// --- Reserved bits and opcodes -----------------------------------------------------------------

TEST(ReservedBits, AreRefusedOnEveryFrame) {
  for (const std::string bits : {"rsv1", "rsv2", "rsv3", "rsv1 rsv2", "rsv1 rsv2 rsv3"}) {
    Reads("text " + bits + " \"small\"", kBitsRefused);
    Reads("binary " + bits + " \"small\"", kBitsRefused);
    Reads("ping " + bits, kBitsRefused);
    Reads("close " + bits + " 1000", kBitsRefused);
    Reads("text \"before\" | text " + bits + " \"x\" | ping",
          "text \"before\" | violation "
          "reserved_bits 1002");
    Reads("text nofin \"a\" | cont " + bits + " \"b\"", kBitsRefused);
  }
}

TEST(Opcodes, ReservedOnesAreRefused) {
  for (const std::string opcode : {"3", "4", "5", "6", "7", "11", "12", "13", "14", "15"}) {
    Reads("op:" + opcode, kRefused);
    Reads("op:" + opcode + " \"payload\"", kRefused);
    Reads("text \"before\" | op:" + opcode + " \"x\" | ping",
          "text \"before\" | violation protocol 1002");
    Reads("text nofin \"before\" | op:" + opcode + " \"x\" | ping", kRefused);
  }
}

// --- Fragmentation -----------------------------------------------------------------------------

TEST(Fragmentation, ControlFramesAreNeverFragmented) {
  Reads("ping nofin \"a\" | cont \"b\"", kRefused);
  Reads("pong nofin \"a\" | cont \"b\"", kRefused);
  Reads("close nofin 1000", kRefused);
}

TEST(Fragmentation, FragmentsAreJoined) {
  Reads("text nofin \"fragment1\" | cont \"fragment2\"", "text \"fragment1fragment2\"");
  Reads("binary nofin hex:00 | cont nofin hex:01 | cont hex:02", "binary hex:000102");
  Reads("text nofin | cont nofin | cont", "text");
  Reads("text nofin | cont nofin \"middle\" | cont", "text \"middle\"");
}

TEST(Fragmentation, ControlFramesMayStandBetween) {
  Reads("text nofin \"Hel\" | ping \"x\" | cont \"lo\"", "ping \"x\" | text \"Hello\"");
  Reads("text nofin \"1\" | ping \"a\" | cont nofin \"2\" | pong \"b\" | ping \"c\" | cont \"3\"",
        "ping \"a\" | pong \"b\" | ping \"c\" | text \"123\"");
  Reads("text nofin \"a\" | close 1000", "close 1000");
}

TEST(Fragmentation, ContinuationsNeedAMessage) {
  Reads("cont \"a\"", kRefused);
  Reads("cont nofin \"a\" | text \"b\"", kRefused);
  Reads("text \"a\" | cont \"b\"", "text \"a\" | violation protocol 1002");
  Reads("text nofin \"a\" | cont \"b\" | cont \"c\"", "text \"ab\" | violation protocol 1002");
  Reads("text nofin \"a\" | cont \"b\" | cont nofin \"c\" | text nofin \"d\"",
        "text \"ab\" | violation protocol 1002");
}

TEST(Fragmentation, AMessageMustEndBeforeTheNext) {
  Reads("text nofin \"a\" | text \"b\"", kRefused);
  Reads("text nofin \"a\" | binary \"b\"", kRefused);
  Reads("binary nofin \"a\" | ping | binary nofin \"b\"", "ping | violation protocol 1002");
}

TEST(Fragmentation, EveryOctetMayBeAFragment) {
  std::string frames = "text nofin";
  for (const char c : std::string("Hello-UTF8")) {
    frames += " | cont nofin \"";
    frames += c;
    frames += "\"";
  }
  Reads(frames + " | cont", "text \"Hello-UTF8\"");
}

// --- UTF-8 -------------------------------------------------------------------------------------

constexpr char kGreek[] = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

TEST(Utf8Text, MayBeCutAnywhere) {
  const std::string text = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4-\xf0\x9f\x98\x80 \xd0\xbf";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Reads(
        "text nofin " + Quoted(text.substr(0, cut)) + " | ping | cont " + Quoted(text.substr(cut)),
        "ping | text " + Quoted(text));
  }
}

TEST(Utf8Text, ValidSequencesPass) {
  const std::string_view valid[] = {
      kGreek,
      {"\x00", 1},
      "\x7f",
      "\xc2\x80",
      "\xdf\xbf",
      "\xe0\xa0\x80",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbf\xbd",
      "\xef\xbf\xbe",  // noncharacters are characters here
      "\xef\xbf\xbf",
      "\xf0\x90\x80\x80",
      "\xf0\x9f\xbf\xbf",
      "\xf4\x8f\xbf\xbf",
  };
  for (const std::string_view text : valid) Reads("text " + Quoted(text), "text " + Quoted(text));
}

TEST(Utf8Text, InvalidSequencesAreRefused) {
  const std::string_view invalid[] = {
      "\x80",
      "\xbf\xbf",
      "\xc0\x80",                  // U+0000 in two octets
      "\xc1\xbf",                  // overlong
      "\xe0\x80\x80",              // overlong
      "\xe0\x9f\xbf",              // overlong
      "\xf0\x80\x80\x80",          // overlong
      "\xf0\x8f\xbf\xbf",          // overlong
      "\xed\xa0\x80",              // a surrogate
      "\xed\xbf\xbf",              // a surrogate
      "\xed\xa0\x80\xed\xb0\x80",  // a pair of them
      "\xf4\x90\x80\x80",          // above U+10FFFF
      "\xf7\xbf\xbf\xbf",
      "\xf8\x88\x80\x80\x80",
      "\xfc\x84\x80\x80\x80\x80",
      "\xfe",
      "\xff",
      "\xc3\x28",
      "\xe2\x28\xa1",
      "\xe2\x82\x28",
      "\xf0\x9f\x98\x28",
  };
  for (const std::string_view text : invalid) {
    Reads("text " + Quoted(text), kTextRefused);
    Reads("text nofin " + Quoted(std::string(kGreek).append(text)) + " | cont", kTextRefused);
    // Binary messages are nobody's text.
    Reads("binary " + Quoted(text), "binary " + Quoted(text));
  }
}

TEST(Utf8Text, MustNotEndWithinACharacter) {
  for (const std::string_view text : {"\xce", "\xe1\xbd", "\xf0\x9f\x98"}) {
    Reads("text \"ok\" " + Quoted(text), kTextRefused);
    Reads("text nofin \"ok\" " + Quoted(text) + " | cont", kTextRefused);
    Reads("text nofin \"ok\" " + Quoted(text), "unfinished");
  }
}

// Nobody waits for the end of a message that is lost already.
TEST(Utf8Text, FailsAtTheFirstBadOctet) {
  Reads("text nofin \"fine\" | cont nofin \"\\xf4\\x90\"", kTextRefused);
  Reads("text len:1000 \"fine\\xff\"", kTextRefused);
  Reads("text len:1000 \"fine\\xf4\\x90\"", kTextRefused);
  Reads("text len:1000 \"fine\\xf4\"", "unfinished");
}

// --- Closing -----------------------------------------------------------------------------------

TEST(Closing, CarriesCodeAndReason) {
  Reads("close", "close 1005");
  Reads("close 1000", "close 1000");
  Reads("close 1001 \"Going away\"", "close 1001 \"Going away\"");
  Reads("close 1000 \"r\"*123", "close 1000 \"r\"*123");
  Reads("close 1000 \"r\"*124", kRefused);
  Reads("close 1000 \"\\xd0\\xbf\\xd0\\xbe\\xd0\\xba\\xd0\\xb0\"",
        "close 1000 \"\\xd0\\xbf\\xd0\\xbe\\xd0\\xba\\xd0\\xb0\"");
}

TEST(Closing, NothingIsReadBehindIt) {
  Reads("close 1000 | ping", "close 1000");
  Reads("close 1000 | text \"late\"", "close 1000");
  Reads("close 1000 | close 1001", "close 1000");
  Reads("close 1000 | op:15 rsv3", "close 1000");
  Reads("text nofin \"a\" | close 1000 | cont \"b\"", "close 1000");
  Reads("text \"a\"*300000 | close 1000 | ping", "text \"a\"*300000 | close 1000");
}

TEST(Closing, RefusesOneOctet) { Reads("close hex:03", "violation close_payload 1002"); }

TEST(Closing, RefusesReasonsThatAreNotUtf8) {
  Reads("close 1000 \"\\xce\\xba\\xe1\\xbd\"", kTextRefused);
  Reads("close 1000 \"\\xff\"", kTextRefused);
}

TEST(Closing, KnowsWhichCodesMayBeSent) {
  for (const std::string code : {"1000", "1001", "1002", "1003", "1007", "1008", "1009", "1010",
                                 "1011", "1012", "1013", "1014", "3000", "3999", "4000", "4999"}) {
    Reads("close " + code, "close " + code);
    Reads("close " + code + " \"why\"", "close " + code + " \"why\"");
  }
  for (const std::string code : {"0", "999", "1004", "1005", "1006", "1015", "1016", "1100", "2000",
                                 "2999", "5000", "65535"}) {
    Reads("close " + code, "violation close_payload 1002");
    Reads("close " + code + " \"why\"", "violation close_payload 1002");
  }
}

// --- Sizes -------------------------------------------------------------------------------------

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(Sizes, MessagesOf16MebibytesPass) {
  ReaderOptions options{.max_message = 16 * kMiB, .max_frame = 16 * kMiB};
  for (const Role role : {Role::kServer, Role::kClient}) {
    options.role = role;
    const std::string text(16 * kMiB, '*');
    const std::string frames = FramesOf("binary \"*\"*16777216", role);
    for (const size_t step : {std::string::npos, size_t{65536}, size_t{1000}}) {
      const auto events = ReadAll(options, frames, {.step = step});
      ASSERT_EQ(events.size(), 1u);
      EXPECT_TRUE(events[0] == (Event{"binary", 0, text}));
    }
  }
}

TEST(Sizes, AMebibyteInFragmentsOf64Octets) {
  const ReaderOptions options{.max_message = kMiB, .max_fragments = 16384};
  std::string frames = FramesOf("text nofin \"*\"*64", Role::kServer);
  for (int i = 0; i < 16382; ++i) frames += FramesOf("cont nofin \"*\"*64", Role::kServer);
  frames += FramesOf("cont \"*\"*64", Role::kServer);
  for (const size_t step : {std::string::npos, size_t{4096}, size_t{61}}) {
    const auto events = ReadAll(options, frames, {.step = step});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(events[0] == (Event{"text", 0, std::string(kMiB, '*')}));
  }
}

}  // namespace
}  // namespace framewall::ws
