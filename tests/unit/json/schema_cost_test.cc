// What a hostile document may cost: work is bounded by steps, not by what the document asks for,
// and what is over the bound does not match.
#include <gtest/gtest.h>
#include <time.h>

#include <string>

#include "proxy/json/schema.h"

namespace framewall::json {
namespace {

double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::shared_ptr<const Schema> Compiled(std::string_view text) {
  SchemaReport report;
  auto schema = Schema::Compile(text, "s", report);
  EXPECT_NE(schema, nullptr) << report.errors.at(0);
  return schema;
}

std::string Repeat(std::string_view piece, size_t times, std::string_view between = ",") {
  std::string all;
  for (size_t i = 0; i < times; ++i) all.append(i == 0 ? "" : between).append(piece);
  return all;
}

enum class Outcome { kMatch, kMismatch, kOverBudget };

Outcome Judge(const Schema& schema, const std::string& text, uint64_t steps = kDefaultSteps) {
  const auto document = Document::Parse(text);
  EXPECT_TRUE(document.ok()) << document.error().message;
  const double began = CpuSeconds();
  const auto mismatch = schema.Validate(document->root(), steps);
  // A step is about 100 ns, and one search of a pattern may go over by its own limit.
  EXPECT_LT(CpuSeconds() - began, 2.0);
  if (!mismatch) return Outcome::kMatch;
  return mismatch->keyword.empty() ? Outcome::kOverBudget : Outcome::kMismatch;
}

TEST(SchemaCost, StepsFromBothSides) {
  const auto schema = Compiled(R"({"items":{"type":"integer"}})");
  // One for the array, one for each element.
  EXPECT_EQ(Judge(*schema, "[1,2,3]", 4), Outcome::kMatch);
  EXPECT_EQ(Judge(*schema, "[1,2,3]", 3), Outcome::kOverBudget);
  EXPECT_EQ(Judge(*schema, "[1,2,\"\"]", 4), Outcome::kMismatch);
}

TEST(SchemaCost, OverBudgetIsNoMatchEvenUnderNot) {
  for (const char* text : {R"({"not":{"items":{"type":"integer"}}})",
                           R"({"oneOf":[true,{"items":{"type":"integer"}}]})",
                           R"({"if":{"items":{"type":"integer"}},"then":false})",
                           R"({"anyOf":[{"items":{"type":"integer"}},true]})",
                           R"({"not":{"contains":{"type":"null"}}})"}) {
    const auto schema = Compiled(text);
    EXPECT_EQ(Judge(*schema, "[1,2,3,4]", 4), Outcome::kOverBudget) << text;
    EXPECT_NE(Judge(*schema, "[1,2,3,4]", 8), Outcome::kOverBudget) << text;
  }
}

TEST(SchemaCost, BranchesThatMultiplyAtEachLevel) {
  const auto schema = Compiled(
      R"({"anyOf":[{"items":{"$ref":"#"},"not":true},{"items":{"$ref":"#"},"not":true},
                   {"type":"array","items":{"$ref":"#"}},{"type":"null"}]})");
  EXPECT_EQ(Judge(*schema, std::string(6, '[') + "null" + std::string(6, ']')), Outcome::kMatch);
  EXPECT_EQ(Judge(*schema, std::string(60, '[') + "1" + std::string(60, ']')),
            Outcome::kOverBudget);
}

TEST(SchemaCost, UniqueItems) {
  const auto schema = Compiled(R"({"uniqueItems":true})");
  std::string numbers;
  for (int i = 0; i < 50'000; ++i) numbers += (i == 0 ? "" : ",") + std::to_string(i);
  EXPECT_EQ(Judge(*schema, "[" + numbers + "]"), Outcome::kMatch);
  EXPECT_EQ(Judge(*schema, "[" + numbers + ",0]"), Outcome::kMismatch);
  // Arrays in each other, all looked at again on each level.
  const auto levels = Compiled(R"({"uniqueItems":true,"items":{"$ref":"#"}})");
  const std::string deep =
      std::string(100, '[') + Repeat("1", 9'000, ",[],") + std::string(100, ']');
  EXPECT_NE(Judge(*levels, deep), Outcome::kMatch);
}

TEST(SchemaCost, EnumOfLongValues) {
  const std::string value = "[" + Repeat("1", 900) + ",2]";
  const auto schema =
      Compiled(R"({"items":{"enum":[)" + Repeat("[" + Repeat("1", 900) + ",0]", 100) + "]}}");
  EXPECT_EQ(Judge(*schema, "[" + Repeat(value, 2) + "]"), Outcome::kMismatch);
  const auto never = Compiled(R"({"items":{"not":{"enum":[)" +
                              Repeat("[" + Repeat("1", 900) + ",0]", 100) + "]}}}");
  EXPECT_EQ(Judge(*never, "[" + Repeat(value, 2) + "]"), Outcome::kMatch);
  EXPECT_EQ(Judge(*never, "[" + Repeat(value, 50) + "]"), Outcome::kOverBudget);
}

TEST(SchemaCost, Patterns) {
  const auto schema = Compiled(R"({"items":{"pattern":"^(a+)+$"}})");
  EXPECT_EQ(Judge(*schema, "[\"aaaa\"]"), Outcome::kMatch);
  // One that PCRE2 gives up, and many that it does not.
  EXPECT_EQ(Judge(*schema, "[\"" + std::string(40, 'a') + "!\"]"), Outcome::kOverBudget);
  const auto many = Compiled(R"({"items":{"not":{"pattern":"^(a+)+$"}}})");
  const std::string slow = "\"" + std::string(16, 'a') + "!\"";
  EXPECT_EQ(Judge(*many, "[" + slow + "]"), Outcome::kMatch);
  EXPECT_EQ(Judge(*many, "[" + Repeat(slow, 4'000) + "]"), Outcome::kOverBudget);
}

TEST(SchemaCost, NamesAgainstPatterns) {
  const auto schema = Compiled(R"({"patternProperties":{"a":true,"b":true,"^c.*d.*e.*f$":true}})");
  std::string members;
  for (int i = 0; i < 40'000; ++i) {
    members += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  }
  EXPECT_NE(Judge(*schema, "{" + members + "}"), Outcome::kMismatch);
}

TEST(SchemaCost, UnevaluatedOverManyBranches) {
  const auto schema = Compiled(R"({"allOf":[)" + Repeat(R"({"anyOf":[true,true,true]})", 200) +
                               R"(],"unevaluatedProperties":false})");
  std::string members;
  for (int i = 0; i < 20'000; ++i) {
    members += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  }
  EXPECT_NE(Judge(*schema, "{" + members + "}"), Outcome::kMatch);
}

TEST(SchemaCost, DepthOfReferences) {
  // Eight schemas for each level of the document.
  std::string text = R"({"$ref":"#/$defs/7","$defs":{"0":{"items":{"$ref":"#"}})";
  for (int i = 1; i < 8; ++i) {
    text += ",\"" + std::to_string(i) + R"(":{"$ref":"#/$defs/)" + std::to_string(i - 1) + "\"}";
  }
  const auto schema = Compiled(text + "}}");
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(Judge(*schema, nested(100)), Outcome::kMatch);
  EXPECT_EQ(Judge(*schema, nested(120)), Outcome::kOverBudget);
}

}  // namespace
}  // namespace framewall::json
