// Hashes over OpenSSL and zlib: raw octets in, raw octets out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace framewall {

std::string Md5(std::string_view bytes);     // 16 octets; for $apr1$ and ETag only, never security
std::string Sha1(std::string_view bytes);    // 20 octets; RFC 6455 and {SHA}
std::string Sha256(std::string_view bytes);  // 32 octets
uint32_t Crc32(std::string_view bytes);      // as zlib
// SipHash-2-4: a keyed hash for tables that clients fill.
uint64_t SipHash(const std::array<uint64_t, 2>& key, std::string_view bytes);
// Octets from the kernel's CSPRNG.
void FillRandom(char* out, size_t size);
// The same; a few octets come from a pool that the process fills now and then.
std::string RandomBytes(size_t size);
// In time that does not depend on where they differ.
bool EqualsConstantTime(std::string_view a, std::string_view b);

}  // namespace framewall
