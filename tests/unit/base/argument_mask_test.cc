#include "proxy/base/argument_mask.h"

#include <gtest/gtest.h>

#include <array>

namespace framewall {
namespace {

const std::array<std::string, 2> kNames = {"token", "my code"};

class ArgumentMaskTest : public ::testing::Test {
 protected:
  using Method = bool (ArgumentMask::*)(std::string_view, std::string&) const;

  // "-" where nothing was masked.
  std::string Run(Method method, std::string_view text) const {
    std::string out = "before ";
    if (!(mask_.*method)(text, out)) {
      EXPECT_EQ(out, "before ");
      return "-";
    }
    EXPECT_TRUE(out.starts_with("before "));
    return out.substr(7);
  }
  std::string Query(std::string_view text) const { return Run(&ArgumentMask::MaskQuery, text); }
  std::string Url(std::string_view text) const { return Run(&ArgumentMask::MaskUrl, text); }
  std::string Line(std::string_view text) const {
    return Run(&ArgumentMask::MaskRequestLine, text);
  }
  std::string Text(std::string_view text) const { return Run(&ArgumentMask::MaskText, text); }

  ArgumentMask mask_{kNames};
};

TEST_F(ArgumentMaskTest, MasksValuesAndNothingElse) {
  EXPECT_EQ(Query("token=abc"), "token=***");
  EXPECT_EQ(Query("a=1&token=abc&b=2"), "a=1&token=***&b=2");
  EXPECT_EQ(Query("token=a&token=b"), "token=***&token=***");
  EXPECT_EQ(Query("token=a=b;c?d&x"), "token=***&x");
  EXPECT_EQ(Query(""), "-");
  EXPECT_EQ(Query("token"), "-");
  EXPECT_EQ(Query("token="), "-");
  EXPECT_EQ(Query("a=1&b=2"), "-");
  EXPECT_EQ(Query("&&=&"), "-");
}

TEST_F(ArgumentMaskTest, ComparesNamesAsAnybodyBehindUsMay) {
  EXPECT_EQ(Query("TOKEN=abc"), "TOKEN=***");
  EXPECT_EQ(Query("%74oken=abc"), "%74oken=***");
  EXPECT_EQ(Query("%54OKE%4e=abc"), "%54OKE%4e=***");
  EXPECT_EQ(Query("my+code=abc&my%20code=def"), "my+code=***&my%20code=***");
  EXPECT_EQ(Query("a=1;token=abc"), "a=1;token=***");
  EXPECT_EQ(Query("a=1?token=abc"), "a=1?token=***");
  EXPECT_EQ(Query("mytoken=abc"), "-");
  EXPECT_EQ(Query("token2=abc"), "-");
  EXPECT_EQ(Query("toke%6=abc"), "-");
  EXPECT_EQ(Query("%=abc"), "-");
}

TEST_F(ArgumentMaskTest, FindsArgumentsInsideOthers) {
  EXPECT_EQ(Query("next=%2Fws%3Ftoken%3Dabc%26x%3D1&y=2"), "next=%2Fws%3Ftoken%3D***%26x%3D1&y=2");
  EXPECT_EQ(Query("next=token%3dabc"), "next=token%3d***");
  EXPECT_EQ(Query("next=%2Fws%3Fid%3D7"), "-");
}

TEST_F(ArgumentMaskTest, KnowsTargetsAndReferers) {
  EXPECT_EQ(Url("/a?token=abc"), "/a?token=***");
  EXPECT_EQ(Url("/token=abc?x=1"), "-");
  EXPECT_EQ(Url("https://a.test?token=abc"), "https://a.test?token=***");
  EXPECT_EQ(Url("https://a.test/#token=abc&x=1"), "https://a.test/#token=***&x=1");
  EXPECT_EQ(Url("https://a.test/?a=1#token=abc"), "https://a.test/?a=1#token=***");
  EXPECT_EQ(Url("token=abc"), "token=***");
  EXPECT_EQ(Url("/"), "-");
}

TEST_F(ArgumentMaskTest, KeepsTheVersionOfARequestLine) {
  EXPECT_EQ(Line("GET /a?token=abc HTTP/1.1"), "GET /a?token=*** HTTP/1.1");
  EXPECT_EQ(Line("GET /a?token=a b HTTP/1.1"), "GET /a?token=*** HTTP/1.1");
  EXPECT_EQ(Line("GET /a?token=abc"), "GET /a?token=***");
  EXPECT_EQ(Line("GET /a?x=1 HTTP/1.1"), "-");
}

TEST_F(ArgumentMaskTest, FindsArgumentsInSentences) {
  EXPECT_EQ(Text("rewritten data: \"/b\", args: \"x=1&token=abc\", client"),
            "rewritten data: \"/b\", args: \"x=1&token=***\", client");
  EXPECT_EQ(Text("open() \"/srv/a?token=abc\" failed"), "open() \"/srv/a?token=***\" failed");
  EXPECT_EQ(Text("token=abc and my%20code=d"), "token=*** and my%20code=***");
  EXPECT_EQ(Text("a = b, mytoken=1"), "-");
  EXPECT_EQ(Text("="), "-");
}

TEST_F(ArgumentMaskTest, NamelessMaskDoesNothing) {
  std::string out;
  EXPECT_FALSE(ArgumentMask({}).MaskQuery("token=abc", out));
  EXPECT_FALSE(ArgumentMask({}).MaskText("token=abc", out));
  SecretValues values;
  ArgumentMask({}).Collect("/?token=abcdefgh", values);
  EXPECT_TRUE(values.empty());
}

TEST_F(ArgumentMaskTest, CollectsValuesAsSentAndDecoded) {
  SecretValues values;
  mask_.Collect("/?token=abc%2Fdefg+h&x=12345678", values);
  std::string out;
  EXPECT_TRUE(values.Replace("a abc%2Fdefg+h b abc/defg+h c abc/defg h d 12345678", out));
  EXPECT_EQ(out, "a *** b *** c *** d 12345678");
}

TEST(SecretValues, TakesEightOctetsAndMore) {
  SecretValues values;
  values.Add("1234567");
  EXPECT_TRUE(values.empty());
  values.Add("12345678");
  std::string out;
  EXPECT_FALSE(values.Replace("1234567", out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(values.Replace("x12345678x12345678", out));
  EXPECT_EQ(out, "x***x***");
}

TEST(SecretValues, ReplacesTheLongestFirst) {
  SecretValues values;
  values.Add("secret-a");
  values.Add("secret-a-and-more");
  std::string out;
  EXPECT_TRUE(values.Replace("(secret-a-and-more) (secret-a)", out));
  EXPECT_EQ(out, "(***) (***)");
}

TEST(SecretValues, GrowToALimit) {
  SecretValues values;
  for (int i = 100; i < 200; ++i) values.Add("secret-" + std::to_string(i));
  std::string out;
  EXPECT_TRUE(values.Replace("secret-131", out));
  EXPECT_FALSE(values.Replace("secret-132", out));
}

}  // namespace
}  // namespace framewall
