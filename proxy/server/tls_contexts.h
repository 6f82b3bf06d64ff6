// TLS contexts of all servers of a configuration, made in the master while it may read keys.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/tls/context.h"
#include "proxy/tls/session_cache.h"

namespace framewall::server {

class TlsContexts {
 public:
  // Session caches of the same name and size go on living from `previous` (may be null). Problems
  // are errors in `diagnostics`.
  static std::unique_ptr<TlsContexts> Build(const config::Config& config,
                                            const TlsContexts* previous,
                                            config::Diagnostics& diagnostics);
  // Null where the server does not speak TLS.
  const tls::ServerTlsContext* ForServer(int server_index) const {
    return contexts_[static_cast<size_t>(server_index)].get();
  }

 private:
  struct Cache {
    size_t size;
    std::shared_ptr<tls::SharedSessionCache> cache;
  };
  Result<tls::ServerTlsOptions> OptionsOf(const config::TlsSettings& settings,
                                          const TlsContexts* previous,
                                          tls::PasswordFiles& passwords);

  std::vector<std::unique_ptr<tls::ServerTlsContext>> contexts_;
  std::map<std::string, Cache> caches_;
};

}  // namespace framewall::server
