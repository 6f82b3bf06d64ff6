#include "proxy/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace framewall {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFd, ClosesAtTheEnd) {
  int fd = -1;
  {
    const UniqueFd owner(OpenNull());
    fd = owner.get();
    EXPECT_TRUE(owner.valid());
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFd, MovesAndReleases) {
  UniqueFd first(OpenNull());
  const int fd = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first.valid());  // NOLINT: what a moved-from owner holds is promised
  first = std::move(second);
  EXPECT_EQ(first.Release(), fd);
  EXPECT_FALSE(first.valid());
  EXPECT_TRUE(IsOpen(fd));
  ::close(fd);
}

TEST(UniqueFd, ResetClosesTheOldOne) {
  UniqueFd owner(OpenNull());
  const int old = owner.get();
  owner.Reset(old);
  EXPECT_TRUE(IsOpen(old));
  owner.Reset();
  EXPECT_FALSE(IsOpen(old));
}

}  // namespace
}  // namespace framewall
