// Which of a Cluster's slots a key belongs to.
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall::redis {

inline constexpr int kSlotCount = 16384;

// CRC16 (XMODEM) of the key, or of what stands between its first "{" and the next "}" where that
// is not empty, modulo kSlotCount.
int KeySlot(std::string_view key);

}  // namespace framewall::redis
