// TLS contexts towards upstreams, made in the master while keys can be read and a mistake still
// stops the start; workers inherit them.
#pragma once

#include <memory>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/tls/context.h"

namespace framewall::upstream {

class ClientTls {
 public:
  // Null where the location never speaks TLS to an upstream.
  const tls::ClientTlsContext* ForLocation(int location_id) const {
    const auto index = static_cast<size_t>(location_id);
    return index < by_location_.size() ? by_location_[index] : nullptr;
  }

 private:
  friend std::unique_ptr<ClientTls> BuildClientTls(const config::Config& config,
                                                   config::Diagnostics& diagnostics);
  std::vector<std::unique_ptr<tls::ClientTlsContext>> contexts_;
  std::vector<const tls::ClientTlsContext*> by_location_;
};

// One context for each different set of proxy_ssl_* settings in use. Problems are errors in
// `diagnostics`; the result is then of no use.
std::unique_ptr<ClientTls> BuildClientTls(const config::Config& config,
                                          config::Diagnostics& diagnostics);

}  // namespace framewall::upstream
