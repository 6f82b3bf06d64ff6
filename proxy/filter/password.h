// Passwords as an htpasswd file keeps them.
#pragma once

#include <optional>
#include <string_view>

namespace framewall::filter {

// Does `password` fit `stored`: "$apr1$…", "{SHA}…", "{SSHA}…", "{PLAIN}…", or what crypt(3) knows?
// Nothing where crypt(3) itself fails.
std::optional<bool> PasswordFits(std::string_view password, std::string_view stored);

}  // namespace framewall::filter
