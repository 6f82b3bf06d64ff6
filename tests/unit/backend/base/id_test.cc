#include "backend/base/id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace framewall::backend {
namespace {

TEST(Id, SortsAsItWasMadeAlsoWithinAMillisecond) {
  std::string last;
  for (int i = 0; i < 20'000; ++i) {
    std::string id = NewId();
    ASSERT_LT(last, id);
    last = std::move(id);
  }
}

TEST(Id, IsNeverTheSameInTwoThreads) {
  std::vector<std::string> made[2];
  std::thread other([&made] {
    for (int i = 0; i < 5000; ++i) made[0].push_back(NewId());
  });
  for (int i = 0; i < 5000; ++i) made[1].push_back(NewId());
  other.join();
  EXPECT_TRUE(std::is_sorted(made[0].begin(), made[0].end()));
  std::vector<std::string> all = made[0];
  all.insert(all.end(), made[1].begin(), made[1].end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(Id, IsReadAsItIsWritten) {
  const std::string id = NewId();
  EXPECT_TRUE(IsId(id));
  EXPECT_EQ(id[14], '7');
  for (std::string wrong : {std::string(), id.substr(1), id + "0", "x" + id.substr(1)}) {
    EXPECT_FALSE(IsId(wrong)) << wrong;
  }
  std::string upper = id;
  upper[0] = 'A';
  EXPECT_FALSE(IsId(upper));
}

}  // namespace
}  // namespace framewall::backend
