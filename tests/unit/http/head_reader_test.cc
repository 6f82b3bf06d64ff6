#include "proxy/http/http1/head_reader.h"

#include <gtest/gtest.h>

#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

// 0 where the head is taken; the same octet by octet.
int StatusOf(const std::string& request, const HeadLimits& limits) {
  int status = -1;
  for (size_t step : {0u, 1u, 5u, 100u}) {
    ServerRecorder recorder(limits);
    recorder.Feed(request, step);
    if (recorder.status == 0) {
      EXPECT_TRUE(recorder.codec.request_complete());
    }
    if (status >= 0) {
      EXPECT_EQ(recorder.status, status) << "in steps of " << step;
    }
    status = recorder.status;
  }
  return status;
}

// A line of `size` octets with its CRLF.
std::string RequestLine(size_t size) {
  const std::string rest = " HTTP/1.0\r\n";
  return "GET /" + std::string(size - rest.size() - 5, 'a') + rest;
}
std::string FieldLineOf(size_t size) { return "X: " + std::string(size - 5, 'a') + "\r\n"; }

constexpr HeadLimits kSmall = {
    .first_buffer_size = 128, .buffer_count = 3, .line_size = 256, .field_count = 20};

TEST(HeadReader, LimitsTheRequestLineToABuffer) {
  EXPECT_EQ(StatusOf(RequestLine(128) + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(RequestLine(129) + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(RequestLine(256) + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(RequestLine(257) + "\r\n", kSmall), 414);
  EXPECT_EQ(StatusOf(RequestLine(5000) + "\r\n", kSmall), 414);
}

TEST(HeadReader, LimitsAFieldToABuffer) {
  const std::string line = "GET / HTTP/1.0\r\n";
  EXPECT_EQ(StatusOf(line + FieldLineOf(256) + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(line + FieldLineOf(257) + "\r\n", kSmall), 494);
  EXPECT_EQ(StatusOf(line + FieldLineOf(5000) + "\r\n", kSmall), 494);
}

TEST(HeadReader, LimitsTheNumberOfBuffers) {
  const std::string line = "GET / HTTP/1.0\r\n";
  const std::string fields = FieldLineOf(200) + FieldLineOf(200) + FieldLineOf(200);
  EXPECT_EQ(StatusOf(line + fields + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(line + fields + FieldLineOf(54) + "\r\n", kSmall), 0);
  EXPECT_EQ(StatusOf(line + fields + FieldLineOf(55) + "\r\n", kSmall), 494);
  EXPECT_EQ(StatusOf(line + fields + FieldLineOf(200) + "\r\n", kSmall), 494);
}

TEST(HeadReader, TakesALineThatFillsALargeFirstBuffer) {
  const HeadLimits limits = {.first_buffer_size = 512, .buffer_count = 1, .line_size = 128};
  EXPECT_EQ(StatusOf(RequestLine(500) + "\r\n", limits), 0);
  EXPECT_EQ(StatusOf(RequestLine(513) + "\r\n", limits), 414);
}

TEST(HeadReader, LimitsTheNumberOfFields) {
  const HeadLimits limits = {.field_count = 3};
  const std::string line = "GET / HTTP/1.0\r\n";
  EXPECT_EQ(StatusOf(line + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits), 0);
  EXPECT_EQ(StatusOf(line + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", limits), 494);
  // Fields that are dropped count as well.
  EXPECT_EQ(StatusOf(line + "A: 1\r\nB_: 2\r\nC_: 3\r\nD: 4\r\n\r\n", limits), 494);
}

TEST(HeadReader, KeepsViewsWhenAHeadComesInPieces) {
  Arena arena;
  RequestHead head(&arena);
  HeadReader reader;
  reader.StartRequest(&head, HeadLimits{}, HeadPolicy{});
  const std::string text =
      "GET /long HTTP/1.3\r\nHost: h\r\nX-Empty:\r\nX-Big: " + std::string(3000, 'x') +
      "\r\nX_Dropped: y\r\n\r\nbody";
  const size_t head_size = text.size() - 4;
  size_t at = 0;
  HeadReader::Outcome outcome = HeadReader::Outcome::kMore;
  while (outcome == HeadReader::Outcome::kMore) {
    const std::string piece = text.substr(at, 13);  // its memory is gone after each round
    size_t used = 0;
    outcome = reader.Read(piece, &used);
    at += used;
  }
  EXPECT_EQ(outcome, HeadReader::Outcome::kDone);
  EXPECT_EQ(at, head_size);
  EXPECT_EQ(reader.size(), head_size);
  EXPECT_EQ(head.target, "/long");
  EXPECT_EQ(head.version_name, "HTTP/1.3");
  EXPECT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields.Get("x-big"), std::string(3000, 'x'));
  EXPECT_EQ(head.fields.Get("X-EMPTY"), "");
}

}  // namespace
}  // namespace framewall::http
