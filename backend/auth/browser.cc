#include "backend/auth/browser.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/digest.h"
#include "proxy/http/cookie.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kDeviceSeconds = 365 * 86400;
constexpr size_t kLeastCsrfToken = 22;

Problem Refusal(std::string code, std::string detail) {
  return {.status = 403, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

std::pair<std::string, std::string> Cookie(std::string_view name, std::string_view value,
                                           std::string_view path, int64_t seconds) {
  return {"set-cookie", fmt::format("{}={}; Path={}; Max-Age={}; Secure; HttpOnly; SameSite=Strict",
                                    name, value, path, value.empty() ? 0 : seconds)};
}

}  // namespace

Browser::Browser(std::string public_url, int64_t refresh_seconds)
    : public_url_(std::move(public_url)), refresh_seconds_(refresh_seconds) {
  const bool is_https = public_url_.starts_with("https://");
  refresh_name_ = is_https ? "__Secure-fw_refresh" : "fw_refresh";
  device_name_ = is_https ? "__Secure-fw_device" : "fw_device";
  csrf_name_ = is_https ? "__Host-fw_csrf" : "fw_csrf";
}

std::optional<Problem> Browser::CheckOrigin(const server::Call& call) const {
  const http::HeaderMap& fields = call.head().fields;
  const size_t count = fields.Count(http::FieldId::kOrigin);
  if (count == 0) return std::nullopt;
  if (count == 1 && fields.Get(http::FieldId::kOrigin) == public_url_) return std::nullopt;
  return Refusal("origin", "This may be asked only by pages of " + public_url_ + ".");
}

std::optional<Problem> Browser::CheckCookieCall(const server::Call& call) const {
  if (!call.head().fields.Has(http::FieldId::kOrigin)) {
    return Refusal("origin", "A call that uses cookies needs the field Origin.");
  }
  if (auto problem = CheckOrigin(call)) return problem;
  const auto cookie = CsrfToken(call);
  const std::string_view field = call.head().fields.Get("X-CSRF-Token");
  if (!cookie || cookie->size() < kLeastCsrfToken || !EqualsConstantTime(*cookie, field)) {
    return Refusal("csrf",
                   "X-CSRF-Token and its cookie do not fit; GET /api/v1/csrf gives new ones.");
  }
  return std::nullopt;
}

std::optional<std::string_view> Browser::RefreshToken(const server::Call& call) const {
  return http::FindCookie(call.head().fields, refresh_name_);
}
std::optional<std::string_view> Browser::Device(const server::Call& call) const {
  return http::FindCookie(call.head().fields, device_name_);
}
std::optional<std::string_view> Browser::CsrfToken(const server::Call& call) const {
  return http::FindCookie(call.head().fields, csrf_name_);
}

std::pair<std::string, std::string> Browser::SetRefreshToken(std::string_view token) const {
  return Cookie(refresh_name_, token, kRefreshPath, refresh_seconds_);
}
std::pair<std::string, std::string> Browser::SetDevice(std::string_view device) const {
  return Cookie(device_name_, device, kLoginPath, kDeviceSeconds);
}
std::pair<std::string, std::string> Browser::SetCsrfToken(std::string_view token) const {
  return Cookie(csrf_name_, token, "/", refresh_seconds_);
}

}  // namespace framewall::backend::auth
