#include "proxy/http/upgrade.h"

#include <gtest/gtest.h>

namespace framewall::http {
namespace {

class UpgradeTest : public ::testing::Test {
 protected:
  UpgradeTest() {
    head_.method = Method::kGet;
    head_.fields.Add("Host", "a");
    head_.fields.Add("Upgrade", "WebSocket");
    head_.fields.Add("Connection", "keep-alive, Upgrade");
    head_.fields.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    head_.fields.Add("Sec-WebSocket-Version", "13");
  }
  WebSocketHandshake Check() const { return CheckWebSocketHandshake(head_); }

  Arena arena_;
  RequestHead head_{&arena_};
};

TEST_F(UpgradeTest, KnowsAHandshake) {
  EXPECT_EQ(Check(), WebSocketHandshake::kValid);
  EXPECT_EQ(UpgradeToken(head_), "WebSocket");
}

TEST_F(UpgradeTest, IsNotAskedWithoutBothFieldsAndVersion11) {
  head_.version = Version::kHttp10;
  EXPECT_EQ(Check(), WebSocketHandshake::kNone);
  EXPECT_EQ(UpgradeToken(head_), "");
  head_.version = Version::kHttp11;
  head_.fields.Set("Connection", "keep-alive");
  EXPECT_EQ(Check(), WebSocketHandshake::kNone);
  EXPECT_EQ(UpgradeToken(head_), "");
  head_.fields.Set("Connection", "upgrade");
  head_.fields.Set("Upgrade", "h2c");
  EXPECT_EQ(Check(), WebSocketHandshake::kNone);
  EXPECT_EQ(UpgradeToken(head_), "h2c");
}

TEST_F(UpgradeTest, RefusesAnotherMethod) {
  head_.method = Method::kPost;
  EXPECT_EQ(Check(), WebSocketHandshake::kMalformed);
}

TEST_F(UpgradeTest, RefusesAMalformedKey) {
  for (std::string_view key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
                               "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZQAA"}) {
    head_.fields.Set("Sec-WebSocket-Key", key);
    EXPECT_EQ(Check(), WebSocketHandshake::kMalformed) << key;
  }
  head_.fields.Remove(FieldId::kSecWebSocketKey);
  EXPECT_EQ(Check(), WebSocketHandshake::kMalformed);
}

TEST_F(UpgradeTest, WantsVersion13) {
  head_.fields.Set("Sec-WebSocket-Version", "8");
  EXPECT_EQ(Check(), WebSocketHandshake::kBadVersion);
  head_.fields.Remove(FieldId::kSecWebSocketVersion);
  EXPECT_EQ(Check(), WebSocketHandshake::kBadVersion);
}

}  // namespace
}  // namespace framewall::http
