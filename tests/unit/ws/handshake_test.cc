#include "proxy/ws/handshake.h"

#include <gtest/gtest.h>

#include <set>

namespace framewall::ws {
namespace {

TEST(HandshakeKey, IsSixteenOctetsInBase64) {
  EXPECT_TRUE(IsValidKey("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(IsValidKey("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(IsValidKey("/////////////////////w=="));
  EXPECT_FALSE(IsValidKey(""));
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZQ="));
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZQ"));
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZQ== "));
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZR=="));  // bits left over
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZQA="));  // 17 octets
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25jZQAB"));  // 18 octets
  EXPECT_FALSE(IsValidKey("dGhlIHNhbXBsZSBub25j-Q=="));
  EXPECT_FALSE(IsValidKey("========================"));
}

TEST(HandshakeKey, IsAnsweredAsInTheRfc) {
  EXPECT_EQ(AcceptFor("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(HandshakeKey, OursAreValidAndDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const std::string key = NewKey();
    EXPECT_TRUE(IsValidKey(key)) << key;
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 100u);
}

using Names = std::vector<std::string_view>;

TEST(Subprotocols, AreTokensInOrder) {
  EXPECT_EQ(*ParseSubprotocols("chat"), Names{"chat"});
  EXPECT_EQ(*ParseSubprotocols("chat, superchat ,v1.api.example"),
            (Names{"chat", "superchat", "v1.api.example"}));
  EXPECT_EQ(*ParseSubprotocols(" chat,, Chat,"), (Names{"chat", "Chat"}));
}

TEST(Subprotocols, RefusesWhatIsNoListOfTokens) {
  for (const std::string_view field :
       {"", ",", " ", "a b", "\"chat\"", "chat;v=1", "ch@t", "a, b c", "chat\x01", "ч"}) {
    const auto names = ParseSubprotocols(field);
    ASSERT_FALSE(names.ok()) << field;
    EXPECT_EQ(names.error().source, ErrorSource::kClient);
  }
}

TEST(Subprotocols, RefusesDuplicatesAndTooMany) {
  EXPECT_FALSE(ParseSubprotocols("chat, other, chat").ok());
  std::string field = "p0";
  for (size_t i = 1; i < kMostSubprotocols; ++i) field += ",p" + std::to_string(i);
  EXPECT_EQ(ParseSubprotocols(field)->size(), kMostSubprotocols);
  EXPECT_FALSE(ParseSubprotocols(field + ",more").ok());
}

TEST(Subprotocols, AnAnswerIsOneOfThoseAskedFor) {
  const Names asked = {"chat", "superchat"};
  EXPECT_TRUE(CheckSubprotocolAnswer("superchat", asked).ok());
  EXPECT_TRUE(CheckSubprotocolAnswer(" chat ", asked).ok());
  for (const std::string_view field : {"", "Chat", "other", "chat, superchat", "chat,", "cha"}) {
    const Status status = CheckSubprotocolAnswer(field, asked);
    ASSERT_FALSE(status.ok()) << field;
    EXPECT_EQ(status.error().source, ErrorSource::kUpstream);
  }
  EXPECT_FALSE(CheckSubprotocolAnswer("chat", {}).ok());
}

}  // namespace
}  // namespace framewall::ws
