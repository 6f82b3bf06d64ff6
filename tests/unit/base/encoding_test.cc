#include "proxy/base/encoding.h"

#include <gtest/gtest.h>

namespace framewall {
namespace {

std::string AllOctets() {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  return all;
}

TEST(PercentDecode, KeepsMalformedEscapes) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(PercentDecode("%"), "%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%g1%41"), "%g1A");
  EXPECT_EQ(PercentDecode("%%41"), "%A");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
  EXPECT_EQ(PercentDecode("%2541"), "%41");
}

TEST(PercentDecode, StrictRefusesThem) {
  EXPECT_EQ(PercentDecodeStrict("%41%5a"), "AZ");
  for (std::string_view text : {"%", "%4", "a%g1", "%1", "%%41"}) {
    EXPECT_FALSE(PercentDecodeStrict(text)) << text;
  }
}

TEST(PercentEncode, EachKindEscapesItsOwn) {
  const std::string_view marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  EXPECT_EQ(PercentEncode(marks, UriEscape::kUri),
            "!%22%23$%25&'()*+,-./:;%3C=%3E%3F@[%5C]%5E_%60%7B%7C%7D~");
  EXPECT_EQ(PercentEncode(marks, UriEscape::kArgs),
            "!%22%23$%25%26'()*%2B,-./:%3B%3C=%3E%3F@[%5C]%5E_%60%7B%7C%7D~");
  EXPECT_EQ(PercentEncode(marks, UriEscape::kHtml),
            "!%22%23$%25&%27()*+,-./:;%3C=%3E?@[%5C]%5E_%60%7B%7C%7D~");
  EXPECT_EQ(PercentEncode(marks, UriEscape::kUriComponent),
            "%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E_%60%7B%7C%"
            "7D~");
}

TEST(PercentEncode, DecodingGivesAllOctetsBack) {
  for (UriEscape kind :
       {UriEscape::kUri, UriEscape::kArgs, UriEscape::kUriComponent, UriEscape::kHtml}) {
    const std::string text = PercentEncode(AllOctets(), kind);
    EXPECT_EQ(PercentDecodeStrict(text), AllOctets());
    for (char c : text) EXPECT_TRUE(c > 0x20 && c < 0x7f);
  }
}

TEST(Base64, Rfc4648Vectors) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64UrlEncode("f\xff\xfe"), "Zv_-");
  EXPECT_EQ(Base64UrlEncode("f"), "Zg");
}

TEST(Base64, GivesAllOctetsBackAtEachLength) {
  for (size_t size = 0; size <= 256; ++size) {
    const std::string bytes = AllOctets().substr(0, size);
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatHasAnotherSpelling) {
  for (std::string_view text : {"Zg", "Zg=", "Zg===", "Zm9v=", "Z", "Zh==", "Zm9=", "Zm9v\n",
                                "Zm 9", "====", "Z===", "Zv_-"}) {
    EXPECT_FALSE(Base64Decode(text)) << text;
  }
  for (std::string_view text : {"Zg==", "Z", "Zh", "Zm9", "Zv/+", "Zg "}) {
    EXPECT_FALSE(Base64UrlDecode(text)) << text;
  }
}

TEST(Hex, BothWays) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(HexDecode("00Ff1A"), std::string("\x00\xff\x1a", 3));
  EXPECT_EQ(HexDecode(""), "");
  EXPECT_FALSE(HexDecode("0"));
  EXPECT_FALSE(HexDecode("0g"));
}

TEST(Json, EscapesWhatAStringMayNotHold) {
  std::string out = "x";
  AppendJsonEscaped(out, std::string_view("a\"b\\c\n\r\t\b\f\0\x1f/\x7f\xff", 15));
  EXPECT_EQ(out, "xa\\\"b\\\\c\\n\\r\\t\\b\\f\\u0000\\u001F/\x7f\xff");
}

TEST(Html, EscapesMarkup) {
  EXPECT_EQ(HtmlEscape("<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;");
}

}  // namespace
}  // namespace framewall
