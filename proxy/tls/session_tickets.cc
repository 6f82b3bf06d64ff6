#include "proxy/tls/session_tickets.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proxy/base/unique_fd.h"

namespace framewall::tls {
namespace {

int KeysIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

Error FileError(const char* call, const std::string& path) {
  Error error = SystemError(std::string(call) + " \"" + path + "\" failed", errno);
  error.source = ErrorSource::kOperator;
  return error;
}

}  // namespace

Result<std::unique_ptr<SessionTicketKeys>> SessionTicketKeys::Load(
    const std::vector<std::string>& paths) {
  auto keys = std::make_unique<SessionTicketKeys>();
  for (const std::string& path : paths) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return FileError("open()", path);
    unsigned char bytes[81];  // one more than the longest, to see that it is longer
    size_t size = 0;
    while (size < sizeof bytes) {
      const ssize_t got = ::read(fd.get(), bytes + size, sizeof bytes - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError("read()", path);
      if (got == 0) break;
      size += static_cast<size_t>(got);
    }
    if (size != 48 && size != 80) {
      return OperatorError("\"" + path + "\" must be 48 or 80 bytes");
    }
    Key& key = keys->keys_.emplace_back();
    std::memcpy(key.name.data(), bytes, 16);
    if (size == 48) {
      key.size = 16;
      std::memcpy(key.aes.data(), bytes + 16, 16);
      std::memcpy(key.hmac.data(), bytes + 32, 16);
    } else {
      key.size = 32;
      std::memcpy(key.hmac.data(), bytes + 16, 32);
      std::memcpy(key.aes.data(), bytes + 48, 32);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
  }
  return keys;
}

SessionTicketKeys::~SessionTicketKeys() {
  OPENSSL_cleanse(keys_.data(), keys_.size() * sizeof(Key));
}

void SessionTicketKeys::Attach(SSL_CTX* context) const {
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, OnTicket);
}

void SessionTicketKeys::Bind(SSL* connection) const {
  SSL_set_ex_data(connection, KeysIndex(), const_cast<SessionTicketKeys*>(this));
}

bool SessionTicketKeys::Start(const Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                              EVP_MAC_CTX* mac, int encrypt) const {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                        const_cast<unsigned char*>(key.hmac.data()), key.size),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const EVP_CIPHER* algorithm = key.size == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
  return EVP_CipherInit_ex(cipher, algorithm, nullptr, key.aes.data(), iv, encrypt) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// See SSL_CTX_set_tlsext_ticket_key_evp_cb(3): -1 error, 0 unknown key, 1 done, 2 done and renew.
int SessionTicketKeys::OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv,
                                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
  const auto* keys = static_cast<const SessionTicketKeys*>(SSL_get_ex_data(ssl, KeysIndex()));
  if (keys == nullptr || keys->keys_.empty()) return -1;
  if (encrypt == 1) {
    const Key& key = keys->keys_.front();
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::memcpy(name, key.name.data(), key.name.size());
    return keys->Start(key, iv, cipher, mac, 1) ? 1 : -1;
  }
  for (const Key& key : keys->keys_) {
    if (std::memcmp(name, key.name.data(), key.name.size()) != 0) continue;
    if (!keys->Start(key, iv, cipher, mac, 0)) return -1;
    // A TLS 1.3 ticket is for one use (RFC 8446 C.4); an old key's ticket is replaced.
    return SSL_version(ssl) == TLS1_3_VERSION || &key != &keys->keys_.front() ? 2 : 1;
  }
  return 0;
}

}  // namespace framewall::tls
