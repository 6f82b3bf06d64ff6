#include "proxy/base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace framewall {

void* Arena::Allocate(size_t size) {
  constexpr size_t kAlign = alignof(std::max_align_t);
  const size_t skip = (kAlign - reinterpret_cast<uintptr_t>(next_) % kAlign) % kAlign;
  if (next_ != nullptr && skip + size <= left_) {
    char* result = next_ + skip;
    next_ += skip + size;
    left_ -= skip + size;
    return result;
  }
  return Refill(size);
}

char* Arena::AllocateChars(size_t size) {
  if (size > left_) return Refill(size);
  char* result = next_;
  next_ += size;
  left_ -= size;
  return result;
}

std::string_view Arena::Copy(std::string_view text) {
  if (text.empty()) return {};
  char* copy = AllocateChars(text.size());
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

std::string_view Arena::Join(std::string_view a, std::string_view b) {
  char* copy = AllocateChars(a.size() + b.size() + 1);
  if (!a.empty()) std::memcpy(copy, a.data(), a.size());
  if (!b.empty()) std::memcpy(copy + a.size(), b.data(), b.size());
  return {copy, a.size() + b.size()};
}

void Arena::Reset() {
  if (blocks_.empty()) return;
  // A large piece's own block is not worth its memory; the first block is never larger.
  auto kept = blocks_.begin();
  for (auto block = kept; block != blocks_.end(); ++block) {
    if (block->size <= block_size_ && (kept->size > block_size_ || block->size > kept->size))
      kept = block;
  }
  if (kept != blocks_.begin()) std::swap(*kept, blocks_.front());
  blocks_.resize(1);
  reserved_ = blocks_[0].size;
  next_ = blocks_[0].memory.get();
  left_ = blocks_[0].size;
}

char* Arena::Refill(size_t size) {
  const size_t doubled = kFirstBlock << std::min<size_t>(blocks_.size(), 16);
  const size_t wanted = std::max(size, std::min(block_size_, doubled));
  blocks_.push_back({std::unique_ptr<char[]>(new char[wanted]), wanted});
  reserved_ += wanted;
  char* start = blocks_.back().memory.get();
  // A large piece gets a block of its own; the current block stays in use.
  if (size > block_size_ / 2 && next_ != nullptr) return start;
  next_ = start + size;
  left_ = wanted - size;
  return start;
}

}  // namespace framewall
