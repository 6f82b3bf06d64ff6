#include "proxy/filter/auth_request.h"

#include <gtest/gtest.h>

#include "proxy/filter/services.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::filter {
namespace {

using exchange::SubrequestAnswer;
using Kind = Verdict::Kind;

class AuthRequestFilter : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Load(
        "server { listen 8080; auth_request /auth;"
        " auth_request_set $user $upstream_http_x_user;"
        " location /a { add_header X-User \"$user\"; } location /off { auth_request off; } }");
    Begin();
  }
  void Begin() {
    filter_.reset();
    driver().subrequests.clear();
    asked_ = &Request("/a", "/a/b");
    filter_ = MakeAuthRequest(*asked_, services_);
    first_ = filter_->OnRequestHead(*asked_);
  }

  // The subrequest says `answer`, or its upstream has answered with `status` and `fields`.
  void Answer(const SubrequestAnswer& answer) {
    ASSERT_EQ(driver().subrequests.size(), 1u);
    std::exchange(driver().subrequests[0].callback, nullptr)(answer);
  }
  void Answer(int status, std::vector<std::pair<std::string, std::string>> fields = {}) {
    exchange::Exchange subrequest(asked_->config, asked_->variables, asked_->connection);
    subrequest.BeginAsSubrequest(*asked_, "/auth", "");
    http::ResponseHead head(&subrequest.arena);
    head.status = status;
    for (const auto& [name, value] : fields) head.fields.Add(name, value);
    subrequest.upstream_head = &head;
    subrequest.response.status = status;
    subrequest.head_sent = true;
    if (show_fields_) subrequest.response.fields = head.fields;
    SubrequestAnswer answer;
    answer.status = status;
    answer.exchange = &subrequest;
    Answer(answer);
  }
  Verdict verdict() { return filter_->OnResumed(*asked_); }
  // What auth_request_set has made of it.
  std::string User() {
    return std::string(asked_->Expand(asked_->settings().headers.add_header[0].value));
  }

  FilterServices services_;
  exchange::Exchange* asked_ = nullptr;
  std::unique_ptr<Filter> filter_;
  Verdict first_;
  bool show_fields_ = true;
};

TEST_F(AuthRequestFilter, IsOffWhereItSaysSo) {
  EXPECT_EQ(MakeAuthRequest(Request("/off", "/"), services_), nullptr);
}

TEST_F(AuthRequestFilter, AsksAndWaits) {
  EXPECT_EQ(first_.kind, Kind::kPause);
  EXPECT_EQ(driver().calls, std::vector<std::string>{"subrequest /auth"});
  EXPECT_FALSE(driver().subrequests[0].alive.expired());
  Answer(204);
  EXPECT_EQ(driver().calls.back(), "resume");
  EXPECT_TRUE(driver().subrequests[0].alive.expired());
}

TEST_F(AuthRequestFilter, GrantsForEverythingFrom200To299) {
  for (const int status : {200, 204, 299}) {
    Begin();
    Answer(status, {{"X-User", "u"}});
    EXPECT_EQ(verdict().kind, Kind::kSatisfied) << status;
    EXPECT_EQ(User(), "u");
  }
  EXPECT_EQ(log(), "");
}

TEST_F(AuthRequestFilter, AnyOtherStatusIsAnError) {
  for (const int status : {199, 300, 302, 304, 400, 402, 404, 500, 502}) {
    Begin();
    Answer(status, {{"X-User", "u"}});
    EXPECT_EQ(verdict().status, 500) << status;
    EXPECT_NE(log().find("[error] auth request unexpected status: " + std::to_string(status)),
              std::string::npos);
  }
}

TEST_F(AuthRequestFilter, RefusesWithWhatTheSubrequestSays) {
  Answer(403, {{"X-User", "u"}, {"WWW-Authenticate", "Basic"}});
  EXPECT_EQ(verdict().status, 403);
  EXPECT_EQ(Field("WWW-Authenticate"), "-");
  EXPECT_EQ(User(), "u");
  Begin();
  Answer(401, {{"WWW-Authenticate", "Basic"}, {"WWW-Authenticate", "Bearer"}});
  EXPECT_EQ(verdict().status, 401);
  EXPECT_EQ(asked_->response.fields.Joined(http::FieldId::kWwwAuthenticate), "Basic, Bearer");
  EXPECT_EQ(User(), "");
}

TEST_F(AuthRequestFilter, FindsAChallengeThatTheResponseHides) {
  show_fields_ = false;
  Answer(401, {{"WWW-Authenticate", "Basic"}});
  EXPECT_EQ(Field("WWW-Authenticate"), "Basic");
}

TEST_F(AuthRequestFilter, AFailureIsAnError) {
  SubrequestAnswer answer;
  answer.failure = "it broke";
  Answer(answer);
  EXPECT_EQ(verdict().status, 500);
  EXPECT_EQ(log(), "[error] auth request failed: it broke\n");
}

TEST_F(AuthRequestFilter, EndsItsSubrequestWithTheExchange) {
  filter_->OnLog(*asked_);
  EXPECT_TRUE(driver().subrequests[0].alive.expired());
  Begin();
  filter_.reset();
  EXPECT_TRUE(driver().subrequests[0].alive.expired());
}

}  // namespace
}  // namespace framewall::filter
