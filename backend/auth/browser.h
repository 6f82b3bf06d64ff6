// What holds for browsers: cookies, Origin and the CSRF token.
//
// A refresh token that a script could read would be worth as much as the password to whoever gets a
// script into the page, so browsers have it in a cookie of one path, which no script sees. A cookie
// comes along unasked; so a call that uses or sets it must carry an Origin, which is public_url's,
// and a token that only a page of this origin can have read (double submit: the same in a cookie
// and in X-CSRF-Token).
//
// Cookies are Secure always. On http://localhost browsers take that (Chromium, Firefox; Safari does
// not), on any other http address none does. Where public_url is https their names have the
// prefixes __Secure- and __Host-, which keeps pages of other hosts and of http from setting them;
// not every browser takes them on http, also on localhost, so there they have none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backend/base/problem.h"
#include "backend/server/call.h"

namespace framewall::backend::auth {

inline constexpr std::string_view kRefreshPath = "/api/v1/refresh";
inline constexpr std::string_view kLoginPath = "/api/v1/login";

class Browser {
 public:
  Browser(std::string public_url, int64_t refresh_seconds);

  // Where there is an Origin it is public_url's, whoever asks.
  std::optional<Problem> CheckOrigin(const server::Call& call) const;
  // For calls that use or set cookies: an Origin there is, and the CSRF token fits.
  std::optional<Problem> CheckCookieCall(const server::Call& call) const;

  std::optional<std::string_view> RefreshToken(const server::Call& call) const;
  std::optional<std::string_view> Device(const server::Call& call) const;
  std::optional<std::string_view> CsrfToken(const server::Call& call) const;

  // Set-Cookie fields. An empty token takes the cookie away.
  std::pair<std::string, std::string> SetRefreshToken(std::string_view token) const;
  std::pair<std::string, std::string> SetDevice(std::string_view device) const;
  std::pair<std::string, std::string> SetCsrfToken(std::string_view token) const;

 private:
  const std::string public_url_;
  const int64_t refresh_seconds_;
  std::string refresh_name_;
  std::string device_name_;
  std::string csrf_name_;
};

}  // namespace framewall::backend::auth
