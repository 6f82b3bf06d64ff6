// Runs a subrequest (exchange/subrequest.h): an exchange and a driver of its own, over a client
// that only writes down what it is sent.
#pragma once

#include <memory>

#include "proxy/exchange/subrequest.h"
#include "proxy/server/services.h"

namespace framewall::server {

// In the server of `parent`. Services outlive the handle; so does `parent` unless
// `options.detached`.
std::unique_ptr<exchange::Subrequest> StartSubrequest(Services& services,
                                                      exchange::Exchange& parent,
                                                      const exchange::SubrequestOptions& options,
                                                      exchange::SubrequestCallback callback);

// For no client: FilterServices::start_subrequest.
std::unique_ptr<exchange::Subrequest> StartClientlessSubrequest(
    Services& services, const config::ServerConfig& server,
    const exchange::SubrequestOptions& options, exchange::SubrequestCallback callback);

}  // namespace framewall::server
