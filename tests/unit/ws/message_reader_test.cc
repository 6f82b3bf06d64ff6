#include "proxy/ws/message_reader.h"

#include <gtest/gtest.h>

#include "proxy/ws/message_writer.h"
#include "tests/unit/ws/frame_script.h"

namespace framewall::ws {
namespace {

constexpr size_t kSmallString = 32;  // octets a string keeps without memory of its own, and more

class Reader {
 public:
  explicit Reader(const ReaderOptions& options) : reader(options, &pool) {}
  ReadEvent Feed(std::string_view frames, size_t cut = std::string_view::npos) {
    octets = FramesOf(frames, Role::kServer).substr(0, cut);
    input = octets;
    return reader.Read(&input);
  }
  ZlibPool pool;
  MessageReader reader;
  std::string octets;
  ByteView input;
};

// --- Limits ------------------------------------------------------------------------------------

TEST(ReaderLimits, MessageLength) {
  const ReaderOptions options{.max_message = 1000};
  Reads(options, "text \"a\"*1000 | text \"b\"*1000", "text \"a\"*1000 | text \"b\"*1000");
  Reads(options, "text \"a\"*1001", "violation message_length 1009");
  Reads(options, "text nofin \"a\"*600 | cont \"b\"*400", "text \"a\"*600 \"b\"*400");
  Reads(options, "text nofin \"a\"*600 | cont \"b\"*401", "violation message_length 1009");
  Reads(options, "text nofin \"a\"*1000 | cont nofin | cont", "text \"a\"*1000");
  Reads({.max_message = 0}, "text", "text");
  Reads({.max_message = 0}, "text \"a\"", "violation message_length 1009");
}

// Refused at its header: no octet of the payload is needed, none is collected.
TEST(ReaderLimits, MessageLengthIsJudgedByTheHeader) {
  const ReaderOptions options{.max_message = 1000, .max_frame = UINT64_MAX};
  Reads(options, "text len:1001", "violation message_length 1009");
  Reads(options, "text len:9223372036854775807", "violation message_length 1009");
  Reads(options, "text nofin \"a\"*999 | cont len:2", "violation message_length 1009");
  Reads({.max_message = UINT64_MAX, .max_frame = UINT64_MAX},
        "text nofin \"a\" | cont len:9223372036854775807", "unfinished");
}

TEST(ReaderLimits, FrameLength) {
  const ReaderOptions options{.max_frame = 200};
  Reads(options, "text \"a\"*200", "text \"a\"*200");
  Reads(options, "text len:201", "violation frame_length 1009");
  Reads(options, "text nofin \"a\"*200 | cont \"b\"*200", "text \"a\"*200 \"b\"*200");
  Reads(options, "text nofin \"a\" | cont len:201", "violation frame_length 1009");
}

TEST(ReaderLimits, Fragments) {
  const ReaderOptions options{.max_fragments = 3};
  Reads(options, "text nofin \"a\" | cont nofin \"b\" | cont \"c\" | text \"d\"",
        "text \"abc\" | text \"d\"");
  Reads(options, "text nofin | cont nofin | ping | cont nofin | cont",
        "ping | violation fragments 1008");
  Reads({.max_fragments = 1}, "text \"a\" | text \"b\"", "text \"a\" | text \"b\"");
  Reads({.max_fragments = 1}, "text nofin \"a\" | cont", "violation fragments 1008");
}

TEST(ReaderLimits, ControlFrames) {
  const ReaderOptions options{.max_control = 10};
  Reads(options, "ping \"a\"*10 | close 1000 \"a\"*8", "ping \"a\"*10 | close 1000 \"a\"*8");
  Reads(options, "ping \"a\"*11", "violation frame_length 1009");
  Reads(options, "close 1000 \"a\"*9", "violation frame_length 1009");
  // The RFC's own limit cannot be widened.
  Reads({.max_control = 1000}, "ping \"a\"*126", "violation protocol 1002");
}

TEST(ReaderLimits, KindsOfMessage) {
  Reads({.text_allowed = false}, "binary \"a\" | ping | text \"b\"",
        "binary \"a\" | ping | violation text_not_allowed 1003");
  Reads({.binary_allowed = false}, "text nofin \"a\" | cont \"b\" | binary nofin",
        "text \"ab\" | violation binary_not_allowed 1003");
}

TEST(ReaderLimits, NullInText) {
  Reads("text \"a\\0b\"", "text \"a\\0b\"");
  const ReaderOptions options{.allow_text_null = false};
  Reads(options, "text \"a\\0b\"", "violation text_null 1008");
  Reads(options, "text nofin \"a\" | cont nofin \"\\0\"", "violation text_null 1008");
  Reads(options, "binary \"a\\0b\" | text \"ab\"", "binary \"a\\0b\" | text \"ab\"");
  Reads(options, "text deflate \"a\\0b\"", "violation reserved_bits 1002");
}

// However the octets are cut, the first fault is the one reported.
TEST(ReaderLimits, TheFirstFaultCounts) {
  const ReaderOptions options{.allow_text_null = false};
  Reads(options, "text \"ab\\0cd\\xff\"", "violation text_null 1008");
  Reads(options, "text \"ab\\xff\\0\"", "violation invalid_utf8 1007");
  Reads(options, "text \"ab\\xc3\\0\"", "violation invalid_utf8 1007");
  Reads(options, "text \"\\xc3\\xa9\\0\\xff\"", "violation text_null 1008");
  Reads({}, "text \"a\\xff\" | op:3", "violation invalid_utf8 1007");
  Reads({.max_message = 10, .max_frame = 5}, "text flipmask rsv1 len:20",
        "violation reserved_bits 1002");
  Reads({.max_message = 10, .max_frame = 5}, "text flipmask len:20", "violation masking 1002");
  Reads({.max_message = 10, .max_frame = 5}, "text len:20", "violation frame_length 1009");
}

// --- Events ------------------------------------------------------------------------------------

TEST(MessageReader, StopsBehindEachEvent) {
  Reader test({});
  EXPECT_EQ(test.Feed("text \"a\" | ping \"b\" | text nofin \"c\" | cont \"d\""),
            ReadEvent::kMessage);
  EXPECT_EQ(test.reader.payload(), "a");
  EXPECT_EQ(test.reader.fragments(), 1u);
  EXPECT_EQ(test.input.size(), 7u + 7u + 7u);
  EXPECT_EQ(test.reader.Read(&test.input), ReadEvent::kPing);
  EXPECT_EQ(test.reader.control_payload(), "b");
  EXPECT_EQ(test.reader.Read(&test.input), ReadEvent::kMessage);
  EXPECT_EQ(test.reader.payload(), "cd");
  EXPECT_EQ(test.reader.fragments(), 2u);
  EXPECT_EQ(test.reader.wire_size(), 2u);
  EXPECT_TRUE(test.input.empty());
  EXPECT_EQ(test.reader.Read(&test.input), ReadEvent::kNeedMore);
}

TEST(MessageReader, NeedsMoreOfNothing) {
  MessageReader reader({}, nullptr);
  ByteView nothing;
  EXPECT_EQ(reader.Read(&nothing), ReadEvent::kNeedMore);
  std::string octets = FramesOf("text \"abc\"", Role::kServer);
  for (size_t i = 0; i < octets.size(); ++i) {
    ByteView input = ByteView(octets).substr(i, 1);
    EXPECT_EQ(reader.Read(&input),
              i + 1 == octets.size() ? ReadEvent::kMessage : ReadEvent::kNeedMore);
    if (i + 1 < octets.size()) {
      EXPECT_EQ(reader.Read(&nothing), ReadEvent::kNeedMore);
    }
  }
  EXPECT_EQ(reader.payload(), "abc");
}

TEST(MessageReader, LetsThePayloadBeTaken) {
  Reader test({});
  ASSERT_EQ(test.Feed("text \"first\"*100 | text \"second\""), ReadEvent::kMessage);
  const std::string taken = std::move(test.reader.payload());
  ASSERT_EQ(test.reader.Read(&test.input), ReadEvent::kMessage);
  EXPECT_EQ(taken.size(), 500u);
  EXPECT_EQ(test.reader.payload(), "second");
  test.reader.payload().append("changed by its owner");
  ASSERT_EQ(test.Feed("text \"third\""), ReadEvent::kMessage);
  EXPECT_EQ(test.reader.payload(), "third");
}

TEST(MessageReader, SaysWhetherItIsBetweenMessages) {
  Reader test({});
  EXPECT_TRUE(test.reader.between_messages());
  test.Feed("text \"abc\"", 1);
  EXPECT_FALSE(test.reader.between_messages());
  test.reader = MessageReader({}, &test.pool);
  test.Feed("text nofin \"abc\"");
  EXPECT_FALSE(test.reader.between_messages());
  test.Feed("ping");
  EXPECT_FALSE(test.reader.between_messages());
  test.Feed("cont");
  EXPECT_TRUE(test.reader.between_messages());
  test.Feed("ping \"abc\"", 7);
  EXPECT_FALSE(test.reader.between_messages());
}

TEST(MessageReader, ThrowsAwayWhatComesBehindTheEnd) {
  Reader test({});
  ASSERT_EQ(test.Feed("op:3 | text \"a\""), ReadEvent::kViolation);
  EXPECT_TRUE(test.reader.ended());
  EXPECT_EQ(test.reader.violation().kind, ViolationKind::kProtocol);
  EXPECT_EQ(test.reader.Read(&test.input), ReadEvent::kNeedMore);
  EXPECT_TRUE(test.input.empty());
}

// --- Memory ------------------------------------------------------------------------------------

TEST(ReaderMemory, IsSmall) {
  EXPECT_LE(sizeof(MessageReader), 512u);
  EXPECT_LE(sizeof(MessageWriter), 128u);
}

TEST(ReaderMemory, FollowsWhatArrivedNotWhatWasDeclared) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  Reader test({.max_message = 64 * kMiB, .max_frame = 64 * kMiB});
  test.Feed("binary len:67108864");
  EXPECT_LE(test.reader.held(), kSmallString);
  const std::string piece(10000, '*');
  for (size_t arrived = piece.size(); arrived < kMiB; arrived += piece.size()) {
    ByteView input = piece;
    ASSERT_EQ(test.reader.Read(&input), ReadEvent::kNeedMore);
    ASSERT_GE(test.reader.held(), arrived);
    ASSERT_LE(test.reader.held(), 2 * arrived + kSmallString);
  }
}

TEST(ReaderMemory, ReadersTakeTurnsWithOneBuffer) {
  std::string buffer;
  buffer.reserve(200);
  const char* const memory = buffer.data();
  Reader one({});
  Reader two({});
  for (Reader* test : {&one, &two}) {
    test->reader.BorrowBuffer(buffer);
    ASSERT_EQ(test->Feed("text \"a\"*150"), ReadEvent::kMessage);
    EXPECT_EQ(test->reader.payload().data(), memory);
    test->reader.ReleaseMessage();
    test->reader.ReturnBuffer(buffer);
    EXPECT_EQ(buffer.data(), memory);
    EXPECT_LE(test->reader.payload().capacity(), kSmallString);
  }
}

TEST(ReaderMemory, AnUnfinishedMessageKeepsTheBuffer) {
  std::string buffer;
  buffer.reserve(200);
  Reader one({});
  one.reader.BorrowBuffer(buffer);
  ASSERT_EQ(one.Feed("text nofin \"ab\""), ReadEvent::kNeedMore);
  one.reader.ReturnBuffer(buffer);
  EXPECT_LE(buffer.capacity(), kSmallString);
  EXPECT_GE(one.reader.held(), 200u);

  // Another one makes a buffer of its own, which is the turns' from then on.
  Reader two({});
  two.reader.BorrowBuffer(buffer);
  ASSERT_EQ(two.Feed("text \"c\"*150"), ReadEvent::kMessage);
  two.reader.ReleaseMessage();
  two.reader.ReturnBuffer(buffer);
  EXPECT_GE(buffer.capacity(), 150u);

  one.reader.BorrowBuffer(buffer);
  ASSERT_EQ(one.Feed("cont \"d\""), ReadEvent::kMessage);
  EXPECT_EQ(one.reader.payload(), "abd");
  one.reader.ReleaseMessage();
  one.reader.ReturnBuffer(buffer);
  EXPECT_GE(buffer.capacity(), 200u);
  EXPECT_LE(one.reader.payload().capacity(), kSmallString);
}

TEST(ReaderMemory, IsGivenBackAfterALargeMessage) {
  Reader test({});
  ASSERT_EQ(test.Feed("text \"a\"*100000"), ReadEvent::kMessage);
  EXPECT_EQ(test.reader.held(), 0u);
  EXPECT_GE(test.reader.payload().capacity(), 100000u);
  test.reader.ReleaseMessage();
  EXPECT_LE(test.reader.payload().capacity(), kSmallString);
  // A small buffer stays for the next message.
  ASSERT_EQ(test.Feed("text \"a\"*200"), ReadEvent::kMessage);
  const char* const buffer = test.reader.payload().data();
  ASSERT_EQ(test.Feed("text \"a\"*200"), ReadEvent::kMessage);
  EXPECT_EQ(test.reader.payload().data(), buffer);
}

TEST(ReaderMemory, ReleasingLeavesAnUnfinishedMessageAlone) {
  Reader test({});
  ASSERT_EQ(test.Feed("text nofin \"abc\""), ReadEvent::kNeedMore);
  test.reader.ReleaseMessage();
  ASSERT_EQ(test.Feed("cont \"def\""), ReadEvent::kMessage);
  EXPECT_EQ(test.reader.payload(), "abcdef");
}

TEST(ReaderMemory, CountsTheInflaterOfAnUnfinishedMessage) {
  Reader test({.deflate = DeflateParams{}});
  ASSERT_EQ(test.Feed("text deflate \"abcdefgh\"", 10), ReadEvent::kNeedMore);
  EXPECT_GE(test.reader.held(), kInflateStateOctets);
  EXPECT_EQ(test.pool.statistic().inflate_lent, 1u);
}

// --- Compressed messages -----------------------------------------------------------------------

const ReaderOptions kDeflate{.deflate = DeflateParams{}};

TEST(ReaderDeflate, ReadsTheExamplesOfTheRfc) {
  Reads(kDeflate, "text rsv1 hex:f248cdc9c90700", "text \"Hello\"");
  Reads(kDeflate, "text rsv1 nofin hex:f248cd | cont hex:c9c90700", "text \"Hello\"");
  // The second refers to the first.
  Reads(kDeflate, "text rsv1 hex:f248cdc9c90700 | text rsv1 hex:f200110000",
        "text \"Hello\" | text \"Hello\"");
  Reads(kDeflate, "text rsv1 hex:000500faff48656c6c6f00", "text \"Hello\"");
  Reads(kDeflate, "text rsv1 hex:f348cdc9c9070000", "text \"Hello\"");
  Reads(kDeflate, "text rsv1 hex:f24805000000ffffcac9c90700", "text \"Hello\"");
  Reads(kDeflate, "text rsv1 hex:00", "text");
}

TEST(ReaderDeflate, ChoosesByMessage) {
  Reads(kDeflate, "text \"plain\" | text deflate \"deflated\" | binary deflate hex:00ff | text",
        "text \"plain\" | text \"deflated\" | binary hex:00ff | text");
  Reads(kDeflate, "text rsv1 | text rsv1 nofin | ping | cont", "text | ping | text");
}

TEST(ReaderDeflate, OnlyTheFirstFrameSaysSo) {
  Reads(kDeflate, "text nofin \"a\" | cont rsv1 \"b\"", "violation reserved_bits 1002");
  Reads(kDeflate, "text rsv1 nofin hex:f248cd | cont rsv1 hex:c9c90700",
        "violation reserved_bits 1002");
  Reads(kDeflate, "ping rsv1", "violation reserved_bits 1002");
  Reads(kDeflate, "text rsv1 rsv2 hex:f248cdc9c90700", "violation reserved_bits 1002");
}

TEST(ReaderDeflate, ControlFramesMayStandBetween) {
  Reads(kDeflate, "text rsv1 nofin hex:f2 | ping \"p\" | cont nofin hex:48cdc9 | cont hex:c90700",
        "ping \"p\" | text \"Hello\"");
}

TEST(ReaderDeflate, WithoutTakeoverNoMessageKnowsAnother) {
  const ReaderOptions options{.deflate = DeflateParams{.server_no_context_takeover = true,
                                                       .client_no_context_takeover = true}};
  Reads(options, "text rsv1 hex:f248cdc9c90700 | text rsv1 hex:f248cdc9c90700",
        "text \"Hello\" | text \"Hello\"");
  Reads(options, "text rsv1 hex:f248cdc9c90700 | text rsv1 hex:f200110000",
        "text \"Hello\" | violation inflate_failed 1007");
}

TEST(ReaderDeflate, RefusesWhatIsNotDeflate) {
  Reads(kDeflate, "text rsv1 \"plain text, sadly\"", "violation inflate_failed 1007");
  Reads(kDeflate, "binary rsv1 hex:ffffff", "violation inflate_failed 1007");
  // Cut off within a block.
  Reads(kDeflate, "text rsv1 hex:f248cd", "violation inflate_failed 1007");
}

TEST(ReaderDeflate, JudgesTheInflatedText) {
  Reads(kDeflate, "text deflate \"a\\xff\"", "violation invalid_utf8 1007");
  Reads(kDeflate, "text deflate \"a\\xe2\\x82\"", "violation invalid_utf8 1007");
  Reads(kDeflate, "binary deflate \"a\\xff\"", "binary \"a\\xff\"");
  ReaderOptions options = kDeflate;
  options.allow_text_null = false;
  Reads(options, "text deflate \"ab\\0\"", "violation text_null 1008");
}

TEST(ReaderDeflate, LimitsTheInflatedLength) {
  ReaderOptions options = kDeflate;
  options.max_message = 50000;
  Reads(options, "text deflate \"a\"*50000", "text \"a\"*50000");
  Reads(options, "text deflate \"a\"*50001", "violation message_length 1009");
  Reads(options, "text deflate \"a\"*1000000", "violation message_length 1009");
  // The first fault counts, however the octets are cut.
  Reads(options, "text deflate \"a\"*49999 \"\\xff\" \"a\"*1000", "violation invalid_utf8 1007");
  Reads(options, "text deflate \"a\"*50000 \"\\xff\" \"a\"*1000", "violation message_length 1009");
}

// Deflate may make a message a little longer, not as long as one likes.
TEST(ReaderDeflate, LimitsTheWireToo) {
  ReaderOptions options = kDeflate;
  options.max_message = 50000;
  Reads(options, "text rsv1 len:51806", "violation message_length 1009");
  Reads(options, "text rsv1 len:51805", "unfinished");
  // Empty blocks make no output; they are limited all the same.
  Reads(options, "binary rsv1 nofin hex:000000ffff*10000 | cont hex:000000ffff*360 hex:00",
        "binary");
  Reads(options, "binary rsv1 nofin hex:000000ffff*10000 | cont hex:000000ffff*361 hex:00",
        "violation message_length 1009");
}

TEST(ReaderDeflate, LimitsTheRatio) {
  ReaderOptions options = kDeflate;
  options.max_inflate_ratio = 20;
  // Short ones may be as repetitive as they like.
  Reads(options, "text deflate \"a\"*65536", "text \"a\"*65536");
  Reads(options, "text deflate \"a\"*65537", "violation inflate_ratio 1009");
  Reads(options, "text deflate \"a\"*1000000", "violation inflate_ratio 1009");
  options.max_inflate_ratio = 2000;
  Reads(options, "text deflate \"a\"*1000000", "text \"a\"*1000000");
}

TEST(ReaderDeflate, InflatesWhatArrivedBeforeTheRest) {
  Reader test(kDeflate);
  // The first frame inflates to bad UTF-8: refused though the message has no end.
  ASSERT_EQ(test.Feed("text rsv1 nofin hex:000200fdff61ff"), ReadEvent::kViolation);
  EXPECT_EQ(test.reader.violation().kind, ViolationKind::kInvalidUtf8);
}

TEST(ReaderDeflate, BorrowsNothingBetweenMessages) {
  Reader test({.deflate = DeflateParams{}});
  ASSERT_EQ(test.Feed("text deflate \"abcdefgh\"*50"), ReadEvent::kMessage);
  EXPECT_EQ(test.pool.statistic().inflate_lent, 0u);
  EXPECT_EQ(test.pool.statistic().inflate_idle, 1u);
  EXPECT_LT(test.reader.wire_size(), 400u);
  EXPECT_TRUE(test.reader.compressed());
}

}  // namespace
}  // namespace framewall::ws
