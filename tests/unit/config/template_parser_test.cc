#include "proxy/config/template_parser.h"

#include <gtest/gtest.h>

namespace framewall::config {
namespace {

// "lit|$name|$1": the parts, so that a cut in the wrong place shows.
std::string Cut(std::string_view text) {
  VariableScope scope;
  const auto result = ParseTemplate(scope, text, SourceLocation{});
  if (!result) return "error: " + result.error().message;
  EXPECT_EQ(result->source, text);
  std::string out;
  for (const TemplatePart& part : result->parts) {
    if (!out.empty()) out += '|';
    if (part.variable != kNoVariable) {
      out += "$" + scope.names()[static_cast<size_t>(part.variable)].name;
    } else if (part.capture >= 0) {
      out += "$" + std::to_string(part.capture);
    } else {
      out += part.literal;
    }
  }
  return out;
}

TEST(TemplateParser, CutsNamesAndText) {
  EXPECT_EQ(Cut(""), "");
  EXPECT_EQ(Cut("plain"), "plain");
  EXPECT_EQ(Cut("$a"), "$a");
  EXPECT_EQ(Cut("x${a}y"), "x|$a|y");
  EXPECT_EQ(Cut("$scheme://$host:$Server_Port$uri"), "$scheme|://|$host|:|$server_port|$uri");
  EXPECT_EQ(Cut("$a$b"), "$a|$b");
  EXPECT_EQ(Cut("$a-b"), "$a|-b");
  EXPECT_EQ(Cut("{a}"), "{a}");
}

TEST(TemplateParser, CapturesAreOneDigit) {
  EXPECT_EQ(Cut("$1"), "$1");
  EXPECT_EQ(Cut("/$9x$10"), "/|$9|x|$1|0");
}

TEST(TemplateParser, RefusesADollarWithoutAName) {
  EXPECT_TRUE(Cut("a$").starts_with("error: invalid variable name"));
  EXPECT_TRUE(Cut("$ a").starts_with("error: invalid variable name"));
  EXPECT_TRUE(Cut("$-").starts_with("error: invalid variable name"));
  EXPECT_TRUE(Cut("${}").starts_with("error: invalid variable name"));
  EXPECT_EQ(Cut("${a"), "error: the closing bracket in \"a\" variable is missing");
  EXPECT_EQ(Cut("${a-b}"), "error: the closing bracket in \"a\" variable is missing");
}

TEST(TemplateParser, SameNameSameSlot) {
  VariableScope scope;
  const auto first = ParseTemplate(scope, "$Host", SourceLocation{});
  const auto second = ParseTemplate(scope, "${host}", SourceLocation{});
  EXPECT_EQ(first->parts[0].variable, second->parts[0].variable);
  EXPECT_EQ(scope.names().size(), 1u);
}

TEST(TemplateParser, KnowsALoneName) {
  EXPECT_EQ(VariableNameOf("$abc_1"), "abc_1");
  EXPECT_EQ(VariableNameOf("$"), "");
  EXPECT_EQ(VariableNameOf("abc"), "");
  EXPECT_EQ(VariableNameOf("$a-b"), "");
  EXPECT_EQ(VariableNameOf("$a$b"), "");
}

}  // namespace
}  // namespace framewall::config
