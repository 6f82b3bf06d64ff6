#include "backend/auth/device_cookies.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include "backend/auth/secret_file.h"
#include "proxy/base/check.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

constexpr size_t kKeyOctets = 32;
constexpr size_t kNameLetters = 22;  // 16 octets
constexpr size_t kMacLetters = 43;   // 32 octets

}  // namespace

Result<DeviceCookies> DeviceCookies::Load(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    const std::string key = RandomBytes(kKeyOctets);
    FW_TRY(WriteSecretFile(path, HexEncode(key) + "\n"));
    return DeviceCookies(key);
  }
  FW_ASSIGN(const std::string text, ReadSecretFile(path, SecretPlace::kOurs));
  const auto key = HexDecode(std::string_view(text).substr(0, text.find('\n')));
  if (!key || key->size() != kKeyOctets) {
    return Error{ErrorKind::kSyntax, ErrorSource::kOperator,
                 fmt::format("\"{}\": 64 hexadecimal digits were expected; without the file a new "
                             "one is made",
                             path),
                 0};
  }
  return DeviceCookies(*key);
}

std::string DeviceCookies::Make(std::string_view user) const {
  const std::string device = Base64UrlEncode(RandomBytes(16));
  return device + "." + MacOf(device, user);
}

std::optional<std::string> DeviceCookies::Check(std::string_view cookie,
                                                std::string_view user) const {
  if (cookie.size() != kNameLetters + 1 + kMacLetters || cookie[kNameLetters] != '.') {
    return std::nullopt;
  }
  const std::string_view device = cookie.substr(0, kNameLetters);
  if (!EqualsConstantTime(cookie.substr(kNameLetters + 1), MacOf(device, user))) {
    return std::nullopt;
  }
  return std::string(device);
}

std::string DeviceCookies::MacOf(std::string_view device, std::string_view user) const {
  const std::string text = fmt::format("{}.{}", device, user);
  std::string mac(32, '\0');
  unsigned size = 0;
  FW_CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr);
  return Base64UrlEncode(mac);
}

}  // namespace framewall::backend::auth
