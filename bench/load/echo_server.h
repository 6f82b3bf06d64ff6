// An upstream that says what it hears: WebSocket messages come back as they are.
#pragma once

#include <cstdint>

namespace framewall::load {

// Serves until the process is ended.
[[noreturn]] void ServeEcho(uint16_t port);

}  // namespace framewall::load
