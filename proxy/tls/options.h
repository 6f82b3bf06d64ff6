// What a TLS context is made from: plain data, filled from directives by those above.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace framewall::tls {

class SharedSessionCache;

// Bits as in `ssl_protocols`.
enum Protocol : uint32_t {
  kSslV2 = 1 << 0,  // accepted and without effect: OpenSSL has none
  kSslV3 = 1 << 1,
  kTlsV1 = 1 << 2,
  kTlsV11 = 1 << 3,
  kTlsV12 = 1 << 4,
  kTlsV13 = 1 << 5,
};

// Two paths of PEM files, or "data:" and the PEM itself.
struct CertificatePair {
  std::string certificate;
  std::string key;
};

struct ServerTlsOptions {
  std::vector<CertificatePair> certificates;
  // Certificates come at handshake time through ServerTlsHooks::certificates. Their names as
  // configured (with variables) still separate sessions of different servers.
  bool certificates_at_handshake = false;
  std::vector<std::string> certificate_names;
  // The lines of `ssl_password_file`, see PasswordFiles.
  std::vector<std::string> passwords;
  uint32_t protocols = kTlsV12 | kTlsV13;
  std::string ciphers = "HIGH:!aNULL:!MD5";
  bool prefer_server_ciphers = false;
  std::string curves = "auto";
  std::string dhparam_file;

  enum class SessionCache { kOff, kNone, kUse };
  SessionCache session_cache = SessionCache::kNone;
  bool builtin_cache = false;    // with kUse: OpenSSL's own, of each worker
  long builtin_cache_size = -1;  // sessions; -1 is OpenSSL's default
  std::shared_ptr<SharedSessionCache> shared_cache;
  std::chrono::seconds session_timeout{300};
  bool session_tickets = true;
  std::vector<std::string> ticket_key_files;  // the first encrypts, all decrypt

  bool verify_client = false;  // asks for a certificate; what to do without is the caller's
  int verify_depth = 1;
  std::string client_certificate_file;   // CAs, also named to clients
  std::string trusted_certificate_file;  // CAs, not named
  std::string crl_file;

  std::vector<std::string> alpn;  // in order of preference; ServerTlsHooks::alpn goes first
  std::vector<std::pair<std::string, std::string>> conf_commands;
  bool reject_handshake = false;
  std::string stapling_file;  // DER OCSP response
  bool early_data = false;
  size_t buffer_size = 16384;  // octets of a record at most
};

struct ClientTlsOptions {
  uint32_t protocols = kTlsV1 | kTlsV11 | kTlsV12 | kTlsV13;
  std::string ciphers = "DEFAULT";
  bool verify = false;
  int verify_depth = 1;
  std::string trusted_certificate_file;
  std::string crl_file;
  bool send_server_name = false;  // SNI
  bool session_reuse = true;
  CertificatePair certificate;  // both empty: none, or given with each connection
  std::vector<std::string> passwords;
  std::vector<std::string> alpn;
  std::vector<std::pair<std::string, std::string>> conf_commands;
};

}  // namespace framewall::tls
