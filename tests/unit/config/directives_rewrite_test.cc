// set, return, rewrite, break and the conditions of `if`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = RewriteInstruction::Kind;
using Flags = RewriteInstruction::Flag;

Loaded LoadServer(std::string_view server) {
  return LoadHttp("server { " + std::string(server) + " }");
}
const RewriteProgram& Program(const Loaded& loaded) {
  return loaded.config->http.servers[0]->root.rewrite;
}
std::vector<std::string> ErrorsOf(std::string_view server) { return LoadServer(server).errors(); }

TEST(RewriteDirectives, Set) {
  const Loaded loaded = LoadServer("set $Abc x$uri; set $abc '';");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  ASSERT_EQ(Program(loaded).size(), 2u);
  EXPECT_EQ(Program(loaded)[0].kind, Kind::kSet);
  EXPECT_EQ(Program(loaded)[0].variable, Program(loaded)[1].variable);
  EXPECT_EQ(Program(loaded)[0].replacement.source, "x$uri");
  EXPECT_THAT(ErrorsOf("set abc x;"), ElementsAre(HasSubstr("invalid variable name \"abc\"")));
  EXPECT_THAT(ErrorsOf("set $a $;"), ElementsAre(HasSubstr("invalid variable name in \"$\"")));
}

TEST(RewriteDirectives, Return) {
  const Loaded loaded = LoadServer(
      "return 204; return 200 text$uri; return https://$host/; return 301 /a;"
      "return 200 ''; return 999;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const RewriteProgram& program = Program(loaded);
  EXPECT_EQ(program[0].status, 204);
  EXPECT_FALSE(program[0].has_text);
  EXPECT_EQ(program[1].status, 200);
  EXPECT_TRUE(program[1].has_text);
  EXPECT_EQ(program[2].status, 302);
  EXPECT_EQ(program[2].replacement.source, "https://$host/");
  EXPECT_EQ(program[3].status, 301);
  EXPECT_TRUE(program[4].has_text);
  EXPECT_EQ(program[5].status, 999);
  EXPECT_THAT(ErrorsOf("return 1000;"), ElementsAre(HasSubstr("invalid return code \"1000\"")));
  EXPECT_THAT(ErrorsOf("return /x;"), ElementsAre(HasSubstr("invalid return code \"/x\"")));
  EXPECT_THAT(ErrorsOf("return http://a b;"), ElementsAre(HasSubstr("invalid return code")));
}

TEST(RewriteDirectives, Rewrite) {
  const Loaded loaded = LoadServer(
      "rewrite ^/a(?<Rest>.*) /b$1 last; rewrite x /y? break; rewrite x http://h/;\n"
      "rewrite x /z redirect; rewrite x /z permanent; break;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const RewriteProgram& program = Program(loaded);
  EXPECT_EQ(program[0].flag, Flags::kLast);
  EXPECT_FALSE(program[0].drop_args);
  ASSERT_EQ(program[0].regex.capture_slots.size(), 1u);
  EXPECT_EQ(program[1].flag, Flags::kBreak);
  EXPECT_TRUE(program[1].drop_args);
  EXPECT_EQ(program[1].replacement.source, "/y");
  EXPECT_TRUE(program[2].redirects);
  EXPECT_EQ(program[3].flag, Flags::kRedirect);
  EXPECT_EQ(program[4].flag, Flags::kPermanent);
  EXPECT_EQ(program[5].kind, Kind::kBreak);
  EXPECT_THAT(ErrorsOf("rewrite x /y lost;"), ElementsAre(HasSubstr("invalid parameter \"lost\"")));
  EXPECT_THAT(ErrorsOf("rewrite x '';"), ElementsAre(HasSubstr("empty replacement")));
  EXPECT_THAT(ErrorsOf("rewrite ( /y;"), ElementsAre(HasSubstr("pcre2_compile() failed")));
}

const Condition& FirstCondition(const Loaded& loaded) { return Program(loaded)[0].condition; }

TEST(IfCondition, EveryForm) {
  using C = Condition::Kind;
  const struct {
    std::string_view text;
    C kind;
    bool negated;
  } cases[] = {
      {"($uri)", C::kVariable, false},      {"( $uri )", C::kVariable, false},
      {"($uri = x)", C::kEquals, false},    {"( $uri != x )", C::kNotEquals, false},
      {"($uri ~ x)", C::kRegex, false},     {"($uri !~* x)", C::kRegex, true},
      {"(-f $uri)", C::kFile, false},       {"(!-f $uri)", C::kFile, true},
      {"(-d $uri)", C::kDirectory, false},  {"(-e $uri)", C::kExists, false},
      {"(!-x $uri)", C::kExecutable, true}, {"($uri = '')", C::kEquals, false},
  };
  for (const auto& each : cases) {
    const Loaded loaded = LoadServer("if " + std::string(each.text) + " { return 204; }");
    ASSERT_THAT(loaded.errors(), IsEmpty()) << each.text;
    const Condition& condition = FirstCondition(loaded);
    EXPECT_EQ(condition.kind, each.kind) << each.text;
    EXPECT_EQ(condition.kind == C::kRegex ? condition.regex.negated : condition.negated,
              each.negated)
        << each.text;
    EXPECT_EQ(Program(loaded)[0].block.size(), 1u);
  }
}

TEST(IfCondition, RefusesOthers) {
  for (const std::string text : {"$uri", "($uri", "()", "(uri)", "($uri x)", "(-q $uri)", "(-f)",
                                 "($uri = a b)", "(-fx $uri)"}) {
    EXPECT_THAT(ErrorsOf("if " + text + " { }"), ElementsAre(HasSubstr("invalid condition")))
        << text;
  }
  EXPECT_THAT(ErrorsOf("if ($uri == x) { }"), ElementsAre(HasSubstr("unexpected \"==\"")));
  EXPECT_THAT(ErrorsOf("if ($uri ~ '(') { }"), ElementsAre(HasSubstr("pcre2_compile() failed")));
}

}  // namespace
}  // namespace framewall::config
