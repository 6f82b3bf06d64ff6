#include "proxy/base/check.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

TEST(CheckDeathTest, AbortsAndNamesPlaceAndClaim) {
  const int one = 1;
  FW_CHECK(one == 1);
  EXPECT_DEATH(FW_CHECK(one == 2), "check_test.cc:[0-9]+: check failed: one == 2");
  EXPECT_DEATH(FW_UNREACHABLE(), "unreachable");
}

}  // namespace
}  // namespace framewall
