#include "proxy/http/headers.h"

#include <gtest/gtest.h>

#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

TEST(FieldId, FindsEveryNameInAnyCase) {
  for (size_t i = 1; i < static_cast<size_t>(FieldId::kCount); ++i) {
    const FieldId id = static_cast<FieldId>(i);
    std::string name(FieldName(id));
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(FindFieldId(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(FindFieldId(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(FindFieldId(name), id) << name;
    EXPECT_EQ(FindFieldId(name + "x"), FieldId::kOther);
    EXPECT_EQ(FindFieldId(name.substr(1)), FieldId::kOther) << name;
  }
  EXPECT_EQ(FindFieldId(""), FieldId::kOther);
  EXPECT_EQ(FindFieldId("X-Unknown"), FieldId::kOther);
  // 0x0d | 0x20 is '-': folding by a bit alone would take this for Content-Length.
  EXPECT_EQ(FindFieldId("Content\rLength"), FieldId::kOther);
}

TEST(FieldId, NamesStandInTheOrderOfTheEnum) {
  EXPECT_EQ(FieldName(FieldId::kAccept), "Accept");
  EXPECT_EQ(FieldName(FieldId::kContentLength), "Content-Length");
  EXPECT_EQ(FieldName(FieldId::kHost), "Host");
  EXPECT_EQ(FieldName(FieldId::kTransferEncoding), "Transfer-Encoding");
  EXPECT_EQ(FieldName(FieldId::kSecWebSocketKey), "Sec-WebSocket-Key");
  EXPECT_EQ(FieldName(FieldId::kXRequestId), "X-Request-ID");
}

class HeaderMapTest : public ::testing::Test {
 protected:
  Arena arena_;
  HeaderMap map_{&arena_};
};

TEST_F(HeaderMapTest, KeepsOrderAndSpelling) {
  map_.Add("hOST", "a");
  map_.Add("X-One", "1");
  map_.Add(FieldId::kAccept, "b");
  map_.Add("x-one", "2");
  EXPECT_EQ(FieldsText(map_), "[hOST=a][X-One=1][Accept=b][x-one=2]");
  EXPECT_EQ(map_.Get(FieldId::kHost), "a");
  EXPECT_EQ(map_.Get("HOST"), "a");
  EXPECT_EQ(map_.Get("X-ONE"), "1");
  EXPECT_EQ(map_.Get("absent"), "");
  EXPECT_EQ(map_.Find("absent"), nullptr);
  EXPECT_EQ(map_.Count(FieldId::kHost), 1u);
}

TEST_F(HeaderMapTest, SetsInThePlaceOfTheFirst) {
  map_.Add("A", "1");
  map_.Add("Via", "x");
  map_.Add("a", "2");
  map_.Add("via", "y");
  map_.Set("A", "3");
  EXPECT_EQ(FieldsText(map_), "[A=3][Via=x][via=y]");
  map_.Set(FieldId::kVia, "z");
  EXPECT_EQ(FieldsText(map_), "[A=3][Via=z]");
  map_.Set("New", "n");
  map_.Set("A", map_.Get("A"));
  EXPECT_EQ(FieldsText(map_), "[A=3][Via=z][New=n]");
}

TEST_F(HeaderMapTest, RemovesAllOfAName) {
  map_.Add("A", "1");
  map_.Add("Cookie", "x");
  map_.Add("a", "2");
  map_.Add("Cookie", "y");
  map_.Remove("a");
  EXPECT_EQ(FieldsText(map_), "[Cookie=x][Cookie=y]");
  map_.Remove(FieldId::kCookie);
  EXPECT_TRUE(map_.empty());
}

TEST_F(HeaderMapTest, LooksIntoLists) {
  map_.Add("Connection", "TE, Upgrade");
  map_.Add("Connection", "close");
  EXPECT_TRUE(map_.ListHas(FieldId::kConnection, "upgrade"));
  EXPECT_TRUE(map_.ListHas(FieldId::kConnection, "close"));
  EXPECT_FALSE(map_.ListHas(FieldId::kConnection, "up"));
}

}  // namespace
}  // namespace framewall::http
