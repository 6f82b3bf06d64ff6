#include "proxy/tls/openssl_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

namespace framewall::tls {
namespace {

constexpr int kPeerReasons[] = {
    SSL_R_BAD_CHANGE_CIPHER_SPEC,
    SSL_R_NO_SUITABLE_KEY_SHARE,
    SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
    SSL_R_BLOCK_CIPHER_PAD_IS_WRONG,
    SSL_R_DIGEST_CHECK_FAILED,
    SSL_R_ERROR_IN_RECEIVED_CIPHER_LIST,
    SSL_R_EXCESSIVE_MESSAGE_SIZE,
    SSL_R_HTTPS_PROXY_REQUEST,
    SSL_R_HTTP_REQUEST,
    SSL_R_LENGTH_MISMATCH,
    SSL_R_LENGTH_TOO_SHORT,
    SSL_R_PACKET_LENGTH_TOO_LONG,
    SSL_R_NO_CIPHERS_SPECIFIED,
    SSL_R_NO_COMPRESSION_SPECIFIED,
    SSL_R_NO_SHARED_CIPHER,
    SSL_R_RECORD_LENGTH_MISMATCH,
    SSL_R_CLIENTHELLO_TLSEXT,
    SSL_R_PARSE_TLSEXT,
    SSL_R_CALLBACK_FAILED,
    SSL_R_NO_APPLICATION_PROTOCOL,
    SSL_R_UNEXPECTED_MESSAGE,
    SSL_R_UNEXPECTED_RECORD,
    SSL_R_UNKNOWN_ALERT_TYPE,
    SSL_R_UNKNOWN_PROTOCOL,
    SSL_R_UNSUPPORTED_PROTOCOL,
    SSL_R_NO_SHARED_GROUPS,
    SSL_R_WRONG_VERSION_NUMBER,
    SSL_R_BAD_LENGTH,
    SSL_R_BAD_EXTENSION,
    SSL_R_BAD_KEY_SHARE,
    SSL_R_BAD_LEGACY_VERSION,
    SSL_R_BAD_RECORD_TYPE,
    SSL_R_DATA_LENGTH_TOO_LONG,
    SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC,
    SSL_R_ENCRYPTED_LENGTH_TOO_LONG,
    SSL_R_RENEGOTIATE_EXT_TOO_LONG,
    SSL_R_RENEGOTIATION_ENCODING_ERR,
    SSL_R_RENEGOTIATION_MISMATCH,
    SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED,
    SSL_R_SCSV_RECEIVED_WHEN_RENEGOTIATING,
    SSL_R_INAPPROPRIATE_FALLBACK,
    SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
    SSL_R_CERT_CB_ERROR,
    SSL_R_VERSION_TOO_LOW,
    SSL_R_TOO_MANY_WARN_ALERTS,
    SSL_R_UNEXPECTED_EOF_WHILE_READING,
};

}  // namespace

std::string OpenSslText(std::string_view what) {
  std::string text(what);
  const char* data = nullptr;
  int flags = 0;
  bool first = true;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    text += first ? " (SSL: " : " ";
    first = false;
    char buffer[256];
    ERR_error_string_n(code, buffer, sizeof buffer);
    text += buffer;
    if (data != nullptr && *data != '\0' && (flags & ERR_TXT_STRING) != 0) {
      text += ':';
      text += data;
    }
  }
  if (!first) text += ')';
  return text;
}

Error OpenSslError(std::string_view what) { return OperatorError(OpenSslText(what)); }

bool OldestErrorIsThePeers() {
  const unsigned long code = ERR_peek_error();
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
  const int reason = ERR_GET_REASON(code);
  // Alerts received are reported as their number and 1000.
  return (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) ||
         std::find(std::begin(kPeerReasons), std::end(kPeerReasons), reason) !=
             std::end(kPeerReasons);
}

}  // namespace framewall::tls
