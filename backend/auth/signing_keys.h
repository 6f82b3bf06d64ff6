// The keys that sign access tokens: RSA in PEM files, one of them signing, the others published
// beside it before and after their time (key_plan.h). On the loop, but where it says otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/auth/key_plan.h"
#include "backend/auth/secret_file.h"
#include "proxy/base/result.h"
#include "proxy/jwt/key_set.h"
#include "proxy/jwt/sign.h"

namespace framewall::backend::auth {

class SigningKeys {
 public:
  struct Options {
    std::string directory;
    // kOurs: KID.pem, made and deleted here; KID is an id (UUID version 7), which says when it was
    // made. kMounted: NAME.pem, of which the last by name signs and all verify; nothing is written.
    SecretPlace place = SecretPlace::kOurs;
    // A mounted directory that lies in ours: its files may be read as little as ours.
    bool is_inside_ours = false;
    KeyPolicy policy;
  };

  // Reads the directory. In ours the first key is made where there is none, which takes up to a
  // second; in a mounted one that is an error.
  static Result<std::unique_ptr<SigningKeys>> Load(Options options, int64_t now);

  // A compact token with `typ` at+jwt.
  Result<std::string> Sign(std::string_view claims) const;
  // Those that verify, and the same as a JWK Set for others.
  const jwt::KeySet& verifying() const { return *verifying_; }
  const std::string& published() const { return published_; }
  std::string_view signer() const { return keys_[plan_.signer].kid; }

  // Who signs may change with time; deletes what is obsolete. True: it is time for a new key.
  Result<bool> Advance(int64_t now);
  // Takes a key of NewKey. Requires: kOurs.
  Status Add(std::string_view pem, int64_t now);
  // Reads the directory again; keeps what it has where that fails.
  Status Reload(int64_t now);

  // RSA, 2048 bits, in PEM. From any thread; takes up to a second.
  static Result<std::string> NewKey();

 private:
  struct Key {
    std::string kid;
    std::string path;
    int64_t made = 0;
    jwt::Signer signer;
  };
  explicit SigningKeys(Options options) : options_(std::move(options)) {}
  Result<std::vector<Key>> Read() const;
  Status Publish(std::vector<Key> keys, int64_t now);

  Options options_;
  std::vector<Key> keys_;  // oldest first
  KeyPlan plan_;
  std::unique_ptr<jwt::KeySet> verifying_;
  std::string published_;
};

}  // namespace framewall::backend::auth
