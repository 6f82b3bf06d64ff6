// ssl_*: TLS towards clients, per server.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/parse.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

enum TlsProtocol : uint32_t {
  kSslV2 = 1 << 0,
  kSslV3 = 1 << 1,
  kTlsV1 = 1 << 2,
  kTlsV11 = 1 << 3,
  kTlsV12 = 1 << 4,
  kTlsV13 = 1 << 5,
};

enum class VerifyClient : uint8_t { kOff, kOn, kOptional, kOptionalNoCa };

struct TlsSettings {
  std::vector<Template> certificates;  // ssl_certificate, replaced as a list
  std::vector<Template> certificate_keys;
  std::string password_file;
  uint32_t protocols = kTlsV1 | kTlsV11 | kTlsV12 | kTlsV13;  // nginx 1.22
  std::string ciphers = "HIGH:!aNULL:!MD5";
  bool prefer_server_ciphers = false;
  std::string ecdh_curve = "auto";
  std::string dhparam;
  std::string session_cache = "none";  // as written: "off", "none", "builtin:1000 shared:SSL:10m"
  Milliseconds session_timeout{300000};
  bool session_tickets = true;
  std::vector<std::string> session_ticket_keys;
  VerifyClient verify_client = VerifyClient::kOff;
  int verify_depth = 1;
  std::string client_certificate;
  std::string trusted_certificate;
  std::string crl;
  bool reject_handshake = false;
  uint64_t buffer_size = 16384;
  bool stapling = false;
  std::string stapling_file;
  std::string stapling_responder;
  bool stapling_verify = false;
  std::string ocsp_responder;
  std::string ocsp_cache = "off";
  bool early_data = false;
  std::vector<std::pair<std::string, std::string>> conf_commands;
  SourceLocation at;
};

}  // namespace framewall::config
