#include "proxy/redis/reply_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace framewall::redis {
namespace {

struct Read {
  std::vector<Reply> replies;
  std::optional<Error> error;
};

Read ReadIn(std::string_view octets, size_t step, const ReplyLimits& limits = {}) {
  ReplyReader reader(limits);
  Read read;
  while (!octets.empty()) {
    const std::string piece(octets.substr(0, step));
    octets.remove_prefix(piece.size());
    reader.Feed(piece);
    for (;;) {
      auto next = reader.Next();
      if (!next.ok()) {
        read.error = next.error();
        return read;
      }
      if (!next->has_value()) break;
      read.replies.push_back(std::move(**next));
    }
  }
  return read;
}

Read ReadWhole(std::string_view octets, const ReplyLimits& limits = {}) {
  return ReadIn(octets, octets.size(), limits);
}

TEST(ReplyReader, ReadsEveryKindInAnyPieces) {
  const std::string octets =
      "+OK\r\n-MOVED 1 a:1\r\n:-42\r\n$5\r\nhe\r\nl\r\n$-1\r\n*-1\r\n$0\r\n\r\n"
      "*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n*0\r\n";
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, octets.size()}) {
    const Read read = ReadIn(octets, step);
    ASSERT_FALSE(read.error.has_value()) << read.error->message;
    ASSERT_EQ(8u, read.replies.size());
    EXPECT_EQ(Reply::Kind::kStatus, read.replies[0].kind);
    EXPECT_EQ("OK", read.replies[0].text);
    EXPECT_EQ("MOVED", read.replies[1].error_code());
    EXPECT_EQ(-42, read.replies[2].integer);
    EXPECT_EQ("he\r\nl", read.replies[3].text);
    EXPECT_TRUE(read.replies[4].is_nil());
    EXPECT_TRUE(read.replies[5].is_nil());
    EXPECT_EQ("", read.replies[6].text);
    const Reply& array = read.replies[7];
    ASSERT_EQ(3u, array.elements.size());
    EXPECT_EQ(1, array.elements[0].integer);
    ASSERT_EQ(2u, array.elements[1].elements.size());
    EXPECT_EQ("a", array.elements[1].elements[0].text);
    EXPECT_TRUE(array.elements[1].elements[1].is_nil());
    EXPECT_TRUE(array.elements[2].is_array());
    EXPECT_TRUE(array.elements[2].elements.empty());
  }
}

TEST(ReplyReader, AStringUpToTheLimitIsRead) {
  const ReplyLimits limits{.max_size = 100};
  // "$93\r\n" and "\r\n" are seven octets.
  EXPECT_EQ(1u, ReadWhole("$93\r\n" + std::string(93, 'a') + "\r\n", limits).replies.size());
  const Read read = ReadWhole("$94\r\n" + std::string(94, 'a') + "\r\n", limits);
  ASSERT_TRUE(read.error.has_value());
  EXPECT_EQ(ErrorKind::kLimit, read.error->kind);
  EXPECT_EQ(ErrorSource::kUpstream, read.error->source);
}

TEST(ReplyReader, TheLimitIsOfOneReplyNotOfManyTogether) {
  const ReplyLimits limits{.max_size = 100};
  std::string octets;
  for (int i = 0; i < 50; ++i) octets += "$20\r\n" + std::string(20, 'a') + "\r\n";
  EXPECT_EQ(50u, ReadWhole(octets, limits).replies.size());
  EXPECT_EQ(50u, ReadIn(octets, 3, limits).replies.size());
}

TEST(ReplyReader, AnAnnouncedLengthBeyondTheLimitIsRefusedAtOnce) {
  for (const char* octets : {"$99999999999\r\n", "$1048577\r\n", "$9223372036854775807\r\n",
                             "*2\r\n:1\r\n$99999999999\r\n"}) {
    for (const size_t step : {size_t{1}, size_t{100}}) {
      const Read read = ReadIn(octets, step);
      ASSERT_TRUE(read.error.has_value()) << octets;
      EXPECT_EQ(ErrorKind::kLimit, read.error->kind);
    }
  }
  EXPECT_FALSE(ReadWhole("$1048576\r\n").error.has_value());
}

TEST(ReplyReader, AnAnnouncedArrayBeyondTheLimitIsRefusedAtOnce) {
  EXPECT_EQ(ErrorKind::kLimit, ReadWhole("*99999999\r\n").error->kind);
  const ReplyLimits limits{.max_elements = 6};
  EXPECT_FALSE(ReadWhole("*2\r\n*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n", limits).error.has_value());
  EXPECT_TRUE(ReadWhole("*2\r\n*2\r\n:1\r\n:2\r\n*3\r\n", limits).error.has_value());
  // Counted anew for each reply.
  EXPECT_EQ(2u, ReadWhole("*6\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*6\r\n:1\r\n:1\r\n:1\r\n:1\r\n"
                          ":1\r\n:1\r\n",
                          limits)
                    .replies.size());
}

TEST(ReplyReader, ALineWithoutEndIsRefused) {
  EXPECT_FALSE(ReadWhole("+" + std::string(65536, 'a')).error.has_value());
  EXPECT_EQ(ErrorKind::kLimit, ReadWhole("+" + std::string(65537, 'a')).error->kind);
  EXPECT_EQ(ErrorKind::kLimit, ReadWhole("$" + std::string(33, '1')).error->kind);
}

TEST(ReplyReader, GarbageIsRefusedAndStaysRefused) {
  for (const char* octets : {"HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "$a\r\n", "$-2\r\n",
                             ":1x\r\n", "*-2\r\n", "%1\r\n",
                             "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
                             "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    ReplyReader reader({});
    reader.Feed(octets);
    const auto refused = reader.Next();
    ASSERT_FALSE(refused.ok()) << octets;
    EXPECT_EQ(ErrorKind::kSyntax, refused.error().kind);
    reader.Feed("+OK\r\n");
    EXPECT_FALSE(reader.Next().ok());
  }
}

TEST(ReplyReader, RepliesBeforeGarbageAreRead) {
  const Read read = ReadWhole(":1\r\n:2\r\ngarbage\r\n");
  EXPECT_EQ(2u, read.replies.size());
  EXPECT_TRUE(read.error.has_value());
}

TEST(Reply, NumbersAreTakenFromTextToo) {
  EXPECT_EQ(7, (Reply{.kind = Reply::Kind::kInteger, .integer = 7}.AsInteger()));
  EXPECT_EQ(-7, (Reply{.kind = Reply::Kind::kText, .text = "-7"}.AsInteger()));
  EXPECT_FALSE((Reply{.kind = Reply::Kind::kText, .text = "7a"}.AsInteger().has_value()));
  EXPECT_FALSE((Reply{.kind = Reply::Kind::kText, .text = ""}.AsInteger().has_value()));
  EXPECT_FALSE((Reply{.kind = Reply::Kind::kError, .text = "7"}.AsInteger().has_value()));
  EXPECT_FALSE(Reply{}.AsInteger().has_value());
}

}  // namespace
}  // namespace framewall::redis
