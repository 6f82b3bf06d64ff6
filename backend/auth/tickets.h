// Socket tickets: browsers cannot give a WebSocket handshake an Authorization field, and an address
// with a token in it ends in logs. A ticket in the address is worth nothing after its first use, or
// after 30 seconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/base/identity.h"

namespace framewall::backend::auth {

class Tickets {
 public:
  virtual ~Tickets() = default;
  // Who asked for the ticket; nothing where there is no such ticket (any more), or what it was
  // asked with has ended since. It is gone afterwards.
  virtual std::optional<Identity> Redeem(std::string_view ticket) = 0;
};

}  // namespace framewall::backend::auth
