#include "backend/auth/account_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/auth/password_hasher.h"
#include "backend/base/characters.h"
#include "backend/base/id.h"
#include "proxy/base/digest.h"
#include "proxy/base/text.h"
#include "proxy/base/utf8.h"

namespace framewall::backend::auth {
namespace {

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::optional<std::string> AccountName(std::string_view text) {
  if (text.size() < kShortestName || text.size() > kLongestName) return std::nullopt;
  const auto is_alphanumeric = [](char c) { return IsAlpha(c) || IsDigit(c); };
  if (!is_alphanumeric(text.front())) return std::nullopt;
  for (const char c : text) {
    if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return std::nullopt;
  }
  return ToLower(text);
}

std::string WhyNoDisplayName(std::string_view text) {
  if (!IsValidUtf8(text) || HasControls(text)) return "text without control characters";
  const size_t characters = CountCharacters(text);
  if (characters < 1 || characters > kLongestDisplayName || Trim(text).size() != text.size()) {
    return fmt::format("1 to {} characters, no spaces around them", kLongestDisplayName);
  }
  return {};
}

std::string WhyNoPassword(std::string_view text, std::string_view name, size_t least, size_t most) {
  const size_t octets = std::min(most, kLongestPassword);
  // The length first: nothing else looks at more than that.
  if (text.size() > octets) return fmt::format("at most {} octets", octets);
  if (!IsValidUtf8(text) || HasControls(text)) return "text without control characters";
  if (CountCharacters(text) < least) return fmt::format("at least {} characters", least);
  if (EqualsIgnoreCase(text, name)) return "something else than the name of the account";
  return {};
}

std::string WhyNotChecked(std::string_view text, size_t most) {
  const size_t octets = std::min(most, kLongestPassword);
  if (text.size() > octets) return fmt::format("at most {} octets", octets);
  // crypt(3) would stop there and take the beginning for all of it.
  if (text.find('\0') != text.npos) return "text without the character U+0000";
  return {};
}

void ReadNewAccount(server::Body& body, const Settings& settings, store::User& user,
                    std::string* password) {
  user.id = NewId();
  const std::optional<std::string> name = AccountName(body.AnyText("name"));
  if (!name) {
    body.Expect("name",
                fmt::format("{} to {} of a-z, 0-9, '.', '_' and '-', a letter or digit first",
                            kShortestName, kLongestName));
  }
  user.name = name.value_or(std::string());
  if (const auto display_name = body.OptionalAnyText("display_name")) {
    body.Expect("display_name", WhyNoDisplayName(*display_name));
    user.display_name = *display_name;
  } else {
    user.display_name = user.name;
  }
  if (password == nullptr) return;
  *password = body.AnyText("password");
  body.Expect("password",
              WhyNoPassword(*password, user.name, settings.password_min, settings.password_max));
}

Problem NameTaken() {
  return {.status = 409,
          .code = "name_taken",
          .detail = "There is an account of this name already.",
          .fields = {}};
}

std::string RandomPassword() {
  constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  static_assert(kLetters.size() == 56);
  std::string password;
  while (password.size() < 20) {
    // Octets beyond the last whole multiple would favour the first letters.
    const auto octet = static_cast<unsigned char>(RandomBytes(1)[0]);
    if (octet < 224) password += kLetters[octet % kLetters.size()];
  }
  return password;
}

}  // namespace framewall::backend::auth
