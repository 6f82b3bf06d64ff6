#include "proxy/filter/body_inflater.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <optional>
#include <string>
#include <utility>

namespace framewall::filter {
namespace {

using Outcome = BodyInflater::Outcome;

// `window_bits` 31: gzip; 15: zlib, which HTTP calls deflate; -15: without any frame.
std::string Deflate(std::string text, int window_bits = 31) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// The same whether it comes whole, by single octets or by threes.
std::pair<Outcome, std::string> Inflate(const std::string& bytes, uint64_t cap = 1000,
                                        std::string_view encoding = "gzip") {
  std::optional<std::pair<Outcome, std::string>> first;
  for (const size_t step : {bytes.size(), size_t{1}, size_t{3}}) {
    const auto inflater = BodyInflater::Make(encoding, cap);
    std::pair<Outcome, std::string> result{Outcome::kOk, ""};
    for (size_t at = 0; at < bytes.size() && result.first == Outcome::kOk; at += step) {
      result.first = inflater->Inflate(std::string_view(bytes).substr(at, step), result.second);
    }
    EXPECT_LE(result.second.size(), cap);
    if (result.first != Outcome::kOk) result.second.clear();
    if (!first) first = result;
    EXPECT_EQ(result, *first) << "in steps of " << step;
  }
  return *first;
}

TEST(BodyInflater, KnowsItsEncodings) {
  for (const char* encoding : {"gzip", "x-gzip", "deflate", " GZip ", "DEFLATE"}) {
    EXPECT_NE(BodyInflater::Make(encoding, 1), nullptr) << encoding;
    EXPECT_TRUE(BodyInflater::NeedsInflating(encoding));
  }
  for (const char* encoding : {"br", "zstd", "compress", "gzip, gzip", "gzip,", "gzipx"}) {
    EXPECT_EQ(BodyInflater::Make(encoding, 1), nullptr) << encoding;
    EXPECT_TRUE(BodyInflater::NeedsInflating(encoding)) << encoding;
  }
  for (const char* encoding : {"", " ", "identity", " Identity"}) {
    EXPECT_FALSE(BodyInflater::NeedsInflating(encoding)) << encoding;
  }
}

TEST(BodyInflater, InflatesGzipAndZlib) {
  const std::string text = "a=1&b=<script>&c=" + std::string(500, 'c');
  EXPECT_EQ(Inflate(Deflate(text)), std::pair(Outcome::kOk, text));
  EXPECT_EQ(Inflate(Deflate(text, 15), 1000, "deflate"), std::pair(Outcome::kOk, text));
  EXPECT_EQ(Inflate(Deflate("")), std::pair(Outcome::kOk, std::string()));
}

TEST(BodyInflater, TheCapIsExact) {
  const std::string bytes = Deflate(std::string(1000, 'x'));
  EXPECT_EQ(Inflate(bytes, 1000).first, Outcome::kOk);
  EXPECT_EQ(Inflate(bytes, 999).first, Outcome::kTooLarge);
  EXPECT_EQ(Inflate(Deflate(""), 0).first, Outcome::kOk);
  EXPECT_EQ(Inflate(Deflate("x"), 0).first, Outcome::kTooLarge);
  // Far beyond, over several of the inflater's own buffers.
  EXPECT_EQ(Inflate(Deflate(std::string(100000, 'x')), 50000).first, Outcome::kTooLarge);
  EXPECT_EQ(Inflate(Deflate(std::string(100000, 'x')), 100000).first, Outcome::kOk);
}

TEST(BodyInflater, WhatIsBrokenIsRefused) {
  const std::string bytes = Deflate("some text that is long enough to have a middle");
  EXPECT_EQ(Inflate("no gzip at all").first, Outcome::kBroken);
  // Without a frame it could be anything.
  EXPECT_EQ(Inflate(Deflate("text", -15), 1000, "deflate").first, Outcome::kBroken);
  std::string wrong_sum = bytes;
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  EXPECT_EQ(Inflate(wrong_sum).first, Outcome::kBroken);
  std::string wrong_length = bytes;
  wrong_length.back() ^= 1;
  EXPECT_EQ(Inflate(wrong_length).first, Outcome::kBroken);
}

// Some readers go on behind an end, some do not: the rules would see one of two bodies.
TEST(BodyInflater, NothingFollowsTheEnd) {
  const std::string bytes = Deflate("one");
  EXPECT_EQ(Inflate(bytes + Deflate("two")).first, Outcome::kBroken);
  EXPECT_EQ(Inflate(bytes + "x").first, Outcome::kBroken);
}

// Found by fuzzing: whole it was broken, in pieces it was too large.
TEST(BodyInflater, AFaultBeyondTheCapIsTooLargeHoweverItIsCut) {
  std::string bytes = Deflate(std::string(100, 'x'));
  bytes[bytes.size() - 6] ^= 1;
  EXPECT_EQ(Inflate(bytes, 100).first, Outcome::kBroken);
  EXPECT_EQ(Inflate(bytes, 99).first, Outcome::kTooLarge);
}

}  // namespace
}  // namespace framewall::filter
