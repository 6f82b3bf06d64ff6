#include "backend/server/body.h"

#include <gtest/gtest.h>

#include <functional>

namespace framewall::backend::server {
namespace {

// Each problem as "POINTER DETAIL\n".
std::string Told(const std::vector<FieldProblem>& problems) {
  std::string text;
  for (const FieldProblem& problem : problems)
    text += problem.pointer + " " + problem.detail + "\n";
  return text;
}

std::string Problems(std::string_view json, const std::function<void(Body&)>& read,
                     Body::Members members = Body::Members::kAny) {
  const auto document = json::Document::Parse(json);
  EXPECT_TRUE(document.ok()) << json;
  Body body(document->root());
  read(body);
  return Told(body.Finish(members));
}

void ReadAll(Body& body) {
  body.Text("name", {.max = 5});
  body.OptionalText("title", {.max = 5});
  body.OptionalChoice("visibility", {"public", "private"});
  body.Flag("loud");
  body.Integer("count", 1, 10);
  body.NullableText("assistant", {.max = 5});
}

TEST(Body, ReadsEveryKind) {
  const auto document = json::Document::Parse(
      R"({"name":" n ","title":"t","visibility":"public","loud":true,"count":10,"assistant":"a"})");
  Body body(document->root());
  EXPECT_EQ(body.Text("name", {.max = 5}), "n");
  EXPECT_EQ(body.OptionalText("title", {.max = 5}), "t");
  EXPECT_EQ(body.Choice("visibility", {"public", "private"}), "public");
  EXPECT_EQ(body.Flag("loud"), true);
  EXPECT_EQ(body.Integer("count", 1, 10), 10);
  EXPECT_EQ(body.NullableText("assistant", {.max = 5}), std::optional<std::string>("a"));
  EXPECT_EQ(body.OptionalText("nothing", {.max = 5}), std::nullopt);
  EXPECT_EQ(Told(body.Finish()), "");
}

TEST(Body, TellsNullFromMissing) {
  const auto document = json::Document::Parse(R"({"a":null})");
  Body body(document->root());
  const auto there = body.NullableText("a", {.max = 5});
  ASSERT_TRUE(there.has_value());
  EXPECT_FALSE(there->has_value());
  EXPECT_FALSE(body.NullableText("b", {.max = 5}).has_value());
  EXPECT_EQ(Told(body.Finish()), "");
}

TEST(Body, NamesEveryBadField) {
  EXPECT_EQ(Problems(R"({"name":1,"title":"too long","visibility":"secret","loud":"yes","count":11,
                         "assistant":{}})",
                     ReadAll),
            "/name expected a string, found a number\n"
            "/title expected at most 5 characters, found 8\n"
            "/visibility expected one of \"public\", \"private\"\n"
            "/loud expected true or false, found a string\n"
            "/count expected an integer from 1 to 10\n"
            "/assistant expected a string or null, found an object\n");
  EXPECT_EQ(Problems(R"({"name":"n","title":null,"visibility":1,"loud":null,"count":0})", ReadAll),
            "/title expected a string, found null\n"
            "/visibility expected one of \"public\", \"private\"\n"
            "/loud expected true or false, found null\n"
            "/count expected an integer from 1 to 10\n");
}

TEST(Body, NamesWhatIsMissing) {
  EXPECT_EQ(Problems("{}", ReadAll), "/name is missing\n");
  EXPECT_EQ(Problems("{}", [](Body& body) { body.Choice("kind", {"a"}); }), "/kind is missing\n");
}

TEST(Body, TakesIntegersOnly) {
  const auto read = [](Body& body) { body.Integer("count", 1, 10); };
  EXPECT_EQ(Problems(R"({"count":1})", read), "");
  for (const char* wrong : {"1.5", "\"1\"", "1e99", "true", "-1", "[1]"}) {
    EXPECT_EQ(Problems(std::string(R"({"count":)") + wrong + "}", read),
              "/count expected an integer from 1 to 10\n")
        << wrong;
  }
}

TEST(Body, RefusesUnknownFieldsAndSaysTheNearest) {
  EXPECT_EQ(Problems(R"({"name":"n","nmae":"x","a/b~c":1})", ReadAll),
            "/nmae is not known here; did you mean \"name\"?\n"
            "/a~1b~0c is not known here\n");
}

TEST(Body, WantsSomethingToChange) {
  const auto read = [](Body& body) { body.OptionalText("title", {.max = 5}); };
  EXPECT_EQ(Problems("{}", read), "");
  EXPECT_EQ(Problems("{}", read, Body::Members::kAtLeastOne),
            " expected at least one field to change\n");
  EXPECT_EQ(Problems(R"({"title":"t"})", read, Body::Members::kAtLeastOne), "");
}

TEST(Body, GivesTextsToBeJudgedByTheCaller) {
  const auto document =
      json::Document::Parse(R"({"name":" a\u0000","words":["a","b"],"none":[],"note":"n"})");
  Body body(document->root());
  EXPECT_EQ(body.AnyText("name"), std::string_view(" a\0", 3));
  EXPECT_EQ(body.Texts("words", 2), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(body.Texts("none", 0).empty());
  EXPECT_EQ(body.OptionalAnyText("note"), "n");
  EXPECT_EQ(body.OptionalAnyText("other"), std::nullopt);
  EXPECT_TRUE(body.Finish().empty());
}

TEST(Body, RefusesWhatAreNoTexts) {
  const auto read = [](Body& body) {
    body.AnyText("name");
    body.OptionalAnyText("note");
    body.Texts("words", 2);
  };
  EXPECT_EQ(Problems(R"({"name":1,"note":[],"words":["a","b","c"]})", read),
            "/name expected a string, found a number\n"
            "/note expected a string, found an array\n"
            "/words expected an array of at most 2 strings\n");
  EXPECT_EQ(Problems(R"({"name":"","note":null,"words":["a",2]})", read),
            "/note expected a string, found null\n"
            "/words expected strings alone in the array\n");
  EXPECT_EQ(Problems("{}", read), "/name is missing\n/words is missing\n");
  EXPECT_EQ(Problems(R"({"name":"","words":"a"})", read),
            "/words expected an array of at most 2 strings\n");
}

TEST(Body, TellsTheFirstFaultOfAField) {
  EXPECT_EQ(Problems(R"({"name":"a"})",
                     [](Body& body) {
                       body.AnyText("name");
                       body.Expect("name", "");
                       body.Expect("name", "something longer");
                       body.Refuse("name", "is taken");
                     }),
            "/name expected something longer\n");
}

TEST(Body, TellsABoundedNumberOfProblems) {
  const auto told = [](size_t unknown) {
    std::string json = "{";
    for (size_t i = 0; i < unknown; ++i) {
      json += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":1";
    }
    const auto document = json::Document::Parse(json + "}");
    Body body(document->root());
    return body.Finish().size();
  };
  EXPECT_EQ(told(kProblemsTold - 1), kProblemsTold - 1);
  EXPECT_EQ(told(kProblemsTold), kProblemsTold);
  EXPECT_EQ(told(kProblemsTold + 1), kProblemsTold);
}

}  // namespace
}  // namespace framewall::backend::server
