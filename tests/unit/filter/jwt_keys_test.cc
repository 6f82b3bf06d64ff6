// Keys that are fetched: when, by whom, and what is kept.
#include "proxy/filter/jwt_keys.h"

#include <gtest/gtest.h>

#include "proxy/base/clock.h"
#include "proxy/event/loop.h"
#include "proxy/filter/services.h"
#include "tests/support/token_issuer.h"

namespace framewall::filter {
namespace {

using test::TokenIssuer;

// An issuer's location that answers when it is told to, and a clock that stands still.
class FetchedKeysTest : public ::testing::Test {
 protected:
  FetchedKeysTest() {
    services_.loop = &loop_;
    services_.start_subrequest = [this](const config::ServerConfig& server,
                                        const exchange::SubrequestOptions& options,
                                        exchange::SubrequestCallback callback) {
      EXPECT_EQ(&server, &server_);
      EXPECT_EQ(options.uri, "/keys");
      EXPECT_EQ(options.body_limit, jwt::kMostSetOctets);
      ++begun_;
      callback_ = std::move(callback);
      return std::make_unique<exchange::Subrequest>();
    };
    Set(1'000'000);
  }

  void Set(int64_t ms) {
    now_ms_ = ms;
    Now now;
    now.steady = SteadyTime(std::chrono::milliseconds(ms));
    now.unix_milliseconds = ms;
    SetCachedNowForTest(now);
  }
  void Pass(int64_t ms) { Set(now_ms_ + ms); }

  void Answer(std::string_view body, int status = 200, std::string_view failure = {}) {
    exchange::SubrequestAnswer answer;
    answer.failure = failure;
    answer.status = status;
    answer.body = body;
    std::exchange(callback_, nullptr)(answer);
  }

  event::EventLoop loop_;
  FilterServices services_;
  config::ServerConfig server_;
  int begun_ = 0;
  int changes_ = 0;
  exchange::SubrequestCallback callback_;
  int64_t now_ms_ = 0;
  FetchedKeys keys_{services_, server_, "/keys", [this] { ++changes_; }};
  const TokenIssuer issuer_{jwt::Algorithm::kEdDsa, "a"};
  const TokenIssuer other_{jwt::Algorithm::kEdDsa, "b"};
};

TEST_F(FetchedKeysTest, OneFetchInTenSeconds) {
  EXPECT_TRUE(keys_.Refresh());
  EXPECT_TRUE(keys_.Refresh());
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(keys_.keys(), nullptr);
  Answer(issuer_.KeySet());
  ASSERT_NE(keys_.keys(), nullptr);
  EXPECT_FALSE(keys_.Refresh());
  Pass(9'999);
  EXPECT_FALSE(keys_.Refresh());
  Pass(1);
  EXPECT_TRUE(keys_.Refresh());
  EXPECT_EQ(begun_, 2);
}

TEST_F(FetchedKeysTest, AFailureIsRememberedAsLong) {
  EXPECT_TRUE(keys_.Refresh());
  Answer("", 0, "connect() failed");
  EXPECT_EQ(keys_.keys(), nullptr);
  Pass(9'999);
  EXPECT_FALSE(keys_.Refresh());
  Pass(1);
  EXPECT_TRUE(keys_.Refresh());
}

TEST_F(FetchedKeysTest, WhatIsKnownStaysUntilSomethingElseComes) {
  keys_.Refresh();
  Answer(issuer_.KeySet());
  EXPECT_EQ(changes_, 1);
  const uint64_t generation = keys_.keys()->generation();
  const auto stays = [&](std::string_view body, int status = 200, std::string_view failure = {}) {
    Pass(10'000);
    EXPECT_TRUE(keys_.Refresh());
    Answer(body, status, failure);
    EXPECT_EQ(keys_.keys()->generation(), generation) << body;
  };
  stays("", 0, "connect() failed");
  stays("{}");
  stays("{\"keys\":[]}");
  stays(R"({"keys":[{"kty":"oct","k":"AA"}]})");
  stays(other_.KeySet(), 500);
  stays(other_.KeySet(), 304);
  stays(other_.KeySet(), 200, "the response of the subrequest was broken off");
  // The same text again changes nothing either: tokens verified with it stay known.
  stays(issuer_.KeySet());
  EXPECT_EQ(changes_, 1);
  Pass(10'000);
  keys_.Refresh();
  Answer(other_.KeySet());
  EXPECT_NE(keys_.keys()->generation(), generation);
  EXPECT_EQ(keys_.keys()->keys()[0].kid(), "b");
  EXPECT_EQ(changes_, 2);
}

TEST_F(FetchedKeysTest, Age) {
  EXPECT_TRUE(keys_.IsOlderThan(Milliseconds(1000)));
  keys_.Refresh();
  Answer(issuer_.KeySet());
  EXPECT_FALSE(keys_.IsOlderThan(Milliseconds(60'000)));
  Pass(59'999);
  EXPECT_FALSE(keys_.IsOlderThan(Milliseconds(60'000)));
  Pass(1);
  EXPECT_TRUE(keys_.IsOlderThan(Milliseconds(60'000)));
  // The same text again is as good as new.
  keys_.Refresh();
  Answer(issuer_.KeySet());
  EXPECT_FALSE(keys_.IsOlderThan(Milliseconds(60'000)));
}

TEST_F(FetchedKeysTest, AllWhoWaitAreCalledOnceWhateverCame) {
  keys_.Refresh();
  int called = 0;
  const auto first = keys_.Await([&] { ++called; });
  auto second = keys_.Await([&] { ADD_FAILURE() << "it had gone"; });
  std::shared_ptr<void> third;
  // One who is called ends the waiting of another, and waits anew.
  auto fifth = std::shared_ptr<void>();
  const auto fourth = keys_.Await([&] {
    ++called;
    fifth.reset();
    third = keys_.Await([&] { ++called; });
  });
  fifth = keys_.Await([&] { ADD_FAILURE() << "it was ended"; });
  second.reset();
  Answer("", 0, "connect() failed");
  EXPECT_EQ(called, 2);
  Pass(10'000);
  keys_.Refresh();
  Answer(issuer_.KeySet());
  EXPECT_EQ(called, 3);
}

TEST_F(FetchedKeysTest, AfterCancelNobodyIsCalled) {
  keys_.Refresh();
  const auto waiter = keys_.Await([] { ADD_FAILURE(); });
  keys_.Cancel();
  EXPECT_FALSE(keys_.Refresh());
}

TEST_F(FetchedKeysTest, TokensAreFoundAgainUntilKeysChange) {
  JwtKeyFiles none;
  JwtKeys all(none, services_);
  config::JwtSettings settings;
  settings.keys.push_back({config::JwtKeySource::Kind::kRequest, "/keys", {}});
  JwtKeys::Location& location = all.Of(server_, settings);
  const std::string token = issuer_.Token(R"({"sub":"ann"})");
  EXPECT_EQ(all.Verify(location, settings, token).failure, jwt::Failure::kUnknownKey);
  EXPECT_EQ(begun_, 1);
  Answer(issuer_.KeySet());
  const auto first = all.Verify(location, settings, token);
  ASSERT_NE(first.token, nullptr);
  EXPECT_EQ(all.cache().size(), 1U);
  EXPECT_EQ(all.Verify(location, settings, token).token, first.token);
  // auth_jwt_token_cache off: what others have verified counts for nothing.
  config::JwtSettings anew = settings;
  anew.token_cache = false;
  EXPECT_NE(all.Verify(location, anew, token).token, first.token);
  EXPECT_EQ(all.cache().size(), 1U);
  // auth_jwt_key_cache 0 is ten seconds, the least there is.
  Pass(10'000);
  EXPECT_EQ(all.Verify(location, settings, token).token, first.token);
  EXPECT_EQ(begun_, 2);
  Answer(other_.KeySet());
  EXPECT_EQ(all.cache().size(), 0U);
  EXPECT_EQ(all.Verify(location, settings, token).failure, jwt::Failure::kUnknownKey);
  all.Cancel();
}

TEST_F(FetchedKeysTest, RefusedTokensAreNotKept) {
  JwtKeyFiles none;
  JwtKeys all(none, services_);
  config::JwtSettings settings;
  settings.keys.push_back({config::JwtKeySource::Kind::kRequest, "/keys", {}});
  JwtKeys::Location& location = all.Of(server_, settings);
  all.Verify(location, settings, "");
  Answer(issuer_.KeySet());
  EXPECT_EQ(all.Verify(location, settings, issuer_.Token(R"({"exp":1000})")).failure,
            jwt::Failure::kExpired);
  EXPECT_EQ(all.Verify(location, settings, other_.Token("{}")).failure, jwt::Failure::kUnknownKey);
  EXPECT_EQ(all.cache().size(), 0U);
  // And one that ends is known no longer: the clock says 1000 s.
  const std::string ending = issuer_.Token(R"({"exp":1001})");
  EXPECT_NE(all.Verify(location, settings, ending).token, nullptr);
  EXPECT_EQ(all.cache().size(), 1U);
  Pass(1'000);
  EXPECT_EQ(all.Verify(location, settings, ending).failure, jwt::Failure::kExpired);
  EXPECT_EQ(all.cache().size(), 0U);
  all.Cancel();
}

}  // namespace
}  // namespace framewall::filter
