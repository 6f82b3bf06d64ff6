#include "proxy/ws/close_code.h"

#include <gtest/gtest.h>

namespace framewall::ws {
namespace {

TEST(CloseCode, LegalOnWireAreTheRegisteredAndTheApplications) {
  for (int code = 0; code <= 0xffff; ++code) {
    const bool legal = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code < 5000);
    EXPECT_EQ(IsLegalOnWire(static_cast<uint16_t>(code)), legal) << code;
  }
}

TEST(CloseCode, HasNames) {
  EXPECT_EQ(CloseCodeName(CloseCode::kMessageTooBig), "message too big");
  EXPECT_EQ(CloseCodeName(1014), "bad gateway");
  EXPECT_EQ(CloseCodeName(3999), "registered code");
  EXPECT_EQ(CloseCodeName(4000), "application code");
  EXPECT_EQ(CloseCodeName(1004), "unassigned");
  EXPECT_EQ(CloseCodeName(5000), "unassigned");
}

}  // namespace
}  // namespace framewall::ws
