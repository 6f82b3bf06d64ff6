// permessage-deflate between our two ends, and with what others may send (RFC 7692 7.2).
#include "proxy/ws/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "proxy/base/encoding.h"

namespace framewall::ws {
namespace {

using Outcome = Inflater::Outcome;

std::string Bytes(std::string_view hex) { return HexDecode(hex).value_or("bad hex"); }

// Feeds a message in steps; what it inflates to, or a word for what happened.
std::string InflateIn(Inflater& inflater, std::string_view message, size_t step) {
  std::string out;
  Outcome outcome = Outcome::kOk;
  while (!message.empty() && outcome == Outcome::kOk) {
    const std::string piece(message.substr(0, step));
    message.remove_prefix(piece.size());
    outcome = inflater.Inflate(piece, out);
  }
  if (outcome == Outcome::kOk) outcome = inflater.Finish(out);
  switch (outcome) {
    case Outcome::kOk:
      return out;
    case Outcome::kBroken:
      return "broken";
    case Outcome::kTooLong:
      return "too long";
    case Outcome::kRatio:
      return "ratio";
  }
  return "?";
}

constexpr DeflateSide kTakeover{.context_takeover = true};
constexpr DeflateSide kNoTakeover{.context_takeover = false};

std::string InflateOne(std::string_view message, InflateLimits limits = {}) {
  ZlibPool pool;
  Inflater whole(kNoTakeover, limits, &pool);
  Inflater octets(kNoTakeover, limits, &pool);
  const std::string out = InflateIn(whole, message, std::string_view::npos);
  EXPECT_EQ(InflateIn(octets, message, 1), out);
  return out;
}

// Text that compresses about as well as chat in JSON does.
std::string Chat(size_t size, uint32_t seed) {
  static const char* const kWords[] = {"\"user\":", "\"text\":", "hello ",     "мир ", "{",
                                       "},",        "\"id\":",   "the quick ", "foo ", "привет "};
  std::minstd_rand random(seed);
  std::string text;
  while (text.size() < size) text += kWords[random() % 10] + std::to_string(random() % 100);
  text.resize(size);
  return text;
}

std::string Noise(size_t size, uint32_t seed) {
  std::minstd_rand random(seed);
  std::string octets(size, '\0');
  for (char& c : octets) c = static_cast<char>(random() >> 8);
  return octets;
}

TEST(Inflater, ReadsBlocksOfEveryKind) {
  EXPECT_EQ(InflateOne(Bytes("f248cdc9c90700")), "Hello");
  EXPECT_EQ(InflateOne(Bytes("000500faff48656c6c6f00")), "Hello");
  EXPECT_EQ(InflateOne(Bytes("f24805000000ffffcac9c90700")), "Hello");
  EXPECT_EQ(InflateOne(Bytes("00")), "");
}

// RFC 7692 7.2.3.4: a last block is not the end of the message.
TEST(Inflater, GoesOnBehindALastBlock) {
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c9070000")), "Hello");
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c90700f348cdc9c9070000")), "HelloHello");
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c90700f248cdc9c90700")), "HelloHello");
  // A block behind it may refer back across it: "Hello" again, as a match.
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c90700f200110000")), "HelloHello");
  // Some senders stop right behind it.
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c90700")), "Hello");
}

TEST(Inflater, TakesNoOctetsForAnEmptyMessage) { EXPECT_EQ(InflateOne(""), ""); }

TEST(Inflater, RefusesWhatIsNotDeflate) {
  EXPECT_EQ(InflateOne("\xff\xff"), "broken");
  EXPECT_EQ(InflateOne("plain text"), "broken");
  EXPECT_EQ(InflateOne(Bytes("000500faf048656c6c6f00")), "broken");  // LEN and NLEN disagree
  EXPECT_EQ(InflateOne(Bytes("f200110000")), "broken");              // before the beginning
  EXPECT_EQ(InflateOne(Bytes("f348cdc9c90700ff")), "broken");        // behind a last block
}

TEST(Inflater, RefusesAMessageThatIsCutOff) {
  const std::string whole = Bytes("f248cdc9c90700");
  for (size_t size = 1; size + 1 < whole.size(); ++size) {
    EXPECT_EQ(InflateOne(whole.substr(0, size)), "broken") << size;
  }
}

TEST(Inflater, LimitsOutput) {
  ZlibPool pool;
  std::string message;
  Deflater(kNoTakeover, {}, &pool).Deflate(std::string(100000, 'a'), message);
  EXPECT_EQ(InflateOne(message, {.max_output = 100000}).size(), 100000u);
  EXPECT_EQ(InflateOne(message, {.max_output = 99999}), "too long");
  EXPECT_EQ(InflateOne(message, {.max_output = 0}), "too long");
  EXPECT_EQ(InflateOne(Bytes("00"), {.max_output = 0}), "");
}

TEST(Inflater, HoldsAtMostTheLimitAfterARefusal) {
  ZlibPool pool;
  std::string message;
  Deflater(kNoTakeover, {}, &pool).Deflate(std::string(size_t{1} << 24, 'a'), message);
  Inflater inflater(kNoTakeover, {.max_output = 70000}, &pool);
  std::string out;
  EXPECT_EQ(inflater.Inflate(message, out), Outcome::kTooLong);
  EXPECT_EQ(out, std::string(70000, 'a'));
}

TEST(Inflater, LimitsTheRatioBeyondTheFreeOutput) {
  ZlibPool pool;
  for (const size_t size : {kRatioFreeOutput, kRatioFreeOutput + 1}) {
    std::string message;
    Deflater(kNoTakeover, {}, &pool).Deflate(std::string(size, 'a'), message);
    EXPECT_EQ(InflateOne(message, {.max_ratio = 100}).size(),
              size == kRatioFreeOutput ? size : std::string("ratio").size());
  }
  // Ordinary text passes at any size.
  const std::string chat = Chat(500000, 1);
  std::string message;
  Deflater(kNoTakeover, {}, &pool).Deflate(chat, message);
  EXPECT_TRUE(InflateOne(message, {.max_ratio = 20}) == chat);
  // The input is counted exactly at the end: 8 is more than this text has, 1 is less.
  const uint32_t ratio = static_cast<uint32_t>(chat.size() / message.size());
  EXPECT_TRUE(InflateOne(message, {.max_ratio = ratio + 1}) == chat);
  EXPECT_EQ(InflateOne(message, {.max_ratio = ratio}), "ratio");
}

// Where in the message the growth lies counts, in steps of kRatioStep; how it was cut does not.
TEST(Inflater, CountsInputForTheRatioInSteps) {
  const auto inflate = [](size_t before, size_t repeats, size_t step) {
    ZlibPool pool;
    const std::string text = Noise(before, 1) + std::string(repeats, 'a') + Noise(3000, 2);
    std::string message;
    Deflater(kNoTakeover, {.level = 9}, &pool).Deflate(text, message);
    Inflater inflater(kNoTakeover, {.max_ratio = 100}, &pool);
    const std::string out = InflateIn(inflater, message, step);
    return out == text ? "passed" : out;
  };
  for (const size_t step : {size_t{1}, size_t{900}, std::string::npos}) {
    // Within the first step there is room for 102400 octets, as soon as its first octet came.
    EXPECT_EQ(inflate(100, 80000, step), "passed") << step;
    // At its end there are more; the second step would have room for all of them.
    EXPECT_EQ(inflate(700, 180000, step), "ratio") << step;
  }
}

TEST(Inflater, RefersToEarlierMessagesOnlyWithTakeover) {
  for (const bool takeover : {true, false}) {
    ZlibPool pool;
    Inflater inflater({.context_takeover = takeover}, {}, &pool);
    EXPECT_EQ(InflateIn(inflater, Bytes("f248cdc9c90700"), 3), "Hello");
    EXPECT_EQ(InflateIn(inflater, Bytes("f200110000"), 3), takeover ? "Hello" : "broken");
  }
}

// A sender that keeps to its window is always understood; one that reaches further back than the
// window and the message itself is refused, in whatever pieces it comes.
TEST(Inflater, RefersNoFurtherThanTheWindow) {
  for (int bits = 9; bits <= 15; ++bits) {
    const size_t window = size_t{1} << bits;
    for (const size_t behind : {window / 2, window + 300}) {
      ZlibPool pool;
      // Made with the widest window: a secret, then filling, then the secret again.
      const std::string secret = Noise(200, 1);
      Deflater deflater(kTakeover, {.level = 9}, &pool);
      std::string messages[3];
      deflater.Deflate(secret, messages[0]);
      deflater.Deflate(Noise(behind, 2), messages[1]);
      deflater.Deflate(secret, messages[2]);
      if (messages[2].size() > secret.size()) continue;  // too far back for anyone
      for (const size_t step : {size_t{1}, size_t{100}, std::string::npos}) {
        Inflater inflater({.context_takeover = true, .window_bits = bits}, {}, &pool);
        EXPECT_TRUE(InflateIn(inflater, messages[0], step) == secret);
        EXPECT_EQ(InflateIn(inflater, messages[1], step).size(), behind);
        EXPECT_TRUE(InflateIn(inflater, messages[2], step) == (behind < window ? secret : "broken"))
            << bits << " bits, " << behind << " behind, steps of " << step;
      }
    }
  }
}

TEST(Inflater, KeepsOnlyTheWindowBetweenMessages) {
  ZlibPool pool;
  Inflater inflater({.context_takeover = true, .window_bits = 10}, {}, &pool);
  EXPECT_EQ(inflater.window_size(), 0u);
  std::string out;
  ASSERT_EQ(inflater.Inflate(Bytes("f248cdc9"), out), Outcome::kOk);
  EXPECT_EQ(inflater.held(), kInflateStateOctets);
  ASSERT_EQ(inflater.Inflate(Bytes("c90700"), out), Outcome::kOk);
  ASSERT_EQ(inflater.Finish(out), Outcome::kOk);
  EXPECT_EQ(inflater.held(), 0u);
  EXPECT_EQ(inflater.window_size(), 5u);
  for (int i = 0; i < 400; ++i) EXPECT_EQ(InflateIn(inflater, Bytes("f200110000"), 9), "Hello");
  EXPECT_EQ(inflater.window_size(), 1024u);
  EXPECT_EQ(pool.statistic().inflate_lent, 0u);
}

// Endless last blocks are cheap: nothing is copied for them.
TEST(Inflater, ManyLastBlocksDoNotCostTheirWindow) {
  ZlibPool pool;
  Inflater inflater(kTakeover, {}, &pool);
  std::string message;
  Deflater(kTakeover, {}, &pool).Deflate(Noise(32768, 1), message);
  ASSERT_EQ(InflateIn(inflater, message, std::string::npos).size(), 32768u);
  std::string blocks;
  for (int i = 0; i < 500000; ++i) blocks.append("\x03\x00", 2);
  // Half a million copies of the window would take a minute.
  EXPECT_EQ(InflateIn(inflater, blocks, 65536), "");
}

// --- Both ends ---------------------------------------------------------------------------------

struct Agreement {
  bool takeover;
  int window_bits;
  int mem_level;
};

class DeflateRoundTrip : public testing::TestWithParam<Agreement> {};

TEST_P(DeflateRoundTrip, ManyMessagesOfEverySize) {
  const Agreement agreed = GetParam();
  const DeflateSide side{agreed.takeover, agreed.window_bits};
  ZlibPool pool;
  Deflater deflater(side, {.level = 6, .mem_level = agreed.mem_level}, &pool);
  Inflater inflater(side, {}, &pool);
  uint32_t seed = 0;
  size_t before = 0;
  size_t after = 0;
  for (const size_t size :
       {1u, 16u, 64u, 256u, 1024u, 4096u, 8192u, 16384u, 32768u, 65536u, 131072u}) {
    for (int i = 0; i < 6; ++i) {
      const std::string text = i % 3 == 2 ? Noise(size, ++seed) : Chat(size, ++seed);
      std::string message;
      deflater.Deflate(text, message);
      const size_t step = i % 2 == 0 ? std::string::npos : 1 + seed % 977;
      ASSERT_TRUE(InflateIn(inflater, message, step) == text) << size;
      if (i % 3 != 2) {
        before += text.size();
        after += message.size();
      }
    }
  }
  EXPECT_LT(after, before * 6 / 10);
}

INSTANTIATE_TEST_SUITE_P(Agreements, DeflateRoundTrip,
                         testing::Values(Agreement{false, 15, 8}, Agreement{true, 15, 8},
                                         Agreement{false, 9, 8}, Agreement{true, 9, 1},
                                         Agreement{true, 12, 4}, Agreement{false, 15, 9}),
                         [](const auto& agreed) {
                           return std::string(agreed.param.takeover ? "Takeover" : "NoTakeover") +
                                  std::to_string(agreed.param.window_bits) + "Bits" +
                                  std::to_string(agreed.param.mem_level) + "Memory";
                         });

// Eight bits for inflating only: zlib can make no such stream, but one for nine may fit.
TEST(Deflate, AWindowOf8BitsInflatesOnly) {
  ZlibPool pool;
  EXPECT_FALSE(Deflater({.window_bits = 8}, {}, &pool).CanDeflate());
  EXPECT_TRUE(Deflater({.window_bits = 9}, {}, &pool).CanDeflate());
  Inflater inflater({.context_takeover = true, .window_bits = 8}, {}, &pool);
  EXPECT_EQ(InflateIn(inflater, Bytes("f248cdc9c90700"), 1), "Hello");
  EXPECT_EQ(InflateIn(inflater, Bytes("f200110000"), 1), "Hello");
}

TEST(Deflate, TakeoverMakesRepeatsSmall) {
  ZlibPool pool;
  const std::string text = Noise(500, 3);
  Deflater deflater(kTakeover, {}, &pool);
  std::string first;
  std::string second;
  deflater.Deflate(text, first);
  deflater.Deflate(text, second);
  EXPECT_GT(first.size(), 500u);
  EXPECT_LT(second.size(), 20u);
}

TEST(Deflate, AppendsToWhatIsThere) {
  ZlibPool pool;
  Deflater deflater(kNoTakeover, {}, &pool);
  std::string out = "head";
  deflater.Deflate("Hello", out);
  EXPECT_TRUE(out.starts_with("head"));
  EXPECT_EQ(InflateOne(out.substr(4)), "Hello");
}

TEST(DeflateParams, SidesAreTheSenders) {
  const DeflateParams params{true, false, 10, 12};
  EXPECT_FALSE(SideOf(params, Role::kServer).context_takeover);
  EXPECT_EQ(SideOf(params, Role::kServer).window_bits, 10);
  EXPECT_TRUE(SideOf(params, Role::kClient).context_takeover);
  EXPECT_EQ(SideOf(params, Role::kClient).window_bits, 12);
}

}  // namespace
}  // namespace framewall::ws
