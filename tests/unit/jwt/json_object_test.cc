#include "proxy/jwt/json_object.h"

#include <gtest/gtest.h>

namespace framewall::jwt {
namespace {

// A value by its path, "-" where there is none.
std::string At(std::string_view text, std::initializer_list<std::string> path) {
  const auto object = JsonObject::Parse(text);
  EXPECT_TRUE(object.ok());
  const std::vector<std::string> names = path;
  std::string out;
  return object->AppendText(names, out) ? out : "-";
}
std::string Named(std::string_view text, std::string_view name) {
  const auto object = JsonObject::Parse(text);
  std::string out;
  return object->AppendTextOf(name, out) ? out : "-";
}

TEST(JsonObject, ValuesAsText) {
  constexpr std::string_view kText =
      R"({"s":"a\"b","i":-5,"r":1.5,"t":true,"f":false,"n":null,"e":"","list":["a","b",3],"o":{"x":{"y":"z"}},"a.b":"dot"})";
  EXPECT_EQ(At(kText, {"s"}), "a\"b");
  EXPECT_EQ(At(kText, {"i"}), "-5");
  EXPECT_EQ(At(kText, {"r"}), "1.5");
  EXPECT_EQ(At(kText, {"t"}), "true");
  EXPECT_EQ(At(kText, {"f"}), "false");
  EXPECT_EQ(At(kText, {"n"}), "-");
  EXPECT_EQ(At(kText, {"e"}), "");
  EXPECT_EQ(At(kText, {"list"}), "a,b,3");
  EXPECT_EQ(At(kText, {"o"}), R"({"x":{"y":"z"}})");
  EXPECT_EQ(At(kText, {"o", "x", "y"}), "z");
  EXPECT_EQ(At(kText, {"o", "y"}), "-");
  EXPECT_EQ(At(kText, {"s", "x"}), "-");
  EXPECT_EQ(At(kText, {"a.b"}), "dot");
  EXPECT_EQ(At(kText, {"S"}), "-");
}

TEST(JsonObject, NamesOfVariablesAreInLowerCase) {
  EXPECT_EQ(Named(R"({"userId":"u"})", "userid"), "u");
  EXPECT_EQ(Named(R"({"SUB":"big","sub":"small"})", "sub"), "small");
  EXPECT_EQ(Named(R"({"Sub":"a","SUB":"b"})", "sub"), "-");
  EXPECT_EQ(Named(R"({"Sub":"a","sub":null})", "sub"), "-");
  EXPECT_EQ(Named(R"({})", "sub"), "-");
}

TEST(JsonObject, Seconds) {
  const auto object =
      JsonObject::Parse(R"({"i":5,"r":1.25,"big":9000000000000000000,"small":-1e300,"s":"5"})");
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->SecondsAsMilliseconds("i"), 5000);
  EXPECT_EQ(object->SecondsAsMilliseconds("r"), 1250);
  EXPECT_EQ(object->SecondsAsMilliseconds("big"), 1'000'000'000'000'000'000);
  EXPECT_EQ(object->SecondsAsMilliseconds("small"), -1'000'000'000'000'000'000);
  EXPECT_EQ(object->SecondsAsMilliseconds("s"), std::nullopt);
  EXPECT_EQ(object->SecondsAsMilliseconds("none"), std::nullopt);
}

TEST(JsonObject, RefusesWhatIsNoObject) {
  for (const std::string_view text :
       {"", " ", "[]", "1", "\"a\"", "{", "{}}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}", "{\"a\\u0000\":1}", "{\"a\":1,\"a\":1}",
        "{\"o\":{\"a\":1,\"a\":1}}", "{\"a\":1e999}", "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(JsonObject::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace framewall::jwt
