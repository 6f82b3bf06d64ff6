#include "backend/auth/signing_keys.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "backend/base/id.h"
#include "proxy/base/encoding.h"
#include "proxy/base/log.h"

namespace framewall::backend::auth {
namespace {

constexpr unsigned kBits = 2048;
constexpr size_t kMostKeyFiles = 64;

Error Unusable(std::string message) {
  return Error{ErrorKind::kSyntax, ErrorSource::kOperator, std::move(message), 0};
}

// When an id was made (RFC 9562 5.7). Requires: IsId.
int64_t TimeOfId(std::string_view id) {
  int64_t time = 0;
  for (const char c : id.substr(0, 13)) {
    if (c == '-') continue;
    time = time << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return time;
}

}  // namespace

Result<std::unique_ptr<SigningKeys>> SigningKeys::Load(Options options, int64_t now) {
  std::unique_ptr<SigningKeys> keys(new SigningKeys(std::move(options)));
  const bool is_ours = keys->options_.place == SecretPlace::kOurs;
  if (is_ours) FW_TRY(MakeSecretDirectory(keys->options_.directory));
  FW_ASSIGN(std::vector<Key> read, keys->Read());
  if (read.empty()) {
    if (!is_ours) {
      return Unusable(fmt::format("\"{}\": a key to sign with was expected, there is no NAME.pem",
                                  keys->options_.directory));
    }
    FW_ASSIGN(const std::string pem, NewKey());
    FW_TRY(keys->Add(pem, now));
    MainLog().Write(LogLevel::kNotice, "made a key to sign tokens with: " + keys->keys_[0].path);
    return keys;
  }
  FW_TRY(keys->Publish(std::move(read), now));
  return keys;
}

Result<std::vector<SigningKeys::Key>> SigningKeys::Read() const {
  std::vector<Key> keys;
  std::error_code failure;
  std::filesystem::directory_iterator at(options_.directory, failure);
  const auto failed = [&] {
    return Unusable(
        fmt::format("cannot read directory \"{}\": {}", options_.directory, failure.message()));
  };
  if (failure) return failed();
  for (; at != std::filesystem::directory_iterator(); at.increment(failure)) {
    if (failure) return failed();
    const std::filesystem::path& path = at->path();
    if (path.extension() != ".pem") continue;
    const std::string kid = path.stem().string();
    if (options_.place == SecretPlace::kOurs && !IsId(kid)) {
      MainLog().Write(LogLevel::kWarn,
                      fmt::format("\"{}\" was not made by us and is not used", path.string()));
      continue;
    }
    if (keys.size() == kMostKeyFiles) {
      return Unusable(
          fmt::format("\"{}\" has more than {} keys", options_.directory, kMostKeyFiles));
    }
    const SecretPlace place = options_.is_inside_ours ? SecretPlace::kOurs : options_.place;
    FW_ASSIGN(std::string pem, ReadSecretFile(path.string(), place));
    auto signer = jwt::Signer::FromPem(pem, jwt::Algorithm::kRs256, kid);
    OPENSSL_cleanse(pem.data(), pem.size());
    if (!signer.ok()) {
      return Unusable(fmt::format("\"{}\": {}", path.string(), signer.error().message));
    }
    keys.push_back({kid, path.string(), IsId(kid) ? TimeOfId(kid) : 0, std::move(signer).value()});
  }
  if (failure) return failed();
  // Ids sort by the time they were made.
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.kid < b.kid; });
  return keys;
}

Status SigningKeys::Publish(std::vector<Key> keys, int64_t now) {
  std::string set = "{\"keys\":[";
  std::vector<int64_t> made;
  for (const Key& key : keys) {
    FW_ASSIGN(const std::string jwk, key.signer.Jwk());
    if (!made.empty()) set += ',';
    set += jwk;
    made.push_back(key.made);
  }
  set += "]}";
  FW_ASSIGN(jwt::KeySet verifying, jwt::KeySet::Parse(set));
  if (verifying.keys().size() != keys.size()) {
    return Unusable(fmt::format("\"{}\": a key of it cannot be used: {}", options_.directory,
                                verifying.skipped().front()));
  }
  plan_ = {.signer = keys.size() - 1, .obsolete = 0, .make_new = false};
  if (options_.place == SecretPlace::kOurs) plan_ = PlanKeys(made, now, options_.policy);
  keys_ = std::move(keys);
  verifying_ = std::make_unique<jwt::KeySet>(std::move(verifying));
  published_ = std::move(set);
  return OkStatus();
}

Result<std::string> SigningKeys::Sign(std::string_view claims) const {
  return keys_[plan_.signer].signer.Sign(claims, "at+jwt");
}

Result<bool> SigningKeys::Advance(int64_t now) {
  if (options_.place != SecretPlace::kOurs) return false;
  std::vector<int64_t> made;
  for (const Key& key : keys_) made.push_back(key.made);
  const size_t signer = plan_.signer;
  plan_ = PlanKeys(made, now, options_.policy);
  if (plan_.signer != signer) {
    MainLog().Write(LogLevel::kNotice,
                    "tokens are signed with another key now: " + keys_[plan_.signer].path);
  }
  const bool make_new = plan_.make_new;
  if (plan_.obsolete == 0) return make_new;
  for (size_t key = 0; key < plan_.obsolete; ++key) {
    if (::unlink(keys_[key].path.c_str()) != 0) {
      MainLog().Write(LogLevel::kError,
                      SystemError("unlink(\"" + keys_[key].path + "\") failed", errno).message);
    } else {
      MainLog().Write(LogLevel::kNotice, "deleted a key that signs no more: " + keys_[key].path);
    }
  }
  std::vector<Key> left(
      std::make_move_iterator(keys_.begin() + static_cast<std::ptrdiff_t>(plan_.obsolete)),
      std::make_move_iterator(keys_.end()));
  FW_TRY(Publish(std::move(left), now));
  return make_new;
}

Status SigningKeys::Add(std::string_view pem, int64_t now) {
  const std::string kid = NewId();
  const std::string path = options_.directory + "/" + kid + ".pem";
  FW_TRY(WriteSecretFile(path, pem));
  FW_ASSIGN(std::vector<Key> keys, Read());
  return Publish(std::move(keys), now);
}

Status SigningKeys::Reload(int64_t now) {
  FW_ASSIGN(std::vector<Key> keys, Read());
  if (keys.empty()) {
    return Unusable(fmt::format("\"{}\": there is no key to sign with", options_.directory));
  }
  return Publish(std::move(keys), now);
}

Result<std::string> SigningKeys::NewKey() {
  const auto failed = [](std::string_view call) {
    ERR_clear_error();
    return Error{ErrorKind::kOther, ErrorSource::kInternal, fmt::format("{}() failed", call), 0};
  };
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_RSA_gen(kBits));
  if (key == nullptr) return failed("EVP_RSA_gen");
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_secmem()));
  if (out == nullptr ||
      PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("PEM_write_bio_PrivateKey");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace framewall::backend::auth
