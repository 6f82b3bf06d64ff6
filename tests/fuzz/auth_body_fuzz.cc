// What people write about themselves: bodies of new accounts and keys, names, passwords, cookies.
// Whatever is taken holds to the rules of accounts.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/auth/account_rules.h"
#include "backend/auth/device_cookies.h"
#include "backend/auth/login_delays.h"
#include "backend/auth/password_hasher.h"
#include "backend/server/body.h"
#include "proxy/base/check.h"
#include "proxy/base/utf8.h"
#include "proxy/json/pointer.h"

namespace framewall::backend::auth {
namespace {

void CheckName(std::string_view text) {
  const auto name = AccountName(text);
  if (!name) return;
  FW_CHECK(name->size() == text.size() && name->size() <= kLongestName);
  FW_CHECK(AccountName(*name) == name);
  for (const char c : *name) FW_CHECK(c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z'));
}

void CheckPassword(std::string_view text) {
  if (!WhyNoPassword(text, "ann", 10, 4096).empty()) return;
  FW_CHECK(text.size() >= 10 && text.size() <= kLongestPassword);
  FW_CHECK(text.find('\0') == std::string_view::npos && framewall::IsValidUtf8(text));
  // What could be made can be compared.
  FW_CHECK(WhyNotChecked(text, 4096).empty());
}

void CheckAccount(std::string_view text) {
  const auto document = json::Document::Parse(text, {.octets = 8192, .depth = 32});
  if (!document.ok() || document->root().kind() != json::Kind::kObject) return;
  server::Body body(document->root());
  const Settings settings;
  store::User user;
  std::string password;
  ReadNewAccount(body, settings, user, &password);
  body.Texts("scopes", 8);
  body.Integer("expires_in_days", 1, 3650);
  body.Flag("service");
  const std::vector<FieldProblem> problems = body.Finish();
  if (problems.empty()) {
    FW_CHECK(AccountName(user.name) == user.name);
    FW_CHECK(WhyNoDisplayName(user.display_name).empty());
    FW_CHECK(password.size() <= kLongestPassword);
    return;
  }
  FW_CHECK(problems.size() <= server::kProblemsTold);
  for (const FieldProblem& field : problems) {
    FW_CHECK(json::ParsePointer(field.pointer).has_value());
    FW_CHECK(field.detail.find("hunter2") == std::string::npos);
  }
}

}  // namespace
}  // namespace framewall::backend::auth

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::auth;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckName(text);
  CheckPassword(text);
  CheckAccount(text);
  // Nobody guesses a MAC.
  static const DeviceCookies cookies(std::string(32, 'k'));
  FW_CHECK(!cookies.Check(text, "ann"));
  const std::string network = NetworkOf(text);
  FW_CHECK(network.empty() == text.empty());
  return 0;
}
