// $ssl_*: what TLS knows of the connection.
#include <time.h>

#include "proxy/base/encoding.h"
#include "proxy/event/stream.h"
#include "proxy/exchange/builtin_variables.h"

namespace framewall::exchange {
namespace {

// One row is one question to TlsInfo; without TLS every one is absent.
template <std::string (event::TlsInfo::*Question)() const>
void Ask(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.connection.tls == nullptr) return SetAbsent(value);
  const std::string text = (exchange.connection.tls->*Question)();
  if (text.empty()) return SetAbsent(value);
  SetCopy(exchange, value, text);
}

void GetSessionReused(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.connection.tls == nullptr) return SetAbsent(value);
  SetView(value, exchange.connection.tls->SessionReused() ? "r" : ".");
}

// The certificate with every line but the first indented by a tab, for a field's value.
void GetClientCert(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.connection.tls == nullptr) return SetAbsent(value);
  const std::string pem = exchange.connection.tls->PeerCertificatePem();
  if (pem.empty()) return SetAbsent(value);
  std::string folded;
  for (size_t i = 0; i < pem.size(); ++i) {
    if (pem[i] == '\n' && i + 1 == pem.size()) break;
    folded += pem[i];
    if (pem[i] == '\n') folded += '\t';
  }
  SetCopy(exchange, value, folded);
}

void GetClientEscapedCert(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.connection.tls == nullptr) return SetAbsent(value);
  const std::string pem = exchange.connection.tls->PeerCertificatePem();
  if (pem.empty()) return SetAbsent(value);
  SetCopy(exchange, value, PercentEncode(pem, UriEscape::kUriComponent));
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "ssl_protocol", .get = Ask<&event::TlsInfo::Protocol>},
    {.name = "ssl_cipher", .get = Ask<&event::TlsInfo::Cipher>},
    {.name = "ssl_ciphers", .get = Ask<&event::TlsInfo::Ciphers>},
    {.name = "ssl_curve", .get = Ask<&event::TlsInfo::Curve>},
    {.name = "ssl_curves", .get = Ask<&event::TlsInfo::Curves>},
    {.name = "ssl_session_id", .get = Ask<&event::TlsInfo::SessionId>},
    {.name = "ssl_session_reused", .get = GetSessionReused},
    {.name = "ssl_server_name", .get = Ask<&event::TlsInfo::ServerName>},
    {.name = "ssl_alpn_protocol", .get = Ask<&event::TlsInfo::Alpn>},
    {.name = "ssl_early_data", .get = Ask<&event::TlsInfo::EarlyData>},
    {.name = "ssl_client_cert", .get = GetClientCert},
    {.name = "ssl_client_raw_cert", .get = Ask<&event::TlsInfo::PeerCertificatePem>},
    {.name = "ssl_client_escaped_cert", .get = GetClientEscapedCert},
    {.name = "ssl_client_s_dn", .get = Ask<&event::TlsInfo::PeerSubject>},
    {.name = "ssl_client_i_dn", .get = Ask<&event::TlsInfo::PeerIssuer>},
    {.name = "ssl_client_s_dn_legacy", .get = Ask<&event::TlsInfo::PeerSubjectLegacy>},
    {.name = "ssl_client_i_dn_legacy", .get = Ask<&event::TlsInfo::PeerIssuerLegacy>},
    {.name = "ssl_client_serial", .get = Ask<&event::TlsInfo::PeerSerial>},
    {.name = "ssl_client_fingerprint", .get = Ask<&event::TlsInfo::PeerFingerprint>},
    {.name = "ssl_client_verify", .get = Ask<&event::TlsInfo::VerifyText>},
    {.name = "ssl_client_v_start", .get = Ask<&event::TlsInfo::PeerNotBefore>},
    {.name = "ssl_client_v_end", .get = Ask<&event::TlsInfo::PeerNotAfter>},
    {.name = "ssl_client_v_remain", .get = Ask<&event::TlsInfo::PeerDaysRemaining>},
};

}  // namespace

std::span<const BuiltinVariable> TlsVariables() { return kVariables; }

}  // namespace framewall::exchange
