#include "proxy/upstream/retry_policy.h"

#include <gtest/gtest.h>

namespace framewall::upstream {
namespace {

RetryQuestion Failed() {
  RetryQuestion question;
  question.condition = config::kNextError;
  question.tries_left = 1;
  question.first_started = CachedNow().steady;
  return question;
}

TEST(RetryPolicy, AllowsErrorsAndTimeoutsByDefault) {
  const config::ProxySettings settings;
  RetryQuestion question = Failed();
  EXPECT_TRUE(MayRetry(settings, question));
  question.condition = config::kNextTimeout;
  EXPECT_TRUE(MayRetry(settings, question));
  question.condition = config::kNextHttp500;
  EXPECT_FALSE(MayRetry(settings, question));
}

TEST(RetryPolicy, StopsWhenNoTryIsLeft) {
  RetryQuestion question = Failed();
  question.tries_left = 0;
  EXPECT_FALSE(MayRetry(config::ProxySettings(), question));
}

TEST(RetryPolicy, RepeatsPostOnlyBeforeItWasSent) {
  config::ProxySettings settings;
  RetryQuestion question = Failed();
  question.method = http::Method::kPost;
  EXPECT_TRUE(MayRetry(settings, question));
  question.request_begun = true;
  EXPECT_FALSE(MayRetry(settings, question));
  settings.next_upstream |= config::kNextNonIdempotent;
  EXPECT_TRUE(MayRetry(settings, question));
}

TEST(RetryPolicy, NeverRepeatsABodyThatWasNotKept) {
  RetryQuestion question = Failed();
  question.body_is_gone = true;
  EXPECT_TRUE(MayRetry(config::ProxySettings(), question));
  question.request_begun = true;
  EXPECT_FALSE(MayRetry(config::ProxySettings(), question));
}

TEST(RetryPolicy, StopsAtTheTimeout) {
  config::ProxySettings settings;
  settings.next_upstream_timeout = Milliseconds(100);
  RetryQuestion question = Failed();
  question.first_started = CachedNow().steady - Milliseconds(99);
  EXPECT_TRUE(MayRetry(settings, question));
  question.first_started = CachedNow().steady - Milliseconds(100);
  EXPECT_FALSE(MayRetry(settings, question));
}

TEST(RetryPolicy, OffAllowsNothing) {
  config::ProxySettings settings;
  settings.next_upstream = config::kNextOff;
  EXPECT_FALSE(MayRetry(settings, Failed()));
}

}  // namespace
}  // namespace framewall::upstream
