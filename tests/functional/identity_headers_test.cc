// Fields that tell an upstream who the user is: nobody outside can write them.
#include <gtest/gtest.h>

#include "tests/functional/auth_jwt_testing.h"

namespace framewall::test {
namespace {

class IdentityHeaders : public ::testing::Test {
 protected:
  void Start(const std::string& http = "", const std::string& location = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        TokenServer("location / { auth_jwt r; auth_jwt_key_file %%DIR%%/keys.json; " + location +
                        " include " FW_SOURCE_DIR
                        "/conf/snippets/identity_headers.conf; proxy_set_header X-User "
                        "$jwt_claim_sub; proxy_pass http://" +
                        upstream_.address() + "; }",
                    http));
    proxy_->directory().Write("keys.json", issuer_.KeySet());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  // What the upstream gets of a request of Ann's with these fields.
  HttpMessage Seen(const std::string& fields, const std::string& claims = R"({"sub":"ann"})") {
    const size_t before = upstream_.requests().size();
    const HttpMessage answer =
        GetWith(proxy_->port(0), "/", Bearer(issuer_.Token(claims)) + fields);
    EXPECT_EQ(answer.status(), 200);
    const auto requests = upstream_.requests();
    EXPECT_EQ(requests.size(), before + 1);
    return requests.empty() ? HttpMessage() : requests.back();
  }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  FakeUpstream upstream_{FakeUpstream::Always(OkResponse())};
  std::unique_ptr<ProxyProcess> proxy_;
};

// Octets of `request` that a forger would have wanted there.
void ExpectOnlyAnn(const HttpMessage& request, const std::string& fields) {
  EXPECT_EQ(request.raw.find("root"), std::string::npos) << fields << request.raw;
  EXPECT_EQ(request.CountHeaders("X-User"), 1U) << fields;
  EXPECT_EQ(request.Header("X-User"), "ann") << fields;
}

const char* const kForgeries[] = {
    "X-User: root\r\n",
    "x-uSER: root\r\n",
    "X-User: root\r\nX-User: root\r\n",
    "X-User: \r\nX-User: root\r\n",
    "X_User: root\r\n",
    "x_user: root\r\n",
    "X-User_: root\r\n",
    "X-Remote-User: root\r\nRemote-User: root\r\nRemote_User: root\r\n",
    "X-Forwarded-User: root\r\nX_Forwarded_User: root\r\nX-Forwarded-Email: root\r\n",
    "X-Auth-Request-User: root\r\nX_Auth_Request_Groups: root\r\n",
    "X-Webauth-User: root\r\n",
    // Nominated for the first hop only: it must not take away what we set.
    "Connection: X-User\r\n",
    "Connection: close, X-User, X_User\r\nX-User: root\r\n",
    "Connection: keep-alive, x-user\r\n",
};

TEST_F(IdentityHeaders, CannotBeForged) {
  Start();
  for (const char* fields : kForgeries) ExpectOnlyAnn(Seen(fields), fields);
}

TEST_F(IdentityHeaders, CannotBeForgedWhereUnderscoresPass) {
  Start("underscores_in_headers on;");
  for (const char* fields : kForgeries) {
    if (std::string_view(fields).find("X-User_") != std::string_view::npos) continue;
    ExpectOnlyAnn(Seen(fields), fields);
  }
  // The control: it is the snippet that clears them, another name passes.
  EXPECT_EQ(Seen("X_Other: root\r\n").Header("X_Other"), "root");
}

TEST_F(IdentityHeaders, ATokenWithoutTheClaimLeavesNone) {
  Start();
  const HttpMessage request = Seen("X-User: root\r\n", "{}");
  EXPECT_EQ(request.CountHeaders("X-User"), 0U);
  EXPECT_EQ(request.raw.find("root"), std::string::npos);
}

TEST_F(IdentityHeaders, NorThroughATrailer) {
  Start("", "proxy_http_version 1.1; proxy_request_buffering off;");
  RawClient client(proxy_->port(0));
  client.Send("POST / HTTP/1.1\r\nHost: a\r\n" + Bearer(issuer_.Token(R"({"sub":"ann"})")) +
              "TE: trailers\r\nTrailer: X-User\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\na\r\n0\r\nX-User: root\r\nX_User: root\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status(), 200);
  ASSERT_EQ(upstream_.requests().size(), 1U);
  ExpectOnlyAnn(upstream_.requests()[0], "trailer");
}

}  // namespace
}  // namespace framewall::test
