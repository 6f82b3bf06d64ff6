#include "proxy/tls/session_cache.h"

#include <gtest/gtest.h>

namespace framewall::tls {
namespace {

std::shared_ptr<SharedSessionCache> Small() {
  return *SharedSessionCache::Create(SharedSessionCache::kMinSize);
}

TEST(SharedSessionCache, FindsWhatWasStoredUntilItExpires) {
  auto cache = Small();
  EXPECT_EQ("", cache->Find("id", 100));
  cache->Store("id", "session", 200);
  EXPECT_EQ("session", cache->Find("id", 199));
  EXPECT_EQ("", cache->Find("id", 200));
  EXPECT_EQ("", cache->Find("other", 100));
}

TEST(SharedSessionCache, TheNewerOfAnIdReplacesTheOlder) {
  auto cache = Small();
  cache->Store("id", "one", 200);
  cache->Store("id", "two", 200);
  EXPECT_EQ("two", cache->Find("id", 100));
  cache->Remove("id");
  EXPECT_EQ("", cache->Find("id", 100));
}

TEST(SharedSessionCache, TheOldestMakeRoom) {
  auto cache = Small();
  const std::string session(200, 's');
  for (int i = 0; i < 10000; ++i) cache->Store("id" + std::to_string(i), session, 200);
  EXPECT_EQ(session, cache->Find("id9999", 100));
  EXPECT_EQ("", cache->Find("id0", 100));
  int kept = 0;
  for (int i = 9900; i < 10000; ++i) kept += cache->Find("id" + std::to_string(i), 100) == session;
  EXPECT_GT(kept, 60);
}

TEST(SharedSessionCache, TakesSessionsUpToTheLimit) {
  auto cache = Small();
  const std::string most(SharedSessionCache::kMaxSession, 'm');
  for (int i = 0; i < 50; ++i) {
    cache->Store("id", most, 200);
    EXPECT_EQ(most, cache->Find("id", 100));
  }
  cache->Store("big", most + "x", 200);
  EXPECT_EQ("", cache->Find("big", 100));
  cache->Store(std::string(33, 'i'), "x", 200);
  EXPECT_EQ("", cache->Find(std::string(33, 'i'), 100));
}

TEST(ParseSessionCache, TakesNginxsWords) {
  using Kind = SessionCacheSetting::Kind;
  EXPECT_EQ(Kind::kOff, ParseSessionCache("off")->kind);
  EXPECT_EQ(Kind::kNone, ParseSessionCache("none")->kind);
  const auto both = ParseSessionCache("builtin:1000 shared:SSL:10m");
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(Kind::kUse, both->kind);
  EXPECT_TRUE(both->builtin);
  EXPECT_EQ(1000, both->builtin_size);
  EXPECT_EQ("SSL", both->shared_name);
  EXPECT_EQ(10u << 20, both->shared_size);
}

TEST(ParseSessionCache, RefusesTheRest) {
  EXPECT_EQ("invalid session cache \"maybe\"", ParseSessionCache("maybe").error().message);
  EXPECT_EQ("invalid session cache \"shared:a\"", ParseSessionCache("shared:a").error().message);
  EXPECT_EQ("invalid session cache \"shared::1m\"",
            ParseSessionCache("shared::1m").error().message);
  EXPECT_EQ("session cache \"shared:a:32767\" is too small",
            ParseSessionCache("shared:a:32767").error().message);
  EXPECT_TRUE(ParseSessionCache("shared:a:32768").ok());
}

}  // namespace
}  // namespace framewall::tls
