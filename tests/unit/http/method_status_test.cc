#include <gtest/gtest.h>

#include "proxy/http/message.h"
#include "proxy/http/method.h"
#include "proxy/http/status.h"

namespace framewall::http {
namespace {

TEST(Method, IsFoundByItsExactName) {
  for (Method method : {Method::kGet, Method::kHead, Method::kPost, Method::kPatch,
                        Method::kProppatch, Method::kUnlock}) {
    EXPECT_EQ(FindMethod(MethodName(method)), method);
  }
  EXPECT_EQ(FindMethod("DELETE"), Method::kDelete);
  EXPECT_EQ(FindMethod("get"), Method::kOther);
  EXPECT_EQ(FindMethod("FOO"), Method::kOther);
  EXPECT_EQ(FindMethod(""), Method::kOther);
}

TEST(Method, KnowsWhatMayBeRepeated) {
  EXPECT_TRUE(IsIdempotent(Method::kGet));
  EXPECT_TRUE(IsIdempotent(Method::kPut));
  EXPECT_TRUE(IsIdempotent(Method::kDelete));
  EXPECT_FALSE(IsIdempotent(Method::kPost));
  EXPECT_FALSE(IsIdempotent(Method::kPatch));
  EXPECT_FALSE(IsIdempotent(Method::kLock));
  EXPECT_FALSE(IsIdempotent(Method::kOther));
}

TEST(Status, SpeaksWithNginxsWords) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(302), "Moved Temporarily");
  EXPECT_EQ(ReasonPhrase(408), "Request Time-out");
  EXPECT_EQ(ReasonPhrase(503), "Service Temporarily Unavailable");
  EXPECT_EQ(ReasonPhrase(599), "");
}

TEST(Version, HasAName) { EXPECT_EQ(VersionName(Version::kHttp10), "HTTP/1.0"); }

}  // namespace
}  // namespace framewall::http
