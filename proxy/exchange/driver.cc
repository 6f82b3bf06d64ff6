#include "proxy/exchange/driver.h"

#include "proxy/event/stream.h"

namespace framewall::exchange {

SocketHandover::SocketHandover() = default;
SocketHandover::SocketHandover(SocketHandover&&) noexcept = default;
SocketHandover::~SocketHandover() = default;

}  // namespace framewall::exchange
