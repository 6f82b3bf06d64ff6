#include "proxy/redis/key_slot.h"

#include <gtest/gtest.h>

namespace framewall::redis {
namespace {

// As CLUSTER KEYSLOT answers; cluster_test.cc asks a real Cluster about many more.
TEST(KeySlot, IsTheClusters) {
  EXPECT_EQ(12739, KeySlot("123456789"));
  EXPECT_EQ(12182, KeySlot("foo"));
  EXPECT_EQ(5061, KeySlot("bar"));
  EXPECT_EQ(0, KeySlot(""));
}

TEST(KeySlot, OnlyAHashTagCountsWhereThereIsOne) {
  EXPECT_EQ(KeySlot("foo"), KeySlot("{foo}"));
  EXPECT_EQ(KeySlot("foo"), KeySlot("a{foo}b{bar}"));
  EXPECT_EQ(KeySlot("{foo"), KeySlot("a{{foo}b"));
  // An empty tag and an open one are none.
  EXPECT_NE(KeySlot(""), KeySlot("{}foo"));
  EXPECT_NE(KeySlot("foo"), KeySlot("{foo"));
}

}  // namespace
}  // namespace framewall::redis
