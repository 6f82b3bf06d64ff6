// Memory shared by master and workers: mapped before the fork, fixed in size, gone with the last
// user.
#pragma once

#include <cstddef>
#include <utility>

#include "proxy/base/result.h"

namespace framewall {

class SharedMemory {
 public:
  // Zeroed, readable and writable, inherited over fork, not over exec.
  static Result<SharedMemory> Map(size_t size);
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// A lock in shared memory, robust against the death of its holder: a process that dies inside
// gives the lock on, and what it guarded may be half written. Place it with placement new.
class SharedLock {
 public:
  SharedLock();
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  void Lock();
  void Unlock();

 private:
  alignas(16) unsigned char storage_[64];
};

}  // namespace framewall
