// auth_jwt with key files: who comes in, what he is told, what variables say, what logs say.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/functional/auth_jwt_testing.h"

namespace framewall::test {
namespace {

class AuthJwt : public ::testing::Test {
 protected:
  // Starts with the issuer's keys in keys.json.
  void Start(const std::string& server, const std::string& http = "") {
    proxy_ = std::make_unique<ProxyProcess>(TokenServer(server, http));
    proxy_->directory().Write("keys.json", issuer_.KeySet());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  HttpMessage As(const std::string& token, const std::string& path = "/") const {
    return GetAs(port(), path, token);
  }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  FakeUpstream upstream_{FakeUpstream::Always(OkResponse())};
  std::unique_ptr<ProxyProcess> proxy_;
};

constexpr char kKeys[] = "auth_jwt_key_file %%DIR%%/keys.json;\n";

TEST_F(AuthJwt, RefusesWithAChallenge) {
  Start(std::string(kKeys) +
        "auth_jwt \"closed site\";\n"
        "location / { proxy_pass http://" +
        upstream_.address() +
        "; }\n"
        "location /open { auth_jwt off; proxy_pass http://" +
        upstream_.address() + "; }");
  const HttpMessage none = GetWith(port(), "/");
  EXPECT_EQ(none.status(), 401);
  EXPECT_EQ(none.Header("WWW-Authenticate"), "Bearer realm=\"closed site\"");
  EXPECT_EQ(GetWith(port(), "/", "Authorization: Basic YTpi\r\n").status(), 401);

  EXPECT_EQ(As(issuer_.TokenOf("ann")).status(), 200);
  EXPECT_EQ(
      GetWith(port(), "/", "authorization: bearer   " + issuer_.TokenOf("ann") + " \r\n").status(),
      200);
  EXPECT_EQ(GetWith(port(), "/open").status(), 200);

  const std::string expired = issuer_.TokenOf("ann", -10);
  const HttpMessage refused = As(expired);
  EXPECT_EQ(refused.status(), 401);
  EXPECT_EQ(refused.Header("WWW-Authenticate"),
            "Bearer realm=\"closed site\", error=\"invalid_token\"");
  EXPECT_TRUE(proxy_->WaitForLog("the token was refused: it has expired"));
  EXPECT_EQ(As("x" + issuer_.TokenOf("ann")).status(), 401);
  // Two of that field are no request: which one would the upstream believe?
  EXPECT_EQ(GetWith(port(), "/", Bearer(expired) + Bearer(issuer_.TokenOf("ann"))).status(), 400);
  EXPECT_EQ(As(TokenIssuer(jwt::Algorithm::kEs256).TokenOf("ann")).status(), 401);
  EXPECT_TRUE(proxy_->WaitForLog("its signature does not fit, ES256 with kid \"k1\""));
  EXPECT_EQ(As("eyJhbGciOiJub25lIn0.e30.").status(), 401);
  EXPECT_TRUE(proxy_->WaitForLog("its \"alg\" \"none\" is not supported"));
  // Nothing of a token in the log.
  EXPECT_EQ(proxy_->CountInLog(expired.substr(0, 20)), 0U);
  EXPECT_EQ(upstream_.requests().size(), 3U);
}

TEST_F(AuthJwt, ARealmIsAQuotedString) {
  Start(std::string(kKeys) + R"(auth_jwt "a \"b\" $arg_r"; location / { root %%DIR%%; })");
  EXPECT_EQ(GetWith(port(), "/?r=c").Header("WWW-Authenticate"), R"(Bearer realm="a \"b\" c")");
}

TEST_F(AuthJwt, TokensFromElsewhere) {
  const std::string pass = "proxy_pass http://" + upstream_.address() + ";";
  Start(std::string(kKeys) + "location /cookie { auth_jwt r token=$cookie_sid; " + pass +
        " }\n"
        "location /arg { auth_jwt r token=$arg_token; " +
        pass +
        " }\n"
        "location /field { auth_jwt r token=$http_x_token; " +
        pass + " }");
  const std::string token = issuer_.TokenOf("ann");
  EXPECT_EQ(GetWith(port(), "/cookie", "Cookie: a=b; sid=" + token + "\r\n").status(), 200);
  EXPECT_EQ(GetWith(port(), "/arg?token=" + token).status(), 200);
  EXPECT_EQ(GetWith(port(), "/field", "X-Token: " + token + "\r\n").status(), 200);
  // And only from there.
  for (const char* path : {"/cookie", "/arg", "/field"}) {
    EXPECT_EQ(As(token, path).status(), 401) << path;
  }
  // A log never shows it, whether it let somebody in or not.
  EXPECT_EQ(GetWith(port(), "/arg?token=" + token + "x").status(), 401);
  EXPECT_TRUE(proxy_->WaitForLog("GET /arg?token=*** HTTP/1.1\" 401", "access.log"));
  for (const char* log : {"access.log", "error.log"}) {
    EXPECT_EQ(proxy_->CountInLog(token, log), 0u) << log;
  }
}

TEST_F(AuthJwt, VariablesOfAVerifiedToken) {
  Start(std::string(kKeys) + "auth_jwt r; location / { proxy_pass http://" + upstream_.address() +
            R"(;
      proxy_set_header X-User $jwt_claim_sub;
      proxy_set_header X-Groups $jwt_claim_groups;
      proxy_set_header X-City $city;
      proxy_set_header X-Dotted $dotted;
      proxy_set_header X-Alg $jwt_header_alg;
      proxy_set_header X-Type $type;
      proxy_set_header X-Camel $jwt_claim_userid;
      proxy_set_header X-Payload $jwt_payload; })",
        "auth_jwt_claim_set $city address city; auth_jwt_claim_set $dotted a.b; "
        "auth_jwt_header_set $type typ;");
  const std::string claims =
      R"({"sub":"ann","groups":["a","b"],"address":{"city":"Kyiv"},"a.b":1.5,"userId":"u7"})";
  EXPECT_EQ(As(issuer_.Token(claims)).status(), 200);
  const HttpMessage request = upstream_.requests().at(0);
  EXPECT_EQ(request.Header("X-User"), "ann");
  EXPECT_EQ(request.Header("X-Groups"), "a,b");
  EXPECT_EQ(request.Header("X-City"), "Kyiv");
  EXPECT_EQ(request.Header("X-Dotted"), "1.5");
  EXPECT_EQ(request.Header("X-Alg"), "ES256");
  EXPECT_EQ(request.Header("X-Type"), "JWT");
  EXPECT_EQ(request.Header("X-Camel"), "u7");
  EXPECT_EQ(request.Header("X-Payload"), claims);
}

// A claim that an issuer lets its users choose must not become a field of its own.
TEST_F(AuthJwt, AClaimEndsNoLine) {
  Start(std::string(kKeys) + "auth_jwt r; location / { proxy_pass http://" + upstream_.address() +
        "; proxy_set_header X-Name $jwt_claim_name; }");
  EXPECT_EQ(As(issuer_.Token(R"({"name":"a\r\nX-Admin: 1\r\n\r\nGET /x HTTP/1.1"})")).status(),
            200);
  ASSERT_EQ(upstream_.requests().size(), 1U);
  EXPECT_EQ(upstream_.requests()[0].Header("X-Admin"), "");
  EXPECT_EQ(upstream_.requests()[0].Header("X-Name"), "a  X-Admin: 1    GET /x HTTP/1.1");
}

TEST_F(AuthJwt, VariablesAreEmptyUntilVerified) {
  Start(std::string(kKeys) + "location / { auth_jwt r; proxy_pass http://" + upstream_.address() +
            "; add_header X-Sub \"[$jwt_claim_sub]\" always; }\n"
            "location /off { auth_jwt off; proxy_pass http://" +
            upstream_.address() +
            "; proxy_set_header X-User \"[$jwt_claim_sub$jwt_header_alg$jwt_payload$who]\"; }\n"
            "location /any { satisfy any; allow all; auth_jwt r; proxy_pass http://" +
            upstream_.address() +
            "; add_header X-Sub \"[$jwt_claim_sub]\"; }\n"
            "location /early { set $early $jwt_claim_sub; auth_jwt r; proxy_pass http://" +
            upstream_.address() +
            "; add_header X-Sub \"[$early][$jwt_claim_sub]\"; }\n"
            "location /moved { auth_jwt r; proxy_pass http://127.0.0.1:1; error_page 502 /late; }\n"
            "location /late { auth_jwt off; proxy_pass http://" +
            upstream_.address() + "; add_header X-Sub \"[$jwt_claim_sub]\" always; }",
        "auth_jwt_claim_set $who sub; log_format who \"$uri $status $jwt_claim_sub $who\"; "
        "access_log %%DIR%%/who.log who;");
  const std::string token = issuer_.TokenOf("ann");
  EXPECT_EQ(As(token).Header("X-Sub"), "[ann]");
  EXPECT_EQ(As(issuer_.TokenOf("ann", -1)).Header("X-Sub"), "[]");
  EXPECT_EQ(As(token, "/off").status(), 200);
  EXPECT_EQ(upstream_.requests().at(1).Header("X-User"), "[]");
  EXPECT_EQ(As(token, "/any").Header("X-Sub"), "[]");
  EXPECT_EQ(As(token, "/early").Header("X-Sub"), "[][ann]");
  EXPECT_EQ(As(token, "/moved").Header("X-Sub"), "[]");
  EXPECT_TRUE(
      proxy_->WaitForLog("/ 200 ann ann\n/ 401 - -\n/off 200 - -\n/any 200 - -\n"
                         "/early 200 ann ann\n/late 502 - -\n",
                         "who.log"))
      << proxy_->Log("who.log");
}

// A map that was asked too early must not keep what it said then.
TEST_F(AuthJwt, MapsAreAskedAgainAfterVerification) {
  Start(std::string(kKeys) +
            "location / { auth_jwt r; set $early $role; auth_jwt_require $role; "
            "proxy_pass http://" +
            upstream_.address() + "; add_header X-Role \"[$early][$role]\" always; }",
        "map $jwt_claim_sub $level { ann boss; default \"\"; } "
        "map $level $role { boss \"${level}:1\"; default \"\"; }");
  EXPECT_EQ(As(issuer_.TokenOf("ann")).Header("X-Role"), "[][boss:1]");
  EXPECT_EQ(As(issuer_.TokenOf("bob")).status(), 401);
}

TEST_F(AuthJwt, Require) {
  const std::string pass = "proxy_pass http://" + upstream_.address() + ";";
  Start(std::string(kKeys) +
            "auth_jwt r; auth_jwt_require $iss_ok;\n"
            "location / { " +
            pass +
            " }\n"
            "location /two { auth_jwt_require $iss_ok $aud_ok; auth_jwt_require $jwt_claim_admin "
            "error=403; " +
            pass + " add_header X-Sub \"[$jwt_claim_sub]\" always; }",
        "map $jwt_claim_iss $iss_ok { https://us 1; default 0; } "
        "map $jwt_claim_aud $aud_ok { ~(^|,)api(,|$) 1; default \"\"; }");
  const auto status = [&](const std::string& path, const std::string& claims) {
    return As(issuer_.Token(claims), path).status();
  };
  EXPECT_EQ(status("/", R"({"iss":"https://us"})"), 200);
  EXPECT_EQ(status("/", R"({"iss":"https://them"})"), 401);
  EXPECT_EQ(status("/", R"({})"), 401);
  EXPECT_EQ(status("/two", R"({"iss":"https://us","aud":"api","admin":true})"), 200);
  EXPECT_EQ(status("/two", R"({"iss":"https://us","aud":["x","api"],"admin":1})"), 200);
  EXPECT_EQ(status("/two", R"({"iss":"https://us","aud":"apis","admin":true})"), 401);
  for (const char* admin : {"false", "0", "\"\"", "null", "\"0\"", "\"false\""}) {
    EXPECT_EQ(
        status("/two", R"({"iss":"https://us","aud":"api","admin":)" + std::string(admin) + "}"),
        403)
        << admin;
  }
  const HttpMessage refused =
      As(issuer_.Token(R"({"sub":"ann","iss":"https://us","aud":"api"})"), "/two");
  EXPECT_EQ(refused.status(), 403);
  EXPECT_EQ(refused.Header("X-Sub"), "[]");
  EXPECT_EQ(refused.CountHeaders("WWW-Authenticate"), 0U);
  EXPECT_TRUE(proxy_->WaitForLog("auth_jwt_require $jwt_claim_admin does not hold"));
  EXPECT_EQ(As(issuer_.Token("{}")).Header("WWW-Authenticate"),
            "Bearer realm=\"r\", error=\"invalid_token\"");
}

TEST_F(AuthJwt, Satisfy) {
  const std::string pass = "auth_jwt r; proxy_pass http://" + upstream_.address() + ";";
  Start(std::string(kKeys) + "location /all { allow 127.0.0.1; deny all; " + pass +
        " }\n"
        "location /none { deny all; " +
        pass +
        " }\n"
        "location /any { satisfy any; deny all; " +
        pass +
        " }\n"
        "location /first { satisfy any; allow 127.0.0.1; deny all; " +
        pass +
        " }\n"
        "location /password { satisfy any; auth_basic b; auth_basic_user_file %%DIR%%/users; " +
        pass + " }");
  proxy_->directory().Write("users", "u:{PLAIN}p\n");
  const std::string token = issuer_.TokenOf("ann");
  EXPECT_EQ(As(token, "/all").status(), 200);
  EXPECT_EQ(GetWith(port(), "/all").status(), 401);
  EXPECT_EQ(As(token, "/none").status(), 403);
  EXPECT_EQ(As(token, "/any").status(), 200);
  EXPECT_EQ(GetWith(port(), "/any").status(), 401);
  EXPECT_EQ(GetWith(port(), "/any").Header("WWW-Authenticate"), "Bearer realm=\"r\"");
  EXPECT_EQ(GetWith(port(), "/first").status(), 200);
  EXPECT_EQ(As(token, "/password").status(), 200);
  EXPECT_EQ(As(token, "/password").CountHeaders("WWW-Authenticate"), 0U);
  EXPECT_EQ(GetWith(port(), "/password", "Authorization: Basic dTpw\r\n").status(), 200);
  EXPECT_EQ(GetWith(port(), "/password", "Authorization: Basic dTpx\r\n").status(), 401);
}

TEST_F(AuthJwt, Leeway) {
  Start(std::string(kKeys) + "auth_jwt r; auth_jwt_leeway 60s; location / { proxy_pass http://" +
        upstream_.address() + "; }\nlocation /strict { auth_jwt_leeway 0; proxy_pass http://" +
        upstream_.address() + "; }");
  const std::string late = issuer_.TokenOf("ann", -20);
  // The same token, verified and kept, is judged anew in each location.
  EXPECT_EQ(As(late).status(), 200);
  EXPECT_EQ(As(late, "/strict").status(), 401);
  EXPECT_EQ(As(late).status(), 200);
  EXPECT_EQ(As(issuer_.TokenOf("ann", -70)).status(), 401);
}

TEST_F(AuthJwt, ATokenIsNotKeptBeyondItsEnd) {
  Start(std::string(kKeys) + "auth_jwt r; location / { proxy_pass http://" + upstream_.address() +
        "; }");
  const std::string token = issuer_.TokenOf("ann", 2);
  EXPECT_EQ(As(token).status(), 200);
  EXPECT_TRUE(Eventually([&] { return As(token).status() == 401; }));
  EXPECT_TRUE(proxy_->WaitForLog("it has expired"));
}

TEST_F(AuthJwt, SeveralFilesAndKeysAfterAReload) {
  const TokenIssuer other(jwt::Algorithm::kEdDsa, "k2");
  const TokenIssuer next(jwt::Algorithm::kPs256, "k3");
  Start(std::string(kKeys) +
        "auth_jwt_key_file %%DIR%%/keys.json; auth_jwt r; location / { "
        "proxy_pass http://" +
        upstream_.address() + "; }");
  EXPECT_EQ(As(issuer_.TokenOf("ann")).status(), 200);
  EXPECT_EQ(As(other.TokenOf("ann")).status(), 401);
  proxy_->directory().Write("keys.json", KeySetOf({other.Jwk(), next.Jwk()}));
  EXPECT_EQ(As(other.TokenOf("ann")).status(), 401);
  ASSERT_TRUE(proxy_->Reload()) << proxy_->Output();
  EXPECT_EQ(As(other.TokenOf("ann")).status(), 200);
  EXPECT_EQ(As(next.TokenOf("ann")).status(), 200);
  EXPECT_EQ(As(issuer_.TokenOf("ann")).status(), 401);
  // A broken file leaves the old keys in place.
  proxy_->directory().Write("keys.json", "{");
  proxy_->Signal(SIGHUP);
  EXPECT_TRUE(proxy_->WaitForLog("keys.json\": no JSON Web Key Set, line 1, column 1"));
  EXPECT_EQ(As(other.TokenOf("ann")).status(), 200);
}

TEST_F(AuthJwt, WithoutKeysNobodyPasses) {
  Start("auth_jwt r; location / { proxy_pass http://" + upstream_.address() + "; }");
  EXPECT_EQ(As(issuer_.TokenOf("ann")).status(), 500);
  EXPECT_TRUE(proxy_->WaitForLog("nobody may pass"));
}

// --- The configuration ---

// What -t says of one server.
std::string Verdict(const std::string& server, const std::string& http = "",
                    const std::string& keys = "{}") {
  ProxyProcess proxy(TokenServer(server, http));
  proxy.directory().Write("keys.json", keys);
  return proxy.Run({"-t"}).output;
}

TEST(AuthJwtConfig, KeyFilesAreReadAtTheStart) {
  EXPECT_NE(
      Verdict("auth_jwt_key_file %%DIR%%/none.json;").find("none.json\": open() failed (2: No"),
      std::string::npos);
  const std::string malformed = Verdict(kKeys, "", "{\"keys\":\n[{]}");
  EXPECT_NE(malformed.find("keys.json\": no JSON Web Key Set, line 2, column 3: it is not valid "
                           "JSON in "),
            std::string::npos)
      << malformed;
  EXPECT_NE(malformed.find("nginx.conf:"), std::string::npos) << malformed;
  const std::string useless = Verdict(kKeys, "", R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})");
  EXPECT_NE(useless.find("not used: key 1: it has 5 octets"), std::string::npos) << useless;
  EXPECT_NE(useless.find("no key in it can be used to verify"), std::string::npos) << useless;
  EXPECT_EQ(useless.find("c2hvcnQ"), std::string::npos);
}

TEST(AuthJwtConfig, WhatIsNotServedIsRefused) {
  const auto refuses = [](const std::string& line, const std::string& why) {
    const std::string output = Verdict(line);
    EXPECT_NE(output.find(why), std::string::npos) << output;
    EXPECT_EQ(output.find("test is successful"), std::string::npos) << output;
  };
  refuses("auth_jwt_type encrypted;", "only signed tokens are read");
  refuses("auth_jwt_type nested;", "only signed tokens are read");
  refuses("auth_jwt_type other;", "it must be \"signed\"");
  refuses("auth_jwt r token=x;", "REALM token=$variable");
  refuses("auth_jwt r tokens=$arg_x;", "REALM token=$variable");
  refuses("auth_jwt off token=$arg_x;", "REALM token=$variable");
  refuses("auth_jwt \"\";", "REALM [token=$variable] or off");
  refuses("auth_jwt_key_file $arg_file;", "without variables");
  refuses("auth_jwt_key_request keys;", "a URI that begins with \"/\"");
  refuses("auth_jwt_require admin;", "begins with a variable");
  refuses("auth_jwt_require x$jwt_claim_admin;", "begins with a variable");
  refuses("auth_jwt_require $jwt_claim_admin error=404;", "[error=401|403]");
  refuses("auth_jwt_require error=401;", "[error=401|403]");
  refuses("auth_jwt_claim_set $x sub;", "is not allowed here");
  refuses("websocket_auth_message auth type=type;", "NAME [type=/POINTER]");
  refuses("websocket_auth_message auth token=/a~2b;", "NAME [type=/POINTER]");
  refuses("set $jwt_claim_sub x;", "the duplicate \"jwt_claim_sub\" variable");
  EXPECT_NE(Verdict("", "auth_jwt_claim_set $x sub; auth_jwt_claim_set $x iss;")
                .find("the duplicate \"x\" variable"),
            std::string::npos);
  EXPECT_NE(Verdict("", "auth_jwt_claim_set $jwt_payload sub;").find("duplicate \"jwt_payload\""),
            std::string::npos);
}

}  // namespace
}  // namespace framewall::test
