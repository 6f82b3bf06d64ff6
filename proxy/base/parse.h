// Numbers, sizes and times as nginx writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace framewall {

using Milliseconds = std::chrono::milliseconds;

// Decimal digits only, no sign, no space; nothing where it overflows.
std::optional<uint64_t> ParseUnsigned(std::string_view text);
// Hex digits only, at least one; nothing where it overflows.
std::optional<uint64_t> ParseHex(std::string_view text);

// "10", "8k", "1m", "2g" (either case), in octets.
std::optional<uint64_t> ParseSize(std::string_view text);

// nginx's time: "30", "30s", "1m30s", "100ms", "1h", "1d", "1w", "1M", "1y"; units
// descending, each once. A bare number means seconds.
std::optional<Milliseconds> ParseTime(std::string_view text);

// "on" / "off", either case.
std::optional<bool> ParseFlag(std::string_view text);

}  // namespace framewall
