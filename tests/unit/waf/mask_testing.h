// What the tests of the maskers share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "waf/mask_text.h"

namespace framewall::waf {

// What `mask` makes of `text`; "-" where it leaves it alone.
template <class Mask>
std::string Masked(Mask mask) {
  std::string out = "before ";
  if (!mask(&out)) {
    EXPECT_EQ(out, "before ");
    return "-";
  }
  EXPECT_TRUE(out.starts_with("before "));
  return out.substr(7);
}

}  // namespace framewall::waf
