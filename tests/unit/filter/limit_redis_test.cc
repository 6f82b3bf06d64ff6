// What the script's replies mean, and the key. The script itself runs in a real Redis in
// tests/functional/limits_redis_test.cc.
#include "proxy/filter/limit_redis.h"

#include <gtest/gtest.h>

namespace framewall::filter {
namespace {

using Kind = LimitAnswer::Kind;

class RedisAnswers : public ::testing::Test {
 protected:
  RedisAnswers() {
    setting_.name = "api";
    setting_.is_request_zone = true;
    setting_.size = 32 * 1024;
    setting_.rate = 20 * 1000;  // a period of 50 ms
    zone_ = std::move(LimitZone::Make(setting_)).value();
    use_.burst = 4;
  }
  LimitBucket Bucket(std::string_view key = "k") const { return {use_, setting_, *zone_, key}; }
  static redis::Reply Integer(int64_t value) {
    return {.kind = redis::Reply::Kind::kInteger, .integer = value};
  }
  static redis::Reply Array(std::vector<redis::Reply> elements) {
    return {.kind = redis::Reply::Kind::kArray, .elements = std::move(elements)};
  }
  std::optional<RedisAnswer> Read(int64_t outcome, int64_t wait, int64_t ahead) const {
    return ReadRedisAnswer(Bucket(), Array({Integer(outcome), Integer(wait), Integer(ahead)}));
  }

  config::LimitZone setting_;
  config::LimitReqUse use_;
  std::shared_ptr<LimitZone> zone_;
};

TEST_F(RedisAnswers, AreReadInThousandthsOfARequest) {
  auto answer = Read(0, 0, 0);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->answer.kind, Kind::kFits);
  EXPECT_EQ(answer->answer.excess, 0);
  EXPECT_EQ(answer->delay.count(), 0);
  answer = Read(1, 75, 75'000);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->answer.kind, Kind::kFits);
  EXPECT_EQ(answer->answer.excess, 1500);
  EXPECT_EQ(answer->delay.count(), 75);
  answer = Read(2, 12, 212'000);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->answer.kind, Kind::kExceeds);
  EXPECT_EQ(answer->answer.excess, 4240);
}

TEST_F(RedisAnswers, AreNoneWhereTheyAreNotTheScripts) {
  EXPECT_FALSE(Read(3, 0, 0).has_value());
  EXPECT_FALSE(Read(-1, 0, 0).has_value());
  EXPECT_FALSE(Read(0, -1, 0).has_value());
  EXPECT_FALSE(Read(0, 0, -1).has_value());
  EXPECT_FALSE(ReadRedisAnswer(Bucket(), Integer(0)).has_value());
  EXPECT_FALSE(ReadRedisAnswer(Bucket(), redis::Reply()).has_value());
  EXPECT_FALSE(ReadRedisAnswer(Bucket(), Array({Integer(0), Integer(0)})).has_value());
  EXPECT_FALSE(
      ReadRedisAnswer(Bucket(), Array({Integer(0), Integer(0), redis::Reply()})).has_value());
  // As far ahead as an integer goes: no overflow.
  EXPECT_TRUE(Read(2, INT64_MAX, INT64_MAX).has_value());
  EXPECT_EQ(Read(1, INT64_MAX, 0)->delay.count(), INT32_MAX);
}

TEST_F(RedisAnswers, HaveAKeyOfBoundedLength) {
  EXPECT_EQ(RedisKey(Bucket("")), "limit:api:e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_EQ(RedisKey(Bucket(std::string(65535, 'x'))).size(), RedisKey(Bucket("k")).size());
  EXPECT_NE(RedisKey(Bucket("k")), RedisKey(Bucket("K")));
}

}  // namespace
}  // namespace framewall::filter
