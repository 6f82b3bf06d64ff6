#include "proxy/ws/mask.h"

#include <cstring>
#include <string>

#include "proxy/base/digest.h"

namespace framewall::ws {
namespace {

// One register of SSE2 or NEON: every machine we build for has it.
using Block = uint64_t __attribute__((vector_size(16)));

Block Load(const char* from) {
  Block block;
  std::memcpy(&block, from, sizeof block);
  return block;
}

void Store(char* to, Block block) { std::memcpy(to, &block, sizeof block); }

// `to` is `from`, or apart from it. The key repeats every four octets, so in steps of a multiple of
// four the same turned key serves throughout.
void Xor(char* to, const char* from, size_t size, MaskKey key, uint64_t offset) {
  std::array<char, sizeof(Block)> turned;
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  const Block mask = Load(turned.data());

  size_t i = 0;
  for (; i + 4 * sizeof(Block) <= size; i += 4 * sizeof(Block)) {
    const Block a = Load(from + i);
    const Block b = Load(from + i + sizeof(Block));
    const Block c = Load(from + i + 2 * sizeof(Block));
    const Block d = Load(from + i + 3 * sizeof(Block));
    Store(to + i, a ^ mask);
    Store(to + i + sizeof(Block), b ^ mask);
    Store(to + i + 2 * sizeof(Block), c ^ mask);
    Store(to + i + 3 * sizeof(Block), d ^ mask);
  }
  for (; i + sizeof(Block) <= size; i += sizeof(Block)) Store(to + i, Load(from + i) ^ mask);
  for (; i < size; ++i) to[i] = static_cast<char>(from[i] ^ turned[i % turned.size()]);
}

}  // namespace

MaskKey NewMaskKey() {
  const std::string octets = RandomBytes(sizeof(MaskKey));
  MaskKey key;
  std::memcpy(key.data(), octets.data(), key.size());
  return key;
}

void ApplyMask(char* data, size_t size, MaskKey key, uint64_t offset) {
  Xor(data, data, size, key, offset);
}

void CopyMasked(char* to, const char* from, size_t size, MaskKey key, uint64_t offset) {
  Xor(to, from, size, key, offset);
}

}  // namespace framewall::ws
