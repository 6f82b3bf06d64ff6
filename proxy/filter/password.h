// Passwords as an htpasswd file keeps them. Safe to call from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace framewall::filter {

// crypt(3) takes no longer ones. (bcrypt looks at 72 octets of it.)
inline constexpr size_t kLongestPassword = 511;

enum class PasswordOutcome : uint8_t {
  kFits,
  kDiffers,
  kUnusable,  // `stored` is no hash that anybody knows
};

// Does `password` fit `stored`: "$apr1$…", "{SHA}…", "{SSHA}…", "{PLAIN}…", or what libxcrypt knows
// (yescrypt, bcrypt, SHA-crypt and older ones)? May take a second and more.
PasswordOutcome CheckPassword(std::string_view password, std::string_view stored);

// Takes microseconds, whatever the password.
bool IsQuickToCheck(std::string_view stored);

// What decides how long a check takes, the start of `stored`: "$2y$12$", "$y$j9T$", "$6$",
// "$6$rounds=10000$", "$apr1$", "{SHA}"; empty for crypt(3)'s oldest.
std::string_view PasswordKind(std::string_view stored);

}  // namespace framewall::filter
