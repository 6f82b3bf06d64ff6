#include "waf/rule_files.h"

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

std::string Check(const std::string& path) {
  std::vector<RuleError> errors;
  const bool good = CheckRuleFile(path, &errors);
  EXPECT_EQ(good, errors.empty());
  return Text(errors);
}

TEST(RuleFiles, MissingFileIsNamed) {
  EXPECT_EQ(Check("/nonexistent/rules.conf"),
            "/nonexistent/rules.conf: rule file \"/nonexistent/rules.conf\" cannot be opened: "
            "No such file or directory\n");
}

TEST(RuleFiles, DirectoryIsNoRuleFile) {
  TemporaryDirectory directory;
  EXPECT_NE(Check(directory.path()).find("is not a regular file"), std::string::npos);
}

TEST(RuleFiles, IncludeThatMatchesNothingIsAnErrorAtItsLine) {
  TemporaryDirectory directory;
  const auto path = directory.Write("a.conf", "# one\n\n  Include none/*.conf\n");
  EXPECT_EQ(Check(path), path + ":3: Include \"none/*.conf\" matches no file\n");
}

TEST(RuleFiles, IncludesAreFoundBesideTheIncludingFile) {
  TemporaryDirectory directory;
  directory.Write("b1.conf", "");
  directory.Write("b2.conf", "include \"b1.conf\"\n");
  EXPECT_EQ(Check(directory.Write("a.conf", "Include b*.conf\n")), "");
}

TEST(RuleFiles, CircleIsAnErrorAndNoCrash) {
  TemporaryDirectory directory;
  const auto a = directory.Write("a.conf", "Include b.conf\n");
  const auto b = directory.Write("b.conf", "\nInclude a.conf\n");
  const std::string text = Check(a);
  EXPECT_EQ(text.substr(0, (b + ":2: ").size()), b + ":2: ");
  EXPECT_NE(text.find("is included by itself"), std::string::npos);
}

TEST(RuleFiles, SameFileTwiceIsNoCircle) {
  TemporaryDirectory directory;
  directory.Write("b.conf", "");
  EXPECT_EQ(Check(directory.Write("a.conf", "Include b.conf\nInclude b.conf\n")), "");
}

TEST(RuleFiles, CommentsAndContinuedLinesAreNoIncludes) {
  TemporaryDirectory directory;
  EXPECT_EQ(Check(directory.Write(
                "a.conf", "#Include x\nSecRule ARGS \\\n include \\\n \"id:1,phase:1,pass\"\n")),
            "");
}

TEST(RuleFiles, FaultsInIncludedFilesHaveTheirPlace) {
  TemporaryDirectory directory;
  const auto inner = directory.Write("b.conf", "\nSecRulee\n");
  const auto outer = directory.Write("a.conf", "Include b.conf # ours\nSecRuleEngine\n");
  EXPECT_EQ(Check(outer),
            inner + ":2: directive \"SecRulee\" is not known, did you mean \"SecRule\"?\n" + outer +
                ":2: \"SecRuleEngine\" needs a value\n");
}

TEST(RuleFiles, IdTwiceInTwoFilesNamesBoth) {
  TemporaryDirectory directory;
  const auto inner = directory.Write("b.conf", "SecRule ARGS \"@rx x\" \"id:1,phase:1,pass\"\n");
  const auto outer =
      directory.Write("a.conf", "Include b.conf\nSecRule ARGS \"@rx y\" \"id:1,phase:1,pass\"\n");
  EXPECT_EQ(Check(outer), outer + ":2: rule 1 is there already, at " + inner + ":1\n");
}

TEST(RuleFiles, LibraryErrorIsTakenApart) {
  const RuleError error =
      ParseLibraryError("Rules error. File: /etc/a.conf. Line: 12. Column: 7. Invalid input:  x. y",
                        Inline("", "s", 3));
  EXPECT_EQ(error.file, "/etc/a.conf");
  EXPECT_EQ(error.line, 12);
  EXPECT_EQ(error.message, "Invalid input:  x. y");
}

TEST(RuleFiles, LibraryErrorWithoutFileHasNoLineEither) {
  EXPECT_EQ(ParseLibraryError("Rules error. File: . Line: 1. Column: 0. It is bad. ",
                              Inline("", "site.conf", 3))
                .Text(),
            "site.conf:3: It is bad.");
}

TEST(RuleFiles, LibraryErrorWithoutPlaceIsPutWhereTheDirectiveStands) {
  EXPECT_EQ(ParseLibraryError("Rule id: 1 is duplicated\n", Inline("", "site.conf", 3)).Text(),
            "site.conf:3: Rule id: 1 is duplicated");
}

}  // namespace
}  // namespace framewall::waf
