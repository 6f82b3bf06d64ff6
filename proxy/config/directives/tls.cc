// ssl_*: TLS towards clients.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/directives/tls_words.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kTls = &ServerSettings::tls;
using Tls = TlsSettings;

constexpr std::array<Word<VerifyClient>, 4> kVerify = {
    {{"off", VerifyClient::kOff},
     {"on", VerifyClient::kOn},
     {"optional", VerifyClient::kOptional},
     {"optional_no_ca", VerifyClient::kOptionalNoCa}}};
template <std::vector<Template> Tls::*kMember>
void Certificate(BuildContext& context, const Directive& directive) {
  Tls& tls = context.server_settings->tls;
  if (context.first_in_block) (tls.*kMember).clear();
  if (auto value = ReadCertificatePath(context, directive)) {
    (tls.*kMember).push_back(std::move(*value));
    tls.at = directive.at;
  }
}

void ApplySsl(BuildContext& context, const Directive& directive) {
  const auto value = ReadFlag(context, directive);
  if (!value) return;
  if (!*value) return;
  // Accepted without effect it would serve plain text where TLS was meant.
  context.Error(directive, "\"ssl on\" is not supported, write \"listen ... ssl\" instead");
}

void ApplyOcsp(BuildContext& context, const Directive& directive) {
  if (directive.args[0] == "off") return;
  context.Error(
      directive,
      "\"ssl_ocsp\" is not available, only \"off\" is; revoked certificates of clients are "
      "refused by \"ssl_crl\"");
}

void ApplyTicketKey(BuildContext& context, const Directive& directive) {
  auto& keys = context.server_settings->tls.session_ticket_keys;
  if (context.first_in_block) keys.clear();
  keys.push_back(context.config.ConfPath(directive.args[0]));
}

void ApplyConfCommand(BuildContext& context, const Directive& directive) {
  auto& commands = context.server_settings->tls.conf_commands;
  if (context.first_in_block) commands.clear();
  commands.emplace_back(directive.args[0], directive.args[1]);
}

// "shared:NAME:SIZE", the least that nginx takes is eight pages.
bool IsSharedCache(std::string_view text) {
  const auto parts = Split(text, ':');
  if (parts.size() != 3 || parts[0] != "shared" || parts[1].empty()) return false;
  const auto size = ParseSize(parts[2]);
  return size && *size >= 8 * 4096;
}

void ApplySessionCache(BuildContext& context, const Directive& directive) {
  std::string text;
  for (const std::string& arg : directive.args) {
    const auto builtin = AfterPrefix(arg, "builtin:");
    const bool is_known = arg == "off" || arg == "none" || arg == "builtin" ||
                          (builtin && ParseUnsigned(*builtin)) || IsSharedCache(arg);
    if (!is_known) {
      context.Error(directive,
                    fmt::format("invalid session cache \"{}\", off, none, builtin[:SESSIONS] or "
                                "shared:NAME:SIZE (32k and more) was expected",
                                arg));
      return;
    }
    if (!text.empty()) text += ' ';
    text += arg;
  }
  context.server_settings->tls.session_cache = text;
}

void ApplyOcspCache(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  if (text != "off" && !IsSharedCache(text)) {
    context.Error(
        directive,
        fmt::format("invalid OCSP cache \"{}\", off or shared:NAME:SIZE was expected", text));
    return;
  }
  context.server_settings->tls.ocsp_cache = text;
}

constexpr DirectiveSpec kRows[] = {
    One("ssl", kHttpServer, ApplySsl, "off: \"listen ... ssl\" says it"),
    List("ssl_certificate", kHttpServer, {1, 1}, Certificate<&Tls::certificates>,
         "FILE: chain in PEM; one line for each kind of key"),
    List("ssl_certificate_key", kHttpServer, {1, 1}, Certificate<&Tls::certificate_keys>,
         "FILE: private key in PEM"),
    One("ssl_password_file", kHttpServer, ConfigPath<kTls, &Tls::password_file>,
        "FILE: passwords of private keys, one a line"),
    {.name = "ssl_protocols",
     .contexts = kHttpServer,
     .arity = {1, kMany},
     .apply = Mask<kTlsProtocols, kTls, &Tls::protocols>,
     .repeatable = true,
     .doc = "TLSv1 | TLSv1.1 | TLSv1.2 | TLSv1.3 ..."},
    One("ssl_ciphers", kHttpServer, Text<kTls, &Tls::ciphers>,
        "LIST: in OpenSSL's form; HIGH:!aNULL:!MD5 unless set"),
    One("ssl_prefer_server_ciphers", kHttpServer, Flag<kTls, &Tls::prefer_server_ciphers>,
        "on | off: our order of ciphers, not the client's; off unless set"),
    One("ssl_ecdh_curve", kHttpServer, Text<kTls, &Tls::ecdh_curve>,
        "LIST | auto: groups for the key exchange"),
    One("ssl_dhparam", kHttpServer, ConfigPath<kTls, &Tls::dhparam>, "FILE: DH parameters in PEM"),
    {.name = "ssl_session_cache",
     .contexts = kHttpServer,
     .arity = {1, 2},
     .apply = ApplySessionCache,
     .doc = "off | none | builtin[:SESSIONS] | shared:NAME:SIZE"},
    One("ssl_session_timeout", kHttpServer, Time<kTls, &Tls::session_timeout>,
        "TIME: a session can be resumed; 5m unless set"),
    One("ssl_session_tickets", kHttpServer, Flag<kTls, &Tls::session_tickets>,
        "on | off: on unless set"),
    List("ssl_session_ticket_key", kHttpServer, {1, 1}, ApplyTicketKey,
         "FILE: 48 or 80 octets; the first encrypts"),
    One("ssl_verify_client", kHttpServer, Enum<kVerify, kTls, &Tls::verify_client>,
        "off | on | optional | optional_no_ca"),
    One("ssl_verify_depth", kHttpServer, Number<kTls, &Tls::verify_depth>,
        "NUMBER: of the client's chain; 1 unless set"),
    One("ssl_client_certificate", kHttpServer, ConfigPath<kTls, &Tls::client_certificate>,
        "FILE: authorities for clients, whose names are sent to them"),
    One("ssl_trusted_certificate", kHttpServer, ConfigPath<kTls, &Tls::trusted_certificate>,
        "FILE: authorities whose names are not sent"),
    One("ssl_crl", kHttpServer, ConfigPath<kTls, &Tls::crl>, "FILE: revoked certificates, in PEM"),
    One("ssl_reject_handshake", kHttpServer, Flag<kTls, &Tls::reject_handshake>,
        "on | off: refuse every handshake that ends in this server"),
    One("ssl_buffer_size", kHttpServer, Size<kTls, &Tls::buffer_size>,
        "SIZE: of pieces on their way out; 16k unless set"),
    One("ssl_stapling", kHttpServer, Flag<kTls, &Tls::stapling>, "on | off: staple OCSP answers"),
    One("ssl_stapling_file", kHttpServer, ConfigPath<kTls, &Tls::stapling_file>,
        "FILE: the OCSP answer, in DER"),
    One("ssl_stapling_responder", kHttpServer, Text<kTls, &Tls::stapling_responder>,
        "URL: instead of the certificate's own"),
    One("ssl_stapling_verify", kHttpServer, Flag<kTls, &Tls::stapling_verify>,
        "on | off: check the OCSP answer"),
    One("ssl_ocsp", kHttpServer, ApplyOcsp,
        "off: asking for the state of clients' certificates is not available"),
    One("ssl_ocsp_responder", kHttpServer, Text<kTls, &Tls::ocsp_responder>,
        "URL: instead of the certificate's own"),
    One("ssl_ocsp_cache", kHttpServer, ApplyOcspCache, "off | shared:NAME:SIZE"),
    One("ssl_early_data", kHttpServer, Flag<kTls, &Tls::early_data>,
        "on | off: TLS 1.3 early data; off unless set"),
    List("ssl_conf_command", kHttpServer, {2, 2}, ApplyConfCommand,
         "NAME VALUE: any command of OpenSSL's configuration"),
};

}  // namespace

std::span<const DirectiveSpec> TlsDirectives() { return kRows; }

std::optional<Template> ReadCertificatePath(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  if (text.starts_with("engine:")) {
    context.Error(directive, fmt::format("\"{}\" in \"{}\" directive: OpenSSL engines are not "
                                         "supported, a file was expected",
                                         text, directive.name));
    return std::nullopt;
  }
  const bool is_path = !text.empty() && !text.starts_with("data:") && !text.starts_with('$');
  return ReadTemplate(context, directive, is_path ? context.config.ConfPath(text) : text);
}

}  // namespace framewall::config
