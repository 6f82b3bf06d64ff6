// Keys of session tickets from files (`ssl_session_ticket_key`), so that several machines can open
// each other's tickets. Without files OpenSSL's own keys serve: made in the master, inherited by
// all workers.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace framewall::tls {

class SessionTicketKeys {
 public:
  // Files of 48 (AES-128) or 80 (AES-256) octets; the first encrypts.
  static Result<std::unique_ptr<SessionTicketKeys>> Load(const std::vector<std::string>& paths);
  ~SessionTicketKeys();

  // Makes `context` ask for keys, and connections that begin with it use these, which outlive both.
  // (A connection may change its context for the server that it names, but not its tickets.)
  void Attach(SSL_CTX* context) const;
  void Bind(SSL* connection) const;

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> hmac{};
    std::array<unsigned char, 32> aes{};
    size_t size = 0;  // of hmac and aes: 16 or 32
  };
  static int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int encrypt);
  bool Start(const Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
             int encrypt) const;
  std::vector<Key> keys_;
};

}  // namespace framewall::tls
