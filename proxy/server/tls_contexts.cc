#include "proxy/server/tls_contexts.h"

namespace framewall::server {

std::unique_ptr<TlsContexts> TlsContexts::Build(const config::Config& config,
                                                const TlsContexts* previous,
                                                config::Diagnostics& diagnostics) {
  auto result = std::make_unique<TlsContexts>();
  tls::PasswordFiles passwords;
  for (const auto& server : config.http.servers) {
    result->contexts_.push_back(nullptr);
    const config::TlsSettings& settings = server->settings.tls;
    // A server without certificates goes on with those of its address's default server.
    if (settings.certificates.empty() && !settings.reject_handshake) continue;
    if (settings.stapling && settings.stapling_file.empty()) {
      diagnostics.Warn(settings.at,
                       "\"ssl_stapling\" ignored, there is no \"ssl_stapling_file\": asking a "
                       "responder is not available");
    }
    auto options = result->OptionsOf(settings, previous, passwords);
    if (!options.ok()) {
      diagnostics.Error(settings.at, options.error().message);
      continue;
    }
    auto context = tls::ServerTlsContext::Create(*options);
    if (!context.ok()) {
      diagnostics.Error(settings.at, context.error().message);
      continue;
    }
    result->contexts_.back() = std::move(context).value();
  }
  return result;
}

Result<tls::ServerTlsOptions> TlsContexts::OptionsOf(const config::TlsSettings& settings,
                                                     const TlsContexts* previous,
                                                     tls::PasswordFiles& passwords) {
  tls::ServerTlsOptions options;
  for (size_t i = 0; i < settings.certificates.size(); ++i) {
    const config::Template& certificate = settings.certificates[i];
    if (i >= settings.certificate_keys.size()) break;  // the configuration's check has said so
    const config::Template& key = settings.certificate_keys[i];
    options.certificate_names.push_back(certificate.source);
    if (!certificate.constant() || !key.constant()) {
      options.certificates_at_handshake = true;
      continue;
    }
    options.certificates.push_back(
        {std::string(certificate.constant_text()), std::string(key.constant_text())});
  }
  if (options.certificates_at_handshake) options.certificates.clear();
  if (!settings.password_file.empty()) {
    FW_ASSIGN(options.passwords, passwords.Read(settings.password_file));
  }
  options.protocols = settings.protocols;
  options.ciphers = settings.ciphers;
  options.prefer_server_ciphers = settings.prefer_server_ciphers;
  options.curves = settings.ecdh_curve;
  options.dhparam_file = settings.dhparam;
  FW_ASSIGN(const tls::SessionCacheSetting cache, tls::ParseSessionCache(settings.session_cache));
  using CacheKind = tls::ServerTlsOptions::SessionCache;
  switch (cache.kind) {
    case tls::SessionCacheSetting::Kind::kOff:
      options.session_cache = CacheKind::kOff;
      break;
    case tls::SessionCacheSetting::Kind::kNone:
      options.session_cache = CacheKind::kNone;
      break;
    case tls::SessionCacheSetting::Kind::kUse:
      options.session_cache = CacheKind::kUse;
      break;
  }
  options.builtin_cache = cache.builtin;
  options.builtin_cache_size = cache.builtin_size;
  if (!cache.shared_name.empty()) {
    Cache& mine = caches_[cache.shared_name];
    if (mine.cache == nullptr && previous != nullptr) {
      const auto old = previous->caches_.find(cache.shared_name);
      if (old != previous->caches_.end() && old->second.size == cache.shared_size) {
        mine = old->second;
      }
    }
    if (mine.cache == nullptr) {
      FW_ASSIGN(mine.cache, tls::SharedSessionCache::Create(cache.shared_size));
      mine.size = cache.shared_size;
    }
    options.shared_cache = mine.cache;
  }
  options.session_timeout =
      std::chrono::duration_cast<std::chrono::seconds>(settings.session_timeout);
  options.session_tickets = settings.session_tickets;
  options.ticket_key_files = settings.session_ticket_keys;
  options.verify_client = settings.verify_client != config::VerifyClient::kOff;
  options.verify_depth = settings.verify_depth;
  options.client_certificate_file = settings.client_certificate;
  options.trusted_certificate_file = settings.trusted_certificate;
  options.crl_file = settings.crl;
  options.alpn = {"http/1.1", "http/1.0", "http/0.9"};
  options.conf_commands = settings.conf_commands;
  options.reject_handshake = settings.reject_handshake;
  if (settings.stapling) options.stapling_file = settings.stapling_file;
  options.early_data = settings.early_data;
  options.buffer_size = static_cast<size_t>(settings.buffer_size);
  return options;
}

}  // namespace framewall::server
