// Masking (RFC 6455 5.3): each octet of a frame's payload is XORed with a key of four.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace framewall::ws {

using MaskKey = std::array<char, 4>;

// A key for one frame, from the kernel's CSPRNG through the pool of base/digest.h. The pool is
// emptied in a forked child, so no two processes ever share keys, whoever drew first.
MaskKey NewMaskKey();

// XORs in place. `offset` is the place of data[0] in the frame's payload: pieces may have any size.
void ApplyMask(char* data, size_t size, MaskKey key, uint64_t offset = 0);
// The same from `from` into `to`, in one pass. They do not overlap.
void CopyMasked(char* to, const char* from, size_t size, MaskKey key, uint64_t offset = 0);

}  // namespace framewall::ws
