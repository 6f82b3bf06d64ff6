// proxy_ssl_*: TLS towards upstreams.
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/directives/tls_words.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kProxy = &LocationSettings::proxy;
constexpr auto kTls = &ProxySettings::tls;
using Tls = ProxyTlsSettings;

// A path beside the configuration, which may hold names; "data:" and "engine:" are no paths.
template <Template Tls::*kMember>
void Certificate(BuildContext& context, const Directive& directive) {
  Tls& tls = context.settings->proxy.tls;
  if (auto value = ReadCertificatePath(context, directive)) {
    tls.*kMember = std::move(*value);
    tls.at = directive.at;
  }
}

void ApplyConfCommand(BuildContext& context, const Directive& directive) {
  auto& commands = context.settings->proxy.tls.conf_commands;
  if (context.first_in_block) commands.clear();
  commands.emplace_back(directive.args[0], directive.args[1]);
}

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    {.name = "proxy_ssl_protocols",
     .contexts = kHsl,
     .arity = {1, kMany},
     .apply = Mask<kTlsProtocols, kProxy, kTls, &Tls::protocols>,
     .repeatable = true,
     .doc = "TLSv1 | TLSv1.1 | TLSv1.2 | TLSv1.3 ..."},
    One("proxy_ssl_ciphers", kHsl, Text<kProxy, kTls, &Tls::ciphers>,
        "LIST: in OpenSSL's form; DEFAULT unless set"),
    One("proxy_ssl_certificate", kHsl, Certificate<&Tls::certificate>,
        "FILE: of ours, in PEM, for upstreams that ask"),
    One("proxy_ssl_certificate_key", kHsl, Certificate<&Tls::certificate_key>,
        "FILE: its private key"),
    One("proxy_ssl_password_file", kHsl, ConfigPath<kProxy, kTls, &Tls::password_file>,
        "FILE: passwords of private keys, one a line"),
    One("proxy_ssl_trusted_certificate", kHsl, ConfigPath<kProxy, kTls, &Tls::trusted_certificate>,
        "FILE: authorities that upstreams are checked against"),
    One("proxy_ssl_crl", kHsl, ConfigPath<kProxy, kTls, &Tls::crl>,
        "FILE: revoked certificates, in PEM"),
    One("proxy_ssl_verify", kHsl, Flag<kProxy, kTls, &Tls::verify>,
        "on | off: check the upstream's certificate; off unless set"),
    One("proxy_ssl_verify_depth", kHsl, Number<kProxy, kTls, &Tls::verify_depth>,
        "NUMBER: of the chain; 1 unless set"),
    One("proxy_ssl_server_name", kHsl, Flag<kProxy, kTls, &Tls::server_name>,
        "on | off: send the name (SNI); off unless set"),
    One("proxy_ssl_name", kHsl, TemplateText<kProxy, kTls, &Tls::name>,
        "NAME: that is sent and checked; $proxy_host unless set"),
    One("proxy_ssl_session_reuse", kHsl, Flag<kProxy, kTls, &Tls::session_reuse>,
        "on | off: resume sessions; on unless set"),
    List("proxy_ssl_conf_command", kHsl, {2, 2}, ApplyConfCommand,
         "NAME VALUE: any command of OpenSSL's configuration"),
};

}  // namespace

std::span<const DirectiveSpec> ProxyTlsDirectives() { return kRows; }

}  // namespace framewall::config
