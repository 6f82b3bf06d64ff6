#include "proxy/filter/auth_basic.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "proxy/filter/password_checks.h"
#include "proxy/filter/services.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using Kind = Verdict::Kind;

class AuthBasic : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Write("conf/users", "# comment\nother:{PLAIN}x\n\nuser:{PLAIN}good:note\r\nlast:{PLAIN}end");
    Load(
        "server { listen 8080; auth_basic_user_file DIR/conf/users;"
        " location /a { auth_basic \"closed $host\"; } location /off { auth_basic off; }"
        " location /missing { auth_basic x; auth_basic_user_file DIR/nothing; }"
        " location /folder { auth_basic x; auth_basic_user_file DIR/conf; }"
        " location /hashed { auth_basic x; auth_basic_user_file DIR/conf/hashed;"
        " auth_basic_cache off; } location /mixed { auth_basic x;"
        " auth_basic_user_file DIR/conf/mixed; } }");
    // "password" each.
    Write("conf/hashed", std::string("user:") + kHash + "\nbroken:$9$x\n");
    Write("conf/mixed", std::string("one:") + kHash + "\ntwo:" + kHash + "\nthree:{PLAIN}x\n");
    services_.passwords = &checks_;
    checks_.count = [this](std::string_view outcome) { counted_.append(outcome).append(" "); };
  }
  Verdict With(std::string_view credentials, std::string_view location = "/a") {
    return WithField("Basic " + Base64Encode(credentials), location);
  }
  Verdict WithField(std::string field, std::string_view location = "/a") {
    return Ask(Request(location, "/", {{"Authorization", std::move(field)}}));
  }
  // The verdict, after the wait if there is one.
  Verdict Ask(exchange::Exchange& exchange) {
    auto filter = MakeAuthBasic(exchange, services_);
    if (filter == nullptr) return Verdict::Continue();
    const Verdict verdict = filter->OnRequestHead(exchange);
    has_waited_ = verdict.kind == Kind::kPause;
    if (!has_waited_) return verdict;
    for (int i = 0; i < 500 && driver().calls.empty(); ++i) {
      driver().loop().RunOnce(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(driver().calls, std::vector<std::string>{"resume"});
    return filter->OnResumed(exchange);
  }

  static constexpr char kHash[] =
      "$5$rounds=1000$saltsalt$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9";
  FilterServices services_;
  PasswordChecks checks_{driver().loop(), {.threads = 1, .queue = 1}};
  bool has_waited_ = false;
  std::string counted_;
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
  EXPECT_EQ(Ask(Request("/a", "/")).status, 401);
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
  EXPECT_EQ(Ask(Request("/off", "/")).kind, Kind::kContinue);
  EXPECT_EQ(Ask(Request("", "/")).kind, Kind::kContinue);
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

TEST_F(AuthBasic, WaitsForAHash) {
  EXPECT_EQ(With("user:password", "/hashed").kind, Kind::kSatisfied);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(Field("WWW-Authenticate"), "-");
  EXPECT_EQ(With("user:Password", "/hashed").status, 401);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(Field("WWW-Authenticate"), "Basic realm=\"x\"");
  EXPECT_EQ(log(), "[error] user \"user\": password mismatch\n");
  // auth_basic_cache off.
  EXPECT_EQ(With("user:password", "/hashed").kind, Kind::kSatisfied);
  EXPECT_TRUE(has_waited_);
}

TEST_F(AuthBasic, RemembersARightPasswordUntilTheFileChanges) {
  EXPECT_EQ(With("one:password", "/mixed").kind, Kind::kSatisfied);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(With("one:password", "/mixed").kind, Kind::kSatisfied);
  EXPECT_FALSE(has_waited_);
  EXPECT_EQ(With("two:password", "/mixed").kind, Kind::kSatisfied);
  EXPECT_TRUE(has_waited_);
  Write("conf/mixed", "one:$5$rounds=1000$saltsalt$x\n");
  EXPECT_EQ(With("one:password", "/mixed").status, 401);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(With("two:password", "/mixed").status, 401);
}

TEST_F(AuthBasic, AnUnknownUserTakesAsLongAsMostOthers) {
  EXPECT_EQ(With("nobody:password", "/mixed").status, 401);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(log(), "[error] user \"nobody\" was not found in \"" + folder() + "/conf/mixed\"\n");
  EXPECT_EQ(With("nobody:password", "/mixed").status, 401);
  EXPECT_TRUE(has_waited_);
  EXPECT_EQ(With("three:x", "/mixed").kind, Kind::kSatisfied);
  EXPECT_FALSE(has_waited_);
  EXPECT_EQ(With("nobody:good").status, 401);
  EXPECT_FALSE(has_waited_);
}

TEST_F(AuthBasic, AnEntryThatIsNoHashLetsNobodyIn) {
  EXPECT_EQ(With("broken:x", "/hashed").status, 401);
  EXPECT_EQ(log(), "[error] user \"broken\": what \"" + folder() +
                       "/conf/hashed\" has for him is no password hash that is known here\n");
}

TEST_F(AuthBasic, RefusesAPasswordThatIsTooLong) {
  const std::string longest(511, 'x');
  Write("conf/users", "user:{PLAIN}" + longest + "\n");
  EXPECT_EQ(With("user:" + longest).kind, Kind::kSatisfied);
  Write("conf/users", "user:{PLAIN}" + longest + "x\n");
  EXPECT_EQ(With("user:" + longest + "x").status, 401);
  EXPECT_EQ(log(), "[error] user \"user\": a password of 512 octets is too long\n");
}

TEST_F(AuthBasic, RefusesWhereTooManyWait) {
  const auto begin = [this](std::string_view password) {
    auto& exchange =
        Request("/hashed", "/",
                {{"Authorization", "Basic " + Base64Encode("user:" + std::string(password))}});
    auto filter = MakeAuthBasic(exchange, services_);
    return std::pair(filter->OnRequestHead(exchange), std::move(filter));
  };
  const auto first = begin("a");
  const auto second = begin("b");
  EXPECT_EQ(first.first.kind, Kind::kPause);
  EXPECT_EQ(second.first.kind, Kind::kPause);
  EXPECT_EQ(begin("c").first.status, 503);
  EXPECT_EQ(log(), "[error] user \"user\": too many passwords wait to be checked\n");
  EXPECT_EQ(counted_, "refused ");
}

TEST_F(AuthBasic, NobodyIsResumedAfterTheEnd) {
  auto& exchange =
      Request("/hashed", "/", {{"Authorization", "Basic " + Base64Encode("user:password")}});
  auto filter = MakeAuthBasic(exchange, services_);
  EXPECT_EQ(filter->OnRequestHead(exchange).kind, Kind::kPause);
  filter->OnLog(exchange);
  for (int i = 0; i < 5; ++i) driver().loop().RunOnce(std::chrono::milliseconds(20));
  EXPECT_TRUE(driver().calls.empty());
}

}  // namespace
}  // namespace framewall::filter
