#include "proxy/filter/auth_basic.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <cerrno>
#include <optional>
#include <string>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/exchange/driver.h"
#include "proxy/filter/password.h"
#include "proxy/filter/password_checks.h"
#include "proxy/filter/services.h"

namespace framewall::filter {
namespace {

using http::FieldId;

struct Credentials {
  std::string text;  // "user:password"
  size_t colon = 0;
  std::string_view user() const { return std::string_view(text).substr(0, colon); }
  std::string_view password() const { return std::string_view(text).substr(colon + 1); }
};

// As lenient as nginx: what follows the first '=' is ignored, and padding may be missing.
std::optional<std::string> DecodeLenient(std::string_view base64) {
  std::string text(base64.substr(0, base64.find('=')));
  if (text.empty() || text.size() % 4 == 1) return std::nullopt;
  text.resize((text.size() + 3) / 4 * 4, '=');
  return Base64Decode(text);
}

std::optional<Credentials> ReadCredentials(const Exchange& exchange) {
  const std::string_view field = exchange.request.fields.Get(FieldId::kAuthorization);
  constexpr std::string_view kScheme = "Basic ";
  if (!StartsWithIgnoreCase(field, kScheme)) return std::nullopt;
  auto decoded = DecodeLenient(Trim(field.substr(kScheme.size())));
  if (!decoded) return std::nullopt;
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return Credentials{std::move(*decoded), colon};
}

// 401 with a challenge. (auth_delay is the driver's.)
Verdict Challenge(Exchange& exchange, std::string_view realm) {
  exchange.response.fields.Set(FieldId::kWwwAuthenticate, fmt::format("Basic realm=\"{}\"", realm));
  return Verdict::Respond(401);
}

class AuthBasic final : public Filter {
 public:
  AuthBasic(std::string_view realm, PasswordChecks& checks) : realm_(realm), checks_(checks) {}

  Verdict OnRequestHead(Exchange& exchange) override;
  Verdict OnResumed(Exchange& exchange) override {
    return answer_ ? Conclude(exchange, *answer_) : Verdict::Pause();
  }
  // The client has gone while we wait.
  void OnLog(const Exchange&) override { wait_.reset(); }

 private:
  Verdict Ask(Exchange& exchange, const Credentials& credentials);
  Verdict Conclude(Exchange& exchange, PasswordAnswer answer);

  const std::string_view realm_;  // in the exchange's arena, or the configuration's
  PasswordChecks& checks_;
  std::string path_;
  bool is_known_ = false;
  std::unique_ptr<PasswordChecks::Wait> wait_;
  std::optional<PasswordAnswer> answer_;
};

Verdict AuthBasic::OnRequestHead(Exchange& exchange) {
  const config::Template& file = exchange.settings().access.auth_basic_user_file;
  if (file.empty()) {
    // nginx lets everybody pass here. Who wrote auth_basic wanted the opposite.
    exchange.LogError(LogLevel::kError,
                      "auth_basic is on, but auth_basic_user_file is not set: nobody may pass");
    return Verdict::Respond(403);
  }
  auto credentials = ReadCredentials(exchange);
  exchange.remote_user_known = true;
  if (!credentials) {
    exchange.LogError(LogLevel::kInfo, "no user/password was provided for basic authentication");
    return Challenge(exchange, realm_);
  }
  exchange.remote_user = exchange.arena.Copy(credentials->user());
  path_ = exchange.config.ConfPath(exchange.Expand(file));
  const Verdict verdict = Ask(exchange, *credentials);
  OPENSSL_cleanse(credentials->text.data(), credentials->text.size());
  return verdict;
}

Verdict AuthBasic::Ask(Exchange& exchange, const Credentials& credentials) {
  if (credentials.password().size() > kLongestPassword) {
    exchange.LogError(LogLevel::kError,
                      fmt::format("user \"{}\": a password of {} octets is too long",
                                  credentials.user(), credentials.password().size()));
    return Challenge(exchange, realm_);
  }
  const auto file = checks_.files().Get(path_);
  if (!file.ok()) {
    const bool is_missing = file.error().system_errno == ENOENT;
    exchange.LogError(is_missing ? LogLevel::kError : LogLevel::kCrit, file.error().message,
                      file.error().system_errno);
    return Verdict::Respond(is_missing ? 403 : 500);
  }
  const std::string* stored = (*file)->Find(credentials.user());
  is_known_ = stored != nullptr;
  PasswordQuestion question;
  question.user = credentials.user();
  question.password = credentials.password();
  question.stored = is_known_ ? *stored : (*file)->typical();
  question.is_known = is_known_;
  question.remember = exchange.settings().access.auth_basic_cache;
  answer_ = checks_.Ask(
      question,
      [this, &exchange](PasswordAnswer answer) {
        answer_ = answer;
        exchange.driver->Resume();
      },
      &wait_);
  return answer_ ? Conclude(exchange, *answer_) : Verdict::Pause();
}

Verdict AuthBasic::Conclude(Exchange& exchange, PasswordAnswer answer) {
  const std::string_view user = exchange.remote_user;
  switch (answer) {
    case PasswordAnswer::kFits:
      return Verdict::Satisfied();
    case PasswordAnswer::kDiffers:
      exchange.LogError(LogLevel::kError,
                        is_known_
                            ? fmt::format("user \"{}\": password mismatch", user)
                            : fmt::format("user \"{}\" was not found in \"{}\"", user, path_));
      return Challenge(exchange, realm_);
    case PasswordAnswer::kUnusable:
      exchange.LogError(LogLevel::kError,
                        fmt::format("user \"{}\": what \"{}\" has for him is no password hash "
                                    "that is known here",
                                    user, path_));
      return Challenge(exchange, realm_);
    case PasswordAnswer::kNoRoom:
      exchange.LogError(LogLevel::kError,
                        fmt::format("user \"{}\": too many passwords wait to be checked", user));
      return Verdict::Respond(503);
    case PasswordAnswer::kTooLate:
      exchange.LogError(
          LogLevel::kError,
          fmt::format("user \"{}\": the password waited too long to be checked", user));
      return Verdict::Respond(503);
  }
  return Verdict::Respond(500);
}

}  // namespace

std::unique_ptr<Filter> MakeAuthBasic(Exchange& exchange, FilterServices& services) {
  const config::AccessSettings& settings = exchange.settings().access;
  if (settings.auth_basic.empty()) return nullptr;
  const std::string_view realm = exchange.Expand(settings.auth_basic);
  if (realm == "off") return nullptr;
  return std::make_unique<AuthBasic>(realm, *services.passwords);
}

}  // namespace framewall::filter
