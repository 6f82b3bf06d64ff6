#include "proxy/http/http1/chunked_reader.h"

#include <gtest/gtest.h>

namespace framewall::http {
namespace {

using Outcome = ChunkedReader::Outcome;
using LineEnds = ChunkedReader::LineEnds;

struct Reading {
  Outcome outcome = Outcome::kMore;
  std::string body;
  std::string trailers;
  size_t used = 0;
  bool too_large = false;
  bool operator==(const Reading&) const = default;
};

Reading ReadIn(std::string_view text, size_t step, const HeadLimits& limits, LineEnds line_ends) {
  ChunkedReader reader;
  reader.Start(limits, line_ends);
  Reading reading;
  while (reading.used < text.size() &&
         (reading.outcome == Outcome::kMore || reading.outcome == Outcome::kData)) {
    const std::string piece(text.substr(reading.used, step));
    size_t used = 0;
    ByteView data;
    reading.outcome = reader.Read(piece, &used, &data);
    if (reading.outcome == Outcome::kData) reading.body.append(data);
    reading.used += used;
  }
  if (reading.outcome == Outcome::kDone && reader.trailers() != nullptr) {
    for (const Field& field : *reader.trailers()) {
      reading.trailers.append(field.name).append("=").append(field.value).append(" ");
    }
  }
  reading.too_large = reader.too_large();
  return reading;
}

Reading Read(std::string_view text, const HeadLimits& limits = {},
             LineEnds line_ends = LineEnds::kCrlf) {
  const Reading whole = ReadIn(text, std::string_view::npos, limits, line_ends);
  for (size_t step : {1u, 2u, 3u, 11u}) {
    const Reading split = ReadIn(text, step, limits, line_ends);
    EXPECT_EQ(split.outcome, whole.outcome) << text << " in steps of " << step;
    EXPECT_EQ(split.body, whole.body);
    EXPECT_EQ(split.trailers, whole.trailers);
    EXPECT_EQ(split.too_large, whole.too_large);
    if (whole.outcome == Outcome::kDone) {
      EXPECT_EQ(split.used, whole.used);
    }
  }
  return whole;
}

TEST(ChunkedReader, ReadsChunksAndStopsBehindTheLast) {
  const Reading reading = Read("4\r\nWiki\r\n00a;x=y\r\n0123456789\r\n0\r\n\r\nGET /");
  EXPECT_EQ(reading.outcome, Outcome::kDone);
  EXPECT_EQ(reading.body, "Wiki0123456789");
  EXPECT_EQ(reading.used, 35u);
}

TEST(ChunkedReader, GivesTrailersWithoutTheForbidden) {
  const Reading reading = Read(
      "0\r\nX-Sum: 1\r\nContent-Length: 5\r\nHost: evil\r\nTransfer-Encoding: chunked\r\n"
      "Authorization: x\r\nb@d: z\r\nX-Forwarded-For: 1.1.1.1\r\nETag: t\r\n\r\n");
  EXPECT_EQ(reading.outcome, Outcome::kDone);
  EXPECT_EQ(reading.trailers, "X-Sum=1 ETag=t ");
}

TEST(ChunkedReader, RefusesMalformedTrailers) {
  EXPECT_EQ(Read("0\r\nX: a\r\n b\r\n\r\n").outcome, Outcome::kError);
  EXPECT_EQ(Read("0\r\nX : a\r\n\r\n").outcome, Outcome::kError);
  EXPECT_EQ(Read("0\r\nX\r\n\r\n").outcome, Outcome::kError);
  EXPECT_EQ(Read("0\r\nX: a\rb\r\n\r\n").outcome, Outcome::kError);
  EXPECT_EQ(Read("0\r\n\rX").outcome, Outcome::kMore);
  EXPECT_EQ(Read("0\r\n\rX\n").outcome, Outcome::kError);
}

TEST(ChunkedReader, LimitsTheSizeLine) {
  const HeadLimits limits = {.chunk_line_size = 8};
  EXPECT_EQ(Read("0000003\r\nabc\r\n0\r\n\r\n", limits).outcome, Outcome::kDone);
  EXPECT_EQ(Read("3;34567\r\nabc\r\n0\r\n\r\n", limits).outcome, Outcome::kDone);
  EXPECT_EQ(Read("3;345678\r\nabc\r\n0\r\n\r\n", limits).outcome, Outcome::kError);
  EXPECT_TRUE(Read("3;345678\r\nabc\r\n0\r\n\r\n", limits).too_large);
  EXPECT_EQ(Read("000000003\r\nabc\r\n0\r\n\r\n", limits).outcome, Outcome::kError);
}

TEST(ChunkedReader, LimitsAllExtensionsOfABody) {
  const HeadLimits limits = {.chunk_line_size = 100};
  const std::string chunk = "1;" + std::string(90, 'e') + "\r\nx\r\n";
  std::string few;
  for (int i = 0; i < 17; ++i) few += chunk;
  EXPECT_EQ(Read(few + "0\r\n\r\n", limits).outcome, Outcome::kDone);
  EXPECT_TRUE(Read(few + chunk + "0\r\n\r\n", limits).too_large);
}

TEST(ChunkedReader, LimitsTrailers) {
  const HeadLimits limits = {.field_count = 2, .trailer_size = 20};
  EXPECT_EQ(Read("0\r\nX: 12345678901234\r\n\r\n", limits).outcome, Outcome::kError);
  EXPECT_TRUE(Read("0\r\nX: 12345678901234\r\n\r\n", limits).too_large);
  EXPECT_EQ(Read("0\r\nX: 1234567890123\r\n\r\n", limits).outcome, Outcome::kDone);
  EXPECT_EQ(Read("0\r\nX:1\r\nY:2\r\n\r\n", limits).outcome, Outcome::kDone);
  EXPECT_EQ(Read("0\r\nX:1\r\nY:2\r\nZ:3\r\n\r\n", limits).outcome, Outcome::kError);
}

TEST(ChunkedReader, TakesLfOfUpstreamsOnlyWhereAsked) {
  const std::string_view text = "9\nSEE-THIS\n\n0\nX: y\n\n";
  EXPECT_EQ(Read(text).outcome, Outcome::kError);
  const Reading reading = Read(text, {}, LineEnds::kLfToo);
  EXPECT_EQ(reading.outcome, Outcome::kDone);
  EXPECT_EQ(reading.body, "SEE-THIS\n");
  EXPECT_EQ(reading.trailers, "X=y ");
}

TEST(ChunkedReader, TakesTheLargestSizeAndNoMore) {
  EXPECT_EQ(Read("7fffffffffffffff\r\nab").outcome, Outcome::kData);
  EXPECT_EQ(Read("8000000000000000\r\nab").outcome, Outcome::kError);
}

}  // namespace
}  // namespace framewall::http
