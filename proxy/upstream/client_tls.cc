#include "proxy/upstream/client_tls.h"

#include <map>
#include <string>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/tls/certificate_files.h"

namespace framewall::upstream {
namespace {

// Everything that makes two contexts different, as one text.
std::string KeyOf(const config::ProxyTlsSettings& settings) {
  std::string key;
  const auto add = [&key](std::string_view part) {
    key.append(part);
    key.push_back('\0');
  };
  add(std::to_string(settings.protocols));
  add(settings.ciphers);
  add(settings.certificate.source);
  add(settings.certificate_key.source);
  add(settings.password_file);
  add(settings.trusted_certificate);
  add(settings.crl);
  add(settings.verify ? "verify" : "");
  add(std::to_string(settings.verify_depth));
  add(settings.server_name ? "sni" : "");
  add(settings.session_reuse ? "reuse" : "");
  for (const auto& [name, value] : settings.conf_commands) {
    add(name);
    add(value);
  }
  return key;
}

class Builder {
 public:
  Builder(config::Diagnostics& diagnostics,
          std::vector<std::unique_ptr<tls::ClientTlsContext>>& contexts,
          std::vector<const tls::ClientTlsContext*>& by_location)
      : diagnostics_(diagnostics), contexts_(contexts), by_location_(by_location) {}

  void Visit(const config::LocationConfig& location) {
    // A URL with names may turn out to be https.
    if (location.proxy_pass.set &&
        (location.proxy_pass.secure || location.proxy_pass.has_variables)) {
      const auto index = static_cast<size_t>(location.id);
      if (index >= by_location_.size()) by_location_.resize(index + 1);
      by_location_[index] = ContextFor(location);
    }
    Visit(location.rewrite);
    if (location.limit_except != nullptr) Visit(*location.limit_except);
    for (const auto& inner : location.locations) Visit(*inner);
  }

 private:
  void Visit(const config::RewriteProgram& program) {
    for (const config::RewriteInstruction& instruction : program) {
      if (instruction.location != nullptr) Visit(*instruction.location);
      Visit(instruction.block);
    }
  }

  const tls::ClientTlsContext* ContextFor(const config::LocationConfig& location) {
    const config::ProxyTlsSettings& settings = location.settings.proxy.tls;
    const auto [known, is_new] = by_key_.try_emplace(KeyOf(settings), nullptr);
    if (!is_new) return known->second;
    const config::SourceLocation& at =
        settings.at.file.empty() ? location.proxy_pass.at : settings.at;

    tls::ClientTlsOptions options;
    if (settings.protocols != 0) options.protocols = settings.protocols;
    options.ciphers = settings.ciphers;
    options.verify = settings.verify;
    options.verify_depth = settings.verify_depth;
    options.trusted_certificate_file = settings.trusted_certificate;
    options.crl_file = settings.crl;
    options.send_server_name = settings.server_name;
    options.session_reuse = settings.session_reuse;
    options.conf_commands = settings.conf_commands;
    if (settings.verify && settings.trusted_certificate.empty() && location.proxy_pass.secure) {
      diagnostics_.Error(location.proxy_pass.at,
                         "no proxy_ssl_trusted_certificate for proxy_ssl_verify");
      return nullptr;
    }
    if (!settings.certificate.empty()) {
      if (settings.certificate_key.empty()) {
        diagnostics_.Error(at, "no \"proxy_ssl_certificate_key\" is defined for certificate \"" +
                                   settings.certificate.source + "\"");
        return nullptr;
      }
      // With names in them they are read for each connection.
      if (settings.certificate.constant() && settings.certificate_key.constant()) {
        options.certificate = {std::string(settings.certificate.constant_text()),
                               std::string(settings.certificate_key.constant_text())};
      }
    }
    if (!settings.password_file.empty()) {
      auto passwords = passwords_.Read(settings.password_file);
      if (!passwords.ok()) {
        diagnostics_.Error(at, passwords.error().message);
        return nullptr;
      }
      options.passwords = std::move(passwords).value();
    }
    auto context = tls::ClientTlsContext::Create(options);
    if (!context.ok()) {
      diagnostics_.Error(at, context.error().message);
      return nullptr;
    }
    contexts_.push_back(std::move(context).value());
    known->second = contexts_.back().get();
    return known->second;
  }

  config::Diagnostics& diagnostics_;
  std::vector<std::unique_ptr<tls::ClientTlsContext>>& contexts_;
  std::vector<const tls::ClientTlsContext*>& by_location_;
  std::map<std::string, const tls::ClientTlsContext*> by_key_;
  tls::PasswordFiles passwords_;
};

}  // namespace

std::unique_ptr<ClientTls> BuildClientTls(const config::Config& config,
                                          config::Diagnostics& diagnostics) {
  auto result = std::make_unique<ClientTls>();
  Builder builder(diagnostics, result->contexts_, result->by_location_);
  for (const auto& server : config.http.servers) builder.Visit(server->root);
  return result;
}

}  // namespace framewall::upstream
