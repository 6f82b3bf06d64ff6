// A browser that has logged in to an account before is known again at the next log-in, so that
// others' failures do not hold it up (login_delays.h). The cookie proves nothing else: it opens
// nothing without the password.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace framewall::backend::auth {

class DeviceCookies {
 public:
  // `path`: of a file with the key, made where it is missing.
  static Result<DeviceCookies> Load(const std::string& path);
  explicit DeviceCookies(std::string key) : key_(std::move(key)) {}

  // "NAME.MAC" of a new device.
  std::string Make(std::string_view user) const;
  // The device's name, where the cookie was made here for this user.
  std::optional<std::string> Check(std::string_view cookie, std::string_view user) const;

 private:
  std::string MacOf(std::string_view device, std::string_view user) const;
  std::string key_;
};

}  // namespace framewall::backend::auth
