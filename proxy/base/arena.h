// Memory that is freed all at once: what belongs to one exchange goes with it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace framewall {

class Arena {
 public:
  // Blocks double from this size up to `block_size`: what lives long and holds little stays small.
  static constexpr size_t kFirstBlock = 1024;

  // `block_size`: octets taken from the heap at a time; less at first (see kFirstBlock).
  explicit Arena(size_t block_size = 4096) : block_size_(block_size) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised memory, aligned for any scalar; valid until Reset or destruction.
  void* Allocate(size_t size);
  // Uninitialised, not aligned.
  char* AllocateChars(size_t size);
  // A copy of `text` that lives in the arena.
  std::string_view Copy(std::string_view text);
  // `a` and `b` joined, in the arena.
  std::string_view Join(std::string_view a, std::string_view b);

  // Forgets everything; keeps the largest block of at most `block_size` for the next use.
  void Reset();
  // Octets taken from the heap.
  size_t reserved() const { return reserved_; }

 private:
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t size;
  };
  char* Refill(size_t size);

  size_t block_size_;
  size_t reserved_ = 0;
  char* next_ = nullptr;
  size_t left_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace framewall
