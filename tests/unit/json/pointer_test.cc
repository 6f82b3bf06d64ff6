#include "proxy/json/pointer.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::json {
namespace {

// RFC 6901 5.
constexpr char kExample[] = R"({
  "foo": ["bar", "baz"],
  "": 0,
  "a/b": 1,
  "c%d": 2,
  "m~n": 8,
  "q\"r": {"deep": [1, [2,
     3]], "x": {}}
})";

std::string At(std::string_view pointer) {
  const auto document = Document::Parse(kExample);
  const auto tokens = ParsePointer(pointer);
  if (!tokens) return "no pointer";
  const auto value = Resolve(document->root(), *tokens);
  return value ? value->Text() : "nothing";
}

TEST(Pointer, Resolves) {
  EXPECT_EQ(At("/foo"), R"(["bar","baz"])");
  EXPECT_EQ(At("/foo/0"), R"("bar")");
  EXPECT_EQ(At("/"), "0");
  EXPECT_EQ(At("/a~1b"), "1");
  EXPECT_EQ(At("/c%d"), "2");
  EXPECT_EQ(At("/m~0n"), "8");
  EXPECT_EQ(At("/q\"r/deep/1/1"), "3");
  EXPECT_EQ(At("").front(), '{');
}

TEST(Pointer, LeadsToNothing) {
  for (const char* pointer : {"/foo/2", "/foo/-", "/foo/00", "/foo/+1", "/foo/0/1", "/none",
                              "/foo/99999999999999999999", "/foo/"}) {
    EXPECT_EQ(At(pointer), "nothing") << pointer;
  }
  for (const char* pointer : {"foo", "/a~", "/a~2b", "#/foo"}) {
    EXPECT_EQ(At(pointer), "no pointer") << pointer;
  }
}

TEST(Pointer, TokensAreEscaped) {
  std::string pointer;
  for (const char* token : {"a/b", "m~n", "", "~1"}) AppendPointerToken(pointer, token);
  EXPECT_EQ(pointer, "/a~1b/m~0n//~01");
  EXPECT_EQ(ParsePointer(pointer), (std::vector<std::string>{"a/b", "m~n", "", "~1"}));
}

TEST(Pointer, Lines) {
  EXPECT_EQ(LineOf(kExample, ""), 1);
  EXPECT_EQ(LineOf(kExample, "/foo"), 2);
  EXPECT_EQ(LineOf(kExample, "/foo/1"), 2);
  EXPECT_EQ(LineOf(kExample, "/m~0n"), 6);
  EXPECT_EQ(LineOf(kExample, "/q\"r/deep/1/0"), 7);
  EXPECT_EQ(LineOf(kExample, "/q\"r/deep/1/1"), 8);
  EXPECT_EQ(LineOf(kExample, "/q\"r/x"), 8);
  // As deep as it goes.
  EXPECT_EQ(LineOf(kExample, "/a~1b/none"), 4);
  EXPECT_EQ(LineOf("\n\n[1]", "/0"), 3);
  EXPECT_EQ(LineOf("", "/0"), 1);
}

}  // namespace
}  // namespace framewall::json
