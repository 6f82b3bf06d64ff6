// OpenSSL's error queue as text, in nginx's form.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/error.h"

namespace framewall::tls {

// `what` and everything queued: "SSL_read() failed (SSL: error:0A000126:SSL routines::...)".
// Empties the queue.
std::string OpenSslText(std::string_view what);
// The same as an error of configuration.
Error OpenSslError(std::string_view what);
// Is the oldest queued error something a peer does (a bad handshake, an alert), not a fault here?
// nginx logs these at info, others at crit.
bool OldestErrorIsThePeers();

}  // namespace framewall::tls
