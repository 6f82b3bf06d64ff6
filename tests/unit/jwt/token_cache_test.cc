#include "proxy/jwt/token_cache.h"

#include <gtest/gtest.h>

namespace framewall::jwt {
namespace {

std::shared_ptr<const VerifiedToken> Some() {
  return std::make_shared<const VerifiedToken>(
      std::shared_ptr<const TokenHeader>(
          new TokenHeader{Algorithm::kRs256, std::nullopt, std::move(*JsonObject::Parse("{}"))}),
      std::move(*JsonObject::Parse("{}")), "{}");
}

TEST(TokenCache, FindsByTokenAndKeySets) {
  const auto a = KeySet::Parse("{\"keys\":[]}");
  const auto b = KeySet::Parse("{\"keys\":[]}");
  const KeySet* only_a[] = {&*a};
  const KeySet* both[] = {&*a, &*b};
  TokenCache cache;
  cache.Put(cache.Digest("token", only_a), Some(), 5);
  EXPECT_NE(cache.Find(cache.Digest("token", only_a)), nullptr);
  EXPECT_EQ(cache.Find(cache.Digest("token", both)), nullptr);
  EXPECT_EQ(cache.Find(cache.Digest("tokens", only_a)), nullptr);
  EXPECT_EQ(cache.Find(cache.Digest("token", {})), nullptr);
}

TEST(TokenCache, ADigestIsGoodForOneCacheAlone) {
  EXPECT_NE(TokenCache().Digest("token", {}), TokenCache().Digest("token", {}));
}

TEST(TokenCache, DropsWhatWasUsedLongestAgo) {
  TokenCache cache({.tokens = 2, .octets = 1000});
  cache.Put("a", Some(), 1);
  cache.Put("b", Some(), 1);
  EXPECT_NE(cache.Find("a"), nullptr);
  cache.Put("c", Some(), 1);
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_NE(cache.Find("c"), nullptr);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(TokenCache, CountsOctets) {
  TokenCache cache({.tokens = 100, .octets = 10});
  cache.Put("a", Some(), 5);
  cache.Put("b", Some(), 5);
  EXPECT_EQ(cache.size(), 2U);
  cache.Put("c", Some(), 1);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.Find("a"), nullptr);
  cache.Put("too long", Some(), 11);
  EXPECT_EQ(cache.Find("too long"), nullptr);
  // The same again takes its old room.
  cache.Put("b", Some(), 9);
  EXPECT_EQ(cache.size(), 2U);
  cache.Remove("b");
  cache.Remove("b");
  cache.Put("d", Some(), 9);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(TokenCache, ClearsItself) {
  TokenCache cache;
  cache.Put("a", Some(), 1);
  cache.Clear();
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  cache.Put("a", Some(), 1);
  EXPECT_NE(cache.Find("a"), nullptr);
}

}  // namespace
}  // namespace framewall::jwt
