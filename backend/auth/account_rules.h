// What names and passwords of accounts may be.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "backend/base/problem.h"
#include "backend/server/body.h"
#include "backend/settings/settings.h"
#include "backend/store/users.h"

namespace framewall::backend::auth {

inline constexpr size_t kShortestName = 2;
inline constexpr size_t kLongestName = 32;
inline constexpr size_t kLongestDisplayName = 64;  // characters

// An account's name in lower case: 2 to 32 of a-z, 0-9, '.', '_' and '-', the first a letter or a
// digit. Nothing where `text` is none.
std::optional<std::string> AccountName(std::string_view text);

// Each returns what was expected, or empty where `text` fits.
std::string WhyNoDisplayName(std::string_view text);
// At least `least` characters, at most `most` octets (and no more than crypt(3) takes), no control
// characters, not the account's name.
std::string WhyNoPassword(std::string_view text, std::string_view name, size_t least, size_t most);
// Of one that is to be compared with an account's: whether it could be made today may differ from
// when it was made, so only what crypt(3) could not take whole. Asked without a look at the
// account.
std::string WhyNotChecked(std::string_view text, size_t most);

// Reads `name`, `display_name` (missing: the name) and `password` of a new account into `user`,
// which gets an id; what is wrong with them is in `body`. `password` null: it is not asked for.
void ReadNewAccount(server::Body& body, const Settings& settings, store::User& user,
                    std::string* password);
Problem NameTaken();

// 20 characters without those that look alike, about 115 bits.
std::string RandomPassword();

}  // namespace framewall::backend::auth
