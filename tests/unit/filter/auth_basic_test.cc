#include "proxy/filter/auth_basic.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "proxy/filter/password.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using Kind = Verdict::Kind;

TEST(PasswordFits, KnowsItsSchemes) {
  // "password" each, made by openssl.
  for (const char* stored :
       {"{PLAIN}password", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb."}) {
    EXPECT_EQ(PasswordFits("password", stored), true) << stored;
    EXPECT_EQ(PasswordFits("Password", stored), false) << stored;
    EXPECT_EQ(PasswordFits("", stored), false) << stored;
    EXPECT_EQ(PasswordFits(std::string_view("password\0x", 10), stored), false) << stored;
  }
}

TEST(PasswordFits, ReadsApr1OfEveryLength) {
  EXPECT_EQ(PasswordFits("", "$apr1$x$tMwYqBfQwi3FYAr0aJc8M/"), true);
  EXPECT_EQ(PasswordFits("a password that is longer than sixteen octets",
                         "$apr1$12345678$i9HuSHRdXg0FyZl0hB8710"),
            true);
}

TEST(PasswordFits, ReadsCryptHashes) {
  EXPECT_EQ(PasswordFits("password",
                         "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9"
                         "YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"),
            true);
  EXPECT_EQ(PasswordFits("x", ""), false);
  EXPECT_EQ(PasswordFits("*0", "*0"), false);
  EXPECT_EQ(PasswordFits("x", "plain"), false);
}

TEST(PasswordFits, RefusesBrokenSaltedSha1) {
  EXPECT_EQ(PasswordFits("password", "{SSHA}"), false);
  EXPECT_EQ(PasswordFits("password", "{SSHA}____"), false);
  EXPECT_EQ(PasswordFits("password", "{SSHA}AAAA"), false);
}

class AuthBasic : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Write("conf/users", "# comment\nother:{PLAIN}x\n\nuser:{PLAIN}good:note\r\nlast:{PLAIN}end");
    Load(
        "server { listen 8080; auth_basic_user_file DIR/conf/users;"
        " location /a { auth_basic \"closed $host\"; } location /off { auth_basic off; }"
        " location /missing { auth_basic x; auth_basic_user_file DIR/nothing; }"
        " location /folder { auth_basic x; auth_basic_user_file DIR/conf; }"
        " }");
  }
  Verdict With(std::string_view credentials, std::string_view location = "/a") {
    return WithField("Basic " + Base64Encode(credentials), location);
  }
  Verdict WithField(std::string field, std::string_view location = "/a") {
    return CheckAuthBasic(Request(location, "/", {{"Authorization", std::move(field)}}));
  }
};

TEST_F(AuthBasic, LetsTheRightPasswordPass) {
  EXPECT_EQ(With("user:good").kind, Kind::kSatisfied);
  EXPECT_EQ(exchange().remote_user, "user");
  EXPECT_EQ(Field("WWW-Authenticate"), "-");
  EXPECT_EQ(With("last:end").kind, Kind::kSatisfied);
  EXPECT_EQ(log(), "");
}

TEST_F(AuthBasic, ChallengesForAWrongPassword) {
  EXPECT_EQ(With("user:bad").status, 401);
  EXPECT_EQ(Field("WWW-Authenticate"), "Basic realm=\"closed localhost\"");
  EXPECT_EQ(log(), "[error] user \"user\": password mismatch\n");
  EXPECT_EQ(With("user:good:note").status, 401);
  EXPECT_EQ(With("user:").status, 401);
}

TEST_F(AuthBasic, ChallengesForAnUnknownUser) {
  EXPECT_EQ(With("nobody:good").status, 401);
  EXPECT_EQ(log(), "[error] user \"nobody\" was not found in \"" + folder() + "/conf/users\"\n");
  EXPECT_EQ(With("use:good").status, 401);
  EXPECT_EQ(With("users:good").status, 401);
  EXPECT_EQ(With("# comment\nother:x").status, 401);
}

TEST_F(AuthBasic, ChallengesWithoutCredentials) {
  for (const char* field : {"", "Basic", "Basic ", "Basic ====", "Bearer abc",
                            "Basic dXNlcg==", "Basic OmFi", "Basic !!!!", "Basic dXNlc"}) {
    EXPECT_EQ(WithField(field).status, 401) << field;
  }
  EXPECT_EQ(CheckAuthBasic(Request("/a", "/")).status, 401);
  EXPECT_NE(log().find("[info] no user/password was provided for basic authentication\n"),
            std::string::npos);
}

TEST_F(AuthBasic, ReadsTheFieldAsLenientlyAsNginx) {
  // "user:good" needs no padding, "last:end" needs one '='.
  EXPECT_EQ(WithField("basic  dXNlcjpnb29k ").kind, Kind::kSatisfied);
  EXPECT_EQ(WithField("Basic bGFzdDplbmQ").kind, Kind::kSatisfied);
  EXPECT_EQ(WithField("Basic bGFzdDplbmQ=").kind, Kind::kSatisfied);
}

TEST_F(AuthBasic, IsOffWhereTheRealmSaysSo) {
  EXPECT_EQ(CheckAuthBasic(Request("/off", "/")).kind, Kind::kContinue);
  EXPECT_EQ(CheckAuthBasic(Request("", "/")).kind, Kind::kContinue);
}

TEST_F(AuthBasic, TellsAMissingFileFromABrokenOne) {
  EXPECT_EQ(With("user:good", "/missing").status, 403);
  EXPECT_EQ(log(),
            "[error] open() \"" + folder() + "/nothing\" failed (2: No such file or directory)\n");
  EXPECT_EQ(With("user:good", "/folder").status, 500);
}

TEST_F(AuthBasic, NobodyPassesWithoutAUserFile) {
  Load("server { listen 8080; auth_basic x; }");
  EXPECT_EQ(With("user:good", "").status, 403);
}

}  // namespace
}  // namespace framewall::filter
