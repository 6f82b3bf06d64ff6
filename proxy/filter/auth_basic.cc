#include "proxy/filter/auth_basic.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"
#include "proxy/filter/password.h"

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

// The whole file; nothing, and errno, where that fails.
std::optional<std::string> ReadFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

// The hash on the first line "user:hash[:comment]" of that user. Lines that begin with '#' are
// comments.
std::optional<std::string_view> FindHash(std::string_view text, std::string_view user) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#') || !line.starts_with(user)) continue;
    line.remove_prefix(user.size());
    if (!line.starts_with(':')) continue;
    line.remove_prefix(1);
    return line.substr(0, std::min(line.find_first_of("\r:"), line.size()));
  }
  return std::nullopt;
}

Verdict CheckPassword(Exchange& exchange, const Credentials& credentials, std::string_view realm) {
  const config::Template& setting = exchange.settings().access.auth_basic_user_file;
  const std::string path = exchange.config.ConfPath(exchange.Expand(setting));
  auto text = ReadFile(path);
  if (!text) {
    const int error = errno;
    const bool missing = error == ENOENT;
    exchange.LogError(missing ? LogLevel::kError : LogLevel::kCrit,
                      fmt::format("open() \"{}\" failed", path), error);
    return Verdict::Respond(missing ? 403 : 500);
  }
  const auto hash = FindHash(*text, credentials.user());
  std::optional<bool> fits;
  if (hash) fits = PasswordFits(credentials.password(), *hash);
  OPENSSL_cleanse(text->data(), text->size());
  if (!hash) {
    exchange.LogError(LogLevel::kError,
                      fmt::format("user \"{}\" was not found in \"{}\"", credentials.user(), path));
    return Challenge(exchange, realm);
  }
  if (!fits) {
    exchange.LogError(LogLevel::kCrit, "crypt_r() failed", errno);
    return Verdict::Respond(500);
  }
  if (*fits) return Verdict::Satisfied();
  exchange.LogError(LogLevel::kError,
                    fmt::format("user \"{}\": password mismatch", credentials.user()));
  return Challenge(exchange, realm);
}

}  // namespace

Verdict CheckAuthBasic(Exchange& exchange) {
  const config::AccessSettings& settings = exchange.settings().access;
  if (settings.auth_basic.empty()) return Verdict::Continue();
  const std::string_view realm = exchange.Expand(settings.auth_basic);
  if (realm == "off") return Verdict::Continue();
  if (settings.auth_basic_user_file.empty()) {
    // nginx lets everybody pass here. Who wrote auth_basic wanted the opposite.
    exchange.LogError(LogLevel::kError,
                      "auth_basic is on, but auth_basic_user_file is not set: nobody may pass");
    return Verdict::Respond(403);
  }
  auto credentials = ReadCredentials(exchange);
  exchange.remote_user_known = true;
  if (!credentials) {
    exchange.LogError(LogLevel::kInfo, "no user/password was provided for basic authentication");
    return Challenge(exchange, realm);
  }
  exchange.remote_user = exchange.arena.Copy(credentials->user());
  const Verdict verdict = CheckPassword(exchange, *credentials, realm);
  OPENSSL_cleanse(credentials->text.data(), credentials->text.size());
  return verdict;
}

}  // namespace framewall::filter
