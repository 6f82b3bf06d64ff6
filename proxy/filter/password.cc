#include "proxy/filter/password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::filter {
namespace {

constexpr size_t kSha1Size = 20;

PasswordOutcome OutcomeOf(bool fits) {
  return fits ? PasswordOutcome::kFits : PasswordOutcome::kDiffers;
}

// crypt's own base 64: the lowest six bits first.
void AppendCryptBase64(std::string& out, uint32_t bits, int digits) {
  constexpr std::string_view kDigits =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; digits > 0; --digits, bits >>= 6) out += kDigits[bits & 0x3f];
}

// Poul-Henning Kamp's md5-crypt with Apache's magic: `stored` is "$apr1$salt$hash".
std::string HashApr1(std::string_view password, std::string_view stored) {
  constexpr std::string_view kMagic = "$apr1$";
  std::string_view salt = stored.substr(kMagic.size());
  salt = salt.substr(0, std::min<size_t>(salt.find('$'), 8));

  std::string inner(password);
  inner.append(salt).append(password);
  std::string digest = Md5(inner);

  std::string text(password);
  text.append(kMagic).append(salt);
  for (size_t left = password.size(); left > 0;) {
    const size_t piece = std::min<size_t>(left, 16);
    text.append(digest, 0, piece);
    left -= piece;
  }
  for (size_t bits = password.size(); bits > 0; bits >>= 1) {
    text += (bits & 1) != 0 ? '\0' : password.front();
  }
  digest = Md5(text);

  for (int round = 0; round < 1000; ++round) {
    const bool odd = (round & 1) != 0;
    text.assign(odd ? password : std::string_view(digest));
    if (round % 3 != 0) text.append(salt);
    if (round % 7 != 0) text.append(password);
    text.append(odd ? std::string_view(digest) : password);
    digest = Md5(text);
  }

  std::string out(kMagic);
  out.append(salt).append("$");
  const auto three = [&](size_t a, size_t b, size_t c) {
    AppendCryptBase64(out,
                      (uint32_t{ByteAt(digest, a)} << 16) | (uint32_t{ByteAt(digest, b)} << 8) |
                          uint32_t{ByteAt(digest, c)},
                      4);
  };
  three(0, 6, 12);
  three(1, 7, 13);
  three(2, 8, 14);
  three(3, 9, 15);
  three(4, 10, 5);
  AppendCryptBase64(out, ByteAt(digest, 11), 2);
  return out;
}

bool FitsSaltedSha1(std::string_view password, std::string_view base64) {
  const auto decoded = Base64Decode(base64);
  if (!decoded || decoded->size() < kSha1Size) return false;
  std::string text(password);
  text.append(*decoded, kSha1Size);
  return EqualsConstantTime(Sha1(text), std::string_view(*decoded).substr(0, kSha1Size));
}

PasswordOutcome FitsCrypt(std::string_view password, std::string_view stored) {
  std::string key(password);
  const std::string setting(stored);
  // 32 KiB, which crypt_r wants zeroed.
  const auto state = std::make_unique<crypt_data>();
  const char* hash = crypt_r(key.c_str(), setting.c_str(), state.get());
  PasswordOutcome outcome = PasswordOutcome::kUnusable;
  // It says "*0" or "*1" where it knows no such hash, and that may be just what is stored.
  if (hash != nullptr && hash[0] != '*') outcome = OutcomeOf(EqualsConstantTime(hash, stored));
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(state.get(), sizeof(crypt_data));
  return outcome;
}

// Up to the next '$' behind `from`, that included; all of it without one.
size_t EndOfSegment(std::string_view stored, size_t from) {
  return std::min(stored.find('$', from), stored.size() - 1) + 1;
}

}  // namespace

PasswordOutcome CheckPassword(std::string_view password, std::string_view stored) {
  // crypt(3) would stop at a zero octet, and take what stands before it for the whole.
  if (password.find('\0') != std::string_view::npos) return PasswordOutcome::kDiffers;
  if (stored.starts_with("$apr1$")) {
    return OutcomeOf(EqualsConstantTime(HashApr1(password, stored), stored));
  }
  if (stored.starts_with("{PLAIN}")) {
    return OutcomeOf(EqualsConstantTime(password, stored.substr(7)));
  }
  if (stored.starts_with("{SSHA}")) return OutcomeOf(FitsSaltedSha1(password, stored.substr(6)));
  if (stored.starts_with("{SHA}")) {
    return OutcomeOf(EqualsConstantTime(Base64Encode(Sha1(password)), stored.substr(5)));
  }
  return FitsCrypt(password, stored);
}

bool IsQuickToCheck(std::string_view stored) {
  return stored.starts_with("{PLAIN}") || stored.starts_with("{SHA}") ||
         stored.starts_with("{SSHA}");
}

std::string_view PasswordKind(std::string_view stored) {
  if (stored.starts_with('{')) return stored.substr(0, stored.find('}') + 1);
  if (!stored.starts_with('$')) return {};
  const size_t end = EndOfSegment(stored, 1);
  const std::string_view id = stored.substr(0, end);
  if (id == "$apr1$" || id == "$1$" || end == stored.size()) return id;
  const bool is_sha = id == "$5$" || id == "$6$";
  if (is_sha && !stored.substr(end).starts_with("rounds=")) return id;
  return stored.substr(0, EndOfSegment(stored, end));
}

}  // namespace framewall::filter
