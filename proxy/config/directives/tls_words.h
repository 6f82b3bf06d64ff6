// What ssl_* and proxy_ssl_* share.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/config/model/tls.h"
#include "proxy/config/setters.h"

namespace framewall::config {

inline constexpr std::array<Word<uint32_t>, 6> kTlsProtocols = {{{"SSLv2", kSslV2},
                                                                 {"SSLv3", kSslV3},
                                                                 {"TLSv1", kTlsV1},
                                                                 {"TLSv1.1", kTlsV11},
                                                                 {"TLSv1.2", kTlsV12},
                                                                 {"TLSv1.3", kTlsV13}}};

// The argument as a certificate or key: beside the configuration unless it is absolute, "data:...",
// or begins with a name. "engine:" is refused.
std::optional<Template> ReadCertificatePath(BuildContext& context, const Directive& directive);

}  // namespace framewall::config
