#include "proxy/base/shared_memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <string>

namespace framewall {
namespace {

pthread_mutex_t* MutexIn(unsigned char* storage) {
  return std::launder(reinterpret_cast<pthread_mutex_t*>(storage));
}

}  // namespace

Result<SharedMemory> SharedMemory::Map(size_t size) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    return SystemError("mmap(" + std::to_string(size) + " octets, shared) failed", errno);
  }
  SharedMemory memory;
  memory.data_ = data;
  memory.size_ = size;
  return memory;
}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

SharedLock::SharedLock() {
  static_assert(sizeof(pthread_mutex_t) <= sizeof(storage_));
  static_assert(alignof(pthread_mutex_t) <= alignof(SharedLock));
  auto* mutex = new (storage_) pthread_mutex_t;
  pthread_mutexattr_t attributes;
  FW_CHECK(::pthread_mutexattr_init(&attributes) == 0);
  FW_CHECK(::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
  FW_CHECK(::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
  FW_CHECK(::pthread_mutex_init(mutex, &attributes) == 0);
  ::pthread_mutexattr_destroy(&attributes);
}

void SharedLock::Lock() {
  pthread_mutex_t* mutex = MutexIn(storage_);
  const int result = ::pthread_mutex_lock(mutex);
  if (result == EOWNERDEAD) {
    // The holder died inside. We hold the lock now; what it guards is the caller's to mend.
    FW_CHECK(::pthread_mutex_consistent(mutex) == 0);
    return;
  }
  FW_CHECK(result == 0);
}

void SharedLock::Unlock() { FW_CHECK(::pthread_mutex_unlock(MutexIn(storage_)) == 0); }

}  // namespace framewall
