#include "proxy/base/shared_memory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

namespace framewall {
namespace {

// Runs `body` in a child and waits for it.
template <class Body>
pid_t Fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  return pid;
}

void Await(pid_t pid) {
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct Table {
  SharedLock lock;
  int value;
};

TEST(SharedMemory, ZeroedAndSharedOverFork) {
  auto memory = SharedMemory::Map(10000);
  ASSERT_TRUE(memory.ok());
  auto* bytes = static_cast<volatile char*>(memory->data());
  EXPECT_EQ(memory->size(), 10000u);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[9999], 0);
  Await(Fork([&] { bytes[9999] = 'x'; }));
  EXPECT_EQ(bytes[9999], 'x');
}

TEST(SharedMemory, RefusesNothing) {
  const auto memory = SharedMemory::Map(0);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().kind, ErrorKind::kSystem);
}

TEST(SharedMemory, MovesItsMapping) {
  auto mapped = SharedMemory::Map(100);
  ASSERT_TRUE(mapped.ok());
  void* data = mapped->data();
  SharedMemory memory = std::move(mapped).value();
  SharedMemory other;
  other = std::move(memory);
  EXPECT_EQ(other.data(), data);
  other = SharedMemory();
}

TEST(SharedLock, OneProcessAtATime) {
  auto memory = SharedMemory::Map(sizeof(Table));
  ASSERT_TRUE(memory.ok());
  auto* table = new (memory->data()) Table;
  constexpr int kRounds = 20000;
  const auto count = [table] {
    for (int i = 0; i < kRounds; ++i) {
      table->lock.Lock();
      auto* value = static_cast<volatile int*>(&table->value);
      *value = *value + 1;
      table->lock.Unlock();
    }
  };
  table->value = 0;
  const pid_t a = Fork(count);
  const pid_t b = Fork(count);
  Await(a);
  Await(b);
  EXPECT_EQ(table->value, 2 * kRounds);
}

TEST(SharedLock, DeadHolderGivesItOn) {
  auto memory = SharedMemory::Map(sizeof(Table));
  ASSERT_TRUE(memory.ok());
  auto* table = new (memory->data()) Table;
  for (int i = 0; i < 3; ++i) {
    Await(Fork([table] { table->lock.Lock(); }));
    table->lock.Lock();
    table->lock.Unlock();
  }
}

}  // namespace
}  // namespace framewall
