// What browsers need besides: cookies, Origin, the CSRF token.
#include <gtest/gtest.h>

#include "tests/support/backend_accounts.h"

namespace framewall::test {
namespace {

constexpr std::string_view kOrigin = "Origin: https://chat.example\r\n";

// "NAME=VALUE" of the answer's Set-Cookie of that name.
std::string CookieOf(const HttpMessage& message, std::string_view name) {
  for (const auto& [field, value] : message.headers) {
    if ((field == "set-cookie" || field == "Set-Cookie") &&
        value.starts_with(std::string(name) + "=")) {
      return value.substr(0, value.find(';'));
    }
  }
  return {};
}

std::string AttributesOf(const HttpMessage& message, std::string_view name) {
  for (const auto& [field, value] : message.headers) {
    if ((field == "set-cookie" || field == "Set-Cookie") &&
        value.starts_with(std::string(name) + "=")) {
      return value.substr(value.find(';') + 2);
    }
  }
  return {};
}

class BrowserTest : public testing::Test {
 protected:
  void SetUp() override { Start("https://chat.example"); }
  void Start(const std::string& public_url) {
    backend = std::make_unique<BackendProcess>("server: {public_url: \"" + public_url +
                                               "\"}\naccounts: {registration_open: true}\n");
    ASSERT_TRUE(backend->Start()) << backend->Output();
    ASSERT_EQ(Register(*backend, "ann").status(), 201);
    const HttpMessage csrf = backend->Get("/api/v1/csrf");
    token = JsonAt(csrf, "/csrf_token");
    for (const char* name : {"__Host-fw_csrf", "fw_csrf"}) {
      if (!CookieOf(csrf, name).empty()) cookie = CookieOf(csrf, name);
    }
  }
  std::string Csrf(const std::string& more_cookies = "") const {
    return "X-CSRF-Token: " + token + "\r\nCookie: " + cookie +
           (more_cookies.empty() ? "" : "; " + more_cookies) + "\r\n";
  }
  HttpMessage LogInWith(const std::string& fields, bool wants_cookie = true) const {
    return backend->Request("POST", "/api/v1/login", fields,
                            R"({"name":"ann","password":"correct horse battery","cookie":)" +
                                std::string(wants_cookie ? "true}" : "false}"));
  }
  HttpMessage Refresh(const std::string& fields, const std::string& body = "") const {
    return backend->Request("POST", "/api/v1/refresh", fields, body);
  }

  std::unique_ptr<BackendProcess> backend;
  std::string token;
  std::string cookie;
};

TEST_F(BrowserTest, TheRefreshTokenIsInACookieOfItsPathAlone) {
  const HttpMessage in = LogInWith(std::string(kOrigin) + Csrf());
  ASSERT_EQ(in.status(), 200) << in.body;
  EXPECT_EQ(JsonAt(in, "/refresh_token"), "");
  EXPECT_NE(JsonAt(in, "/access_token"), "");
  EXPECT_EQ(AttributesOf(in, "__Secure-fw_refresh"),
            "Path=/api/v1/refresh; Max-Age=2592000; Secure; HttpOnly; SameSite=Strict");
  EXPECT_EQ(AttributesOf(in, "__Secure-fw_device"),
            "Path=/api/v1/login; Max-Age=31536000; Secure; HttpOnly; SameSite=Strict");

  const std::string first = CookieOf(in, "__Secure-fw_refresh");
  const HttpMessage again = Refresh(std::string(kOrigin) + Csrf(first));
  ASSERT_EQ(again.status(), 200) << again.body;
  EXPECT_EQ(JsonAt(again, "/refresh_token"), "");
  const std::string second = CookieOf(again, "__Secure-fw_refresh");
  EXPECT_NE(first, second);
  EXPECT_EQ(Refresh(std::string(kOrigin) + Csrf(second), "{}").status(), 200);

  const HttpMessage reused = Refresh(std::string(kOrigin) + Csrf(first));
  EXPECT_EQ(reused.status(), 401);
  EXPECT_EQ(JsonAt(reused, "/code"), "refresh_token_reused");
  EXPECT_EQ(CookieOf(reused, "__Secure-fw_refresh"), "__Secure-fw_refresh=") << "taken away";
}

TEST_F(BrowserTest, LoggingInByCookieNeedsOriginAndToken) {
  EXPECT_EQ(JsonAt(LogInWith(Csrf()), "/code"), "origin");
  EXPECT_EQ(JsonAt(LogInWith(std::string(kOrigin)), "/code"), "csrf");
  EXPECT_EQ(JsonAt(LogInWith(std::string(kOrigin) + "Cookie: " + cookie + "\r\n"), "/code"),
            "csrf");
  EXPECT_EQ(JsonAt(LogInWith(std::string(kOrigin) + "X-CSRF-Token: " + token + "\r\n"), "/code"),
            "csrf");
  EXPECT_EQ(
      JsonAt(LogInWith(std::string(kOrigin) + "X-CSRF-Token: x\r\nCookie: __Host-fw_csrf=x\r\n"),
             "/code"),
      "csrf");
  EXPECT_EQ(JsonAt(LogInWith(std::string(kOrigin) + "X-CSRF-Token:\r\nCookie: __Host-fw_csrf=\r\n"),
                   "/code"),
            "csrf");
  // As long as one that nobody guesses has to be.
  const auto status_of_token = [&](size_t length) {
    const std::string both(length, 'x');
    return LogInWith(std::string(kOrigin) + "X-CSRF-Token: " + both +
                     "\r\nCookie: __Host-fw_csrf=" + both + "\r\n")
        .status();
  };
  EXPECT_EQ(status_of_token(21), 403);
  EXPECT_EQ(status_of_token(22), 200);
  EXPECT_EQ(LogInWith(std::string(kOrigin) + Csrf()).status(), 200);
}

TEST_F(BrowserTest, OtherOriginsAreRefusedHoweverTheyAsk) {
  for (const char* origin : {"https://evil.example", "http://chat.example", "null",
                             "https://chat.example:444", "https://chat.example.evil.example"}) {
    const std::string field = std::string("Origin: ") + origin + "\r\n";
    EXPECT_EQ(JsonAt(LogInWith(field + Csrf()), "/code"), "origin") << origin;
    EXPECT_EQ(JsonAt(LogInWith(field, false), "/code"), "origin") << origin;
    EXPECT_EQ(JsonAt(Refresh(field + Csrf()), "/code"), "origin") << origin;
    EXPECT_EQ(JsonAt(Refresh(field, R"({"refresh_token":"x"})"), "/code"), "origin") << origin;
    EXPECT_EQ(JsonAt(backend->Get("/api/v1/csrf", field), "/code"), "origin") << origin;
    EXPECT_EQ(JsonAt(backend->Request("POST", "/api/v1/register", field, "{}"), "/code"), "origin");
  }
  EXPECT_EQ(JsonAt(LogInWith(std::string(kOrigin) + std::string(kOrigin) + Csrf()), "/code"),
            "origin")
      << "two of them";
  EXPECT_EQ(LogInWith(std::string(kOrigin), false).status(), 200);
}

TEST_F(BrowserTest, HostAndForwardedFieldsGiveNoOrigin) {
  const std::string evil =
      "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nOrigin: "
      "https://evil.example\r\n";
  EXPECT_EQ(JsonAt(LogInWith(evil + Csrf()), "/code"), "origin");
}

TEST_F(BrowserTest, ASecondTabKeepsTheToken) {
  const HttpMessage again = backend->Get("/api/v1/csrf", "Cookie: " + cookie + "\r\n");
  EXPECT_EQ(JsonAt(again, "/csrf_token"), token);
  EXPECT_NE(JsonAt(backend->Get("/api/v1/csrf"), "/csrf_token"), token);
  const HttpMessage odd = backend->Get("/api/v1/csrf", "Cookie: __Host-fw_csrf=a\r\n");
  EXPECT_NE(JsonAt(odd, "/csrf_token"), "a");
}

TEST_F(BrowserTest, LoggingOutTakesTheCookieAway) {
  const HttpMessage in = LogInWith(std::string(kOrigin) + Csrf());
  const std::string refresh = CookieOf(in, "__Secure-fw_refresh");
  const HttpMessage out =
      backend->Request("POST", "/api/v1/logout", BearerField(JsonAt(in, "/access_token")));
  EXPECT_EQ(out.status(), 204);
  EXPECT_EQ(AttributesOf(out, "__Secure-fw_refresh"),
            "Path=/api/v1/refresh; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
  EXPECT_EQ(Refresh(std::string(kOrigin) + Csrf(refresh)).status(), 401);
}

TEST_F(BrowserTest, AKnownBrowserIsNotHeldUpByOthersAtItsAddress) {
  const std::string from = "X-Real-IP: 192.0.2.1\r\n";
  const HttpMessage in = LogInWith(std::string(kOrigin) + Csrf() + "X-Real-IP: 198.51.100.1\r\n");
  const std::string device = CookieOf(in, "__Secure-fw_device");
  ASSERT_NE(device, "");
  // Guessed at from many addresses, and from this one.
  for (int i = 0; i < 20; ++i) {
    const std::string other = "X-Real-IP: 10.9.0." + std::to_string(i) + "\r\n";
    EXPECT_EQ(LogIn(*backend, "ann", "this is wrong", other).status(), 401);
  }
  EXPECT_EQ(LogIn(*backend, "ann", "this is wrong", from).status(), 401);
  EXPECT_EQ(LogIn(*backend, "ann", kPassword, from).status(), 429);
  const HttpMessage again = LogInWith(std::string(kOrigin) + Csrf(device) + from);
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(CookieOf(again, "__Secure-fw_device"), "") << "it has one already";
  // Another's is of no use.
  EXPECT_EQ(LogIn(*backend, "bob", "this is wrong", "Cookie: " + device + "\r\n").status(), 401);
}

TEST_F(BrowserTest, OnLocalhostCookiesAreSecureWithoutPrefixes) {
  Start("http://localhost:8080");
  EXPECT_TRUE(cookie.starts_with("fw_csrf=")) << cookie;
  const HttpMessage in = LogInWith("Origin: http://localhost:8080\r\n" + Csrf());
  ASSERT_EQ(in.status(), 200) << in.body;
  EXPECT_EQ(AttributesOf(in, "fw_refresh"),
            "Path=/api/v1/refresh; Max-Age=2592000; Secure; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace framewall::test
