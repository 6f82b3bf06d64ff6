// What is refused before libmodsecurity sees it, with its file and line, and the
// nearest thing that is not. Each text that is fine must also load: what we let
// through is the library's own.
#include "waf/rule_check.h"

#include <string>
#include <string_view>

#include "tests/unit/waf/waf_testing.h"
#include "waf/rule_files.h"

namespace framewall::waf {
namespace {

// What is wrong with rules that stand in "r" from line 1 on.
std::string Faults(const std::string& text) {
  std::vector<RuleError> errors;
  const bool good = CheckRules(text, "r", 1, &errors);
  EXPECT_EQ(good, errors.empty());
  return Text(errors);
}

// Nothing is wrong with them, and the library takes them.
void ExpectFine(const std::string& text) {
  EXPECT_EQ(Faults(text), "") << text;
  RuleLoader loader(TestEngine(), "/nonexistent");
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline(text)};
  EXPECT_TRUE(loader.Load(nullptr, sources, &errors)) << text << "\n" << Text(errors);
}

std::string Rule(std::string_view variables, std::string_view op) {
  return "SecRule " + std::string(variables) + " " + std::string(op) + " \"id:1,phase:1,pass\"\n";
}
std::string WithVariables(std::string_view variables) { return Rule(variables, "\"@rx x\""); }
std::string WithOperator(std::string_view op) {
  return Rule("ARGS", "\"" + std::string(op) + "\"");
}
std::string WithAction(std::string_view action) {
  return "SecRule ARGS \"@rx x\" \"id:1,phase:1,pass," + std::string(action) + "\"\n";
}

// -- Directives ---------------------------------------------------------------

TEST(RuleCheck, DirectiveIsComparedWhole) {
  EXPECT_EQ(Faults("\nSecRulee ARGS \"@rx x\" \"id:1,phase:1,pass\"\n"),
            "r:2: directive \"SecRulee\" is not known, did you mean \"SecRule\"?\n");
  EXPECT_EQ(Faults("SecActionn \"id:1,phase:1,pass\"\n"),
            "r:1: directive \"SecActionn\" is not known, did you mean \"SecAction\"?\n");
  EXPECT_EQ(Faults("SecRuleEngineOn\n"),
            "r:1: directive \"SecRuleEngineOn\" is not known, did you mean \"SecRuleEngine\"?\n");
  EXPECT_EQ(Faults("Frobnicate x\n"), "r:1: directive \"Frobnicate\" is not known\n");
  EXPECT_EQ(Faults("SecRuleEngine=On\n"),
            "r:1: a space was expected behind \"SecRuleEngine\", found \"=On\"\n");
  ExpectFine("secrule ARGS \"@rx x\" \"id:1,phase:1,pass\"\n");
  ExpectFine("SecRuleEngine On\n");
}

TEST(RuleCheck, AllFaultsAreReported) {
  EXPECT_EQ(Faults("SecRul x\n<IfModule a>\nSecRuleEngine On\n\nSecRulee \\\n y \\\n z\nFoo\n"),
            "r:1: directive \"SecRul\" is not known, did you mean \"SecRule\"?\n"
            "r:2: a directive was expected, found \"<IfModule a>\"\n"
            "r:5: directive \"SecRulee\" is not known, did you mean \"SecRule\"?\n"
            "r:8: directive \"Foo\" is not known\n");
}

TEST(RuleCheck, DirectiveThatTheLibraryLacksIsSaidAtItsLine) {
  EXPECT_EQ(Faults("SecRuleEngine On\nSecSensorId x\n"),
            "r:2: \"SecSensorId\" is not there in libmodsecurity\n");
  EXPECT_EQ(Faults("SecHashEngine On\n"),
            "r:1: \"SecHashEngine\" is not there in libmodsecurity, it can only be Off\n");
  ExpectFine("SecHashEngine Off\n");
}

TEST(RuleCheck, ValuesOfSettings) {
  EXPECT_EQ(Faults("SecRequestBodyLimit 99999999999\n"),
            "r:1: \"99999999999\" is no number up to 2147483647\n");
  EXPECT_EQ(Faults("SecAuditLogDirMode 999\n"), "r:1: \"999\" is no mode in octal, as 0640 is\n");
  EXPECT_EQ(Faults("SecRequestBodyLimit\n"), "r:1: \"SecRequestBodyLimit\" needs a value\n");
  EXPECT_EQ(Faults("SecRuleEngine On SecAction \"id:1\"\n"),
            "r:1: \"SecRuleEngine\" takes one value, found \"SecAction\" behind it\n");
  EXPECT_EQ(Faults("SecAuditLogRelevantStatus \"^(?:5|4(?!04)\"\n"),
            "r:1: the pattern does not compile: missing closing parenthesis at offset 13 of "
            "\"^(?:5|4(?!04)\"\n");
  ExpectFine(
      "SecRequestBodyLimit 2147483647\nSecAuditLogDirMode 0750\nSecRuleEngine On # all\n"
      "SecAuditLogRelevantStatus \"^(?:5|4(?!04))\"\nSecResponseBodyMimeType a/b c/d\n");
}

TEST(RuleCheck, FilesThatSettingsName) {
  TemporaryDirectory directory;
  directory.Write("some.mapping", "20127\n0041:41\n");
  const std::string at = directory.path("rules.conf");
  const auto check = [&at](const char* text) {
    std::vector<RuleError> errors;
    CheckRules(text, at, 1, &errors);
    return Text(errors);
  };
  EXPECT_EQ(check("\nSecUnicodeMapFile none.mapping 20127\n"),
            at + ":2: file \"none.mapping\" cannot be found\n");
  EXPECT_EQ(check("SecUnicodeMapFile some.mapping\n"),
            at + ":1: \"SecUnicodeMapFile\" takes a file and the number of a code page\n");
  EXPECT_EQ(check("SecGeoLookupDb none.mmdb\n"), at + ":1: file \"none.mmdb\" cannot be found\n");
  EXPECT_EQ(check("SecArgumentSeparator &&\n"), at + ":1: \"&&\" is no single character\n");
  EXPECT_EQ(check("SecUnicodeMapFile some.mapping 20127\nSecArgumentSeparator ;\n"), "");
}

// The library dies of it.
TEST(RuleCheck, TabBehindADirectiveThatWantsASpace) {
  EXPECT_EQ(Faults("SecRequestBodyLimit\t1000\n"),
            "r:1: a tab behind \"SecRequestBodyLimit\": only spaces may stand there\n");
  EXPECT_EQ(Faults("SecRuleUpdateTargetById\t1 ARGS\n"),
            "r:1: a tab behind \"SecRuleUpdateTargetById\": only spaces may stand there\n");
  ExpectFine("SecRuleEngine\tOn\nSecRule\tARGS\t\"@rx x\"\t\"id:1,phase:1,pass\"\n");
}

TEST(RuleCheck, IdsOfRulesThatAreRemovedOrChanged) {
  EXPECT_EQ(Faults("SecRuleRemoveById 1,2\n"),
            "r:1: \"1,2\" is no rule id and no range of them; they are separated by spaces\n");
  EXPECT_EQ(Faults("SecRuleRemoveById 90-100\n"),
            "r:1: \"90-100\" is no range: libmodsecurity compares its ends as text\n");
  EXPECT_EQ(Faults("SecRuleRemoveById 5 # why\n"),
            "r:1: a comment behind \"SecRuleRemoveById\" would be part of its value\n");
  EXPECT_EQ(Faults("SecRuleRemoveByTag attack # why\n"),
            "r:1: a comment behind \"SecRuleRemoveByTag\" would be part of its value\n");
  EXPECT_EQ(Faults("SecRuleUpdateTargetById 1-5 !ARGS:x\n"),
            "r:1: \"1-5\" is no rule id; one is taken at a time\n");
  EXPECT_EQ(Faults("SecRuleUpdateActionById 1:1 \"pass\"\n"),
            "r:1: \"1:1\" is no rule id; one is taken at a time\n");
  EXPECT_EQ(Faults("SecRuleUpdateActionById 1 \"phase:2\"\n"),
            "r:1: \"phase\" of a rule cannot be changed\n");
  ExpectFine(
      "SecRuleRemoveById 1 2-5 100-200\nSecRuleUpdateTargetById 1 \"!ARGS:x|ARGS:/y/\"\n"
      "SecRuleUpdateTargetByTag \"a b\" !ARGS:x\nSecRuleUpdateActionById 1 \"pass\"\n");
}

// -- Patterns -----------------------------------------------------------------

TEST(RuleCheck, PatternThatDoesNotCompile) {
  const std::string reason =
      "the pattern does not compile: missing closing parenthesis at offset 1 of \"(\"\n";
  for (const char* op :
       {"@rx", "@rxGlobal", "@verifyCC", "@verifyCPF", "@verifySSN", "@verifySVNR", "!@rx"}) {
    const std::string name = std::string(op).substr(op[0] == '!' ? 1 : 0);
    EXPECT_EQ(Faults("\n" + WithOperator(std::string(op) + " (")),
              "r:2: \"" + name + "\": " + reason);
    ExpectFine(WithOperator(std::string(op) + " (x)"));
  }
  EXPECT_EQ(Faults(WithOperator("(")), "r:1: " + reason);
  EXPECT_EQ(Faults(WithOperator("!(")), "r:1: " + reason);
  ExpectFine(WithOperator("(x)"));
}

TEST(RuleCheck, PatternWithMacrosIsKnownOnlyWhenTheRuleRuns) {
  ExpectFine(WithOperator("@rx (%{tx.open}"));
  EXPECT_EQ(Faults(WithOperator("@rx (\\%{tx.open}")).substr(0, 10), "r:1: \"@rx\"");
  EXPECT_EQ(Faults(WithOperator("@verifyCC %{tx.digits}")),
            "r:1: \"@verifyCC\": the parameter is read once, at the start: macros are not expanded "
            "in it\n");
}

TEST(RuleCheck, PatternsOfVariables) {
  EXPECT_EQ(Faults(WithVariables("ARGS:/(/")),
            "r:1: the pattern of a variable does not compile: missing closing parenthesis at "
            "offset 1 of \"(\"\n");
  EXPECT_NE(Faults(WithVariables("ARGS|!ARGS:'/(|x/'")), "");
  EXPECT_NE(Faults(WithVariables("TX:/(/")), "");
  EXPECT_NE(Faults("SecRuleUpdateTargetById 1 \"!ARGS:/(/\"\n"), "");
  ExpectFine(WithVariables("ARGS:/^a{1,2}$/|!ARGS:'/^(a|b)/'|&TX:/x/|REQUEST_HEADERS:/^x-/"));

  EXPECT_EQ(Faults(WithVariables("ARGS:/^a")),
            "r:1: the pattern \"/^a\" has no closing slash, or something behind it\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:/^a/i")),
            "r:1: the pattern \"/^a/i\" has no closing slash, or something behind it\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:/a|b/")),
            "r:1: the pattern \"/a\" has no closing slash; with a \"|\" in it it needs single "
            "quotes: '/a|b/'\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:/a=b/")),
            "r:1: the pattern of a variable cannot have \"=\" or a space in it (\"a=b\"): write "
            "\\x3d or \\x20\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:/a/,ARGS:/b/")),
            "r:1: the pattern \"/a/,ARGS:/b/\" is read up to its last slash: variables with "
            "patterns are separated by \"|\"\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:'/a/'|ARGS:'/b/'")),
            "r:1: libmodsecurity reads two patterns in single quotes as one: give each a rule of "
            "its own\n");
  ExpectFine(WithVariables("ARGS:/a/|ARGS:/b/"));
}

// -- Variables ----------------------------------------------------------------

TEST(RuleCheck, Variables) {
  EXPECT_EQ(Faults(WithVariables("ARGZ")),
            "r:1: variable \"ARGZ\" is not known, did you mean \"ARGS\"?\n");
  EXPECT_EQ(Faults(WithVariables("REQUEST_URI|ARGSX")),
            "r:1: variable \"ARGSX\" is not known, did you mean \"ARGS\"?\n");
  EXPECT_EQ(Faults(WithVariables("!ARGS:x|!ARGS:y")),
            "r:1: the variables only exclude: the rule would look at nothing\n");
  EXPECT_EQ(Faults(WithVariables("ARGS|")),
            "r:1: a variable was expected at the end of the list\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:'a'")),
            "r:1: the quotes in \"'a'\" would be part of the key\n");
  EXPECT_EQ(Faults(WithVariables("ARGS:")), "r:1: a key was expected behind \"ARGS:\"\n");
  ExpectFine(WithVariables("args,&ARGS_NAMES|!ARGS:a=b|XML:/*|XML://@*|TX.x|REQUEST_URI"));
  ExpectFine(WithVariables("\"ARGS:a|!ARGS:b\""));
}

// -- Operators ----------------------------------------------------------------

TEST(RuleCheck, OperatorNames) {
  EXPECT_EQ(Faults("\n" + WithOperator("@steq x")),
            "r:2: operator \"@steq\" is not known, did you mean \"@streq\"?\n");
  EXPECT_EQ(Faults(WithOperator("!@rxx x")),
            "r:1: operator \"@rxx\" is not known, did you mean \"@rx\"?\n");
  // There is none in this library.
  EXPECT_EQ(Faults(WithOperator("@noMatch")).substr(0, 37),
            "r:1: operator \"@noMatch\" is not known");
  EXPECT_EQ(Faults(WithOperator(" @rx x")),
            "r:1: the space before \"@rx x\" makes it plain text\n");
  EXPECT_EQ(Faults(WithOperator("! @rx x")),
            "r:1: the space before \"@rx x\" makes it plain text\n");
  EXPECT_EQ(Faults(WithOperator("@rx\tx")),
            "r:1: a space was expected behind \"@rx\", found \"\tx\"\n");
  EXPECT_EQ(Faults("SecRule ARGS x\n"), "r:1: the operator x needs double quotes around it\n");
  EXPECT_EQ(Faults(Rule("ARGS", "'@rx'")), "r:1: an operator is put in double quotes\n");
  ExpectFine(WithOperator("!@RX ^@x"));
  ExpectFine(WithOperator("a @rx"));
  ExpectFine(WithOperator("@"));
  ExpectFine(Rule("ARGS", "@detectSQLi"));
  ExpectFine(Rule("ARGS", "@rx x"));
  ExpectFine(Rule("ARGS", "x"));
}

TEST(RuleCheck, OperatorParameters) {
  EXPECT_EQ(Faults(WithOperator("@rx")), "r:1: \"@rx\" needs a parameter\n");
  EXPECT_EQ(Faults(WithOperator("@detectSQLi x")),
            "r:1: \"@detectSQLi\" takes no parameter, found \" x\"\n");
  ExpectFine(WithOperator("@detectXSS "));

  EXPECT_EQ(Faults(WithOperator("@eq 3x")), "r:1: \"@eq\": \"3x\" is no whole number\n");
  EXPECT_EQ(Faults(WithOperator("@ge 0.5")), "r:1: \"@ge\": \"0.5\" is no whole number\n");
  EXPECT_EQ(Faults(WithOperator("@lt 99999999999")),
            "r:1: \"@lt\": \"99999999999\" is no whole number\n");
  ExpectFine(WithOperator("@gt -1"));
  ExpectFine(WithOperator("@le %{tx.limit}"));

  EXPECT_EQ(Faults(WithOperator("@validateByteRange 1-300")),
            "r:1: \"@validateByteRange\": \"1-300\" is no byte and no range of bytes (0-255)\n");
  EXPECT_NE(Faults(WithOperator("@validateByteRange 9,10x")), "");
  EXPECT_NE(Faults(WithOperator("@validateByteRange 300")), "");
  EXPECT_NE(Faults(WithOperator("@validateByteRange 126-32")), "");
  ExpectFine(WithOperator("@validateByteRange 9, 10,13,32-126,128-255"));

  EXPECT_EQ(Faults(WithOperator("@ipMatch 192.0.2.1,192.0.2.0/33")),
            "r:1: \"@ipMatch\": \"192.0.2.0/33\" is no address and no network\n");
  EXPECT_NE(Faults(WithOperator("@ipMatch 192.0.2.1, 192.0.2.2")), "");
  ExpectFine(WithOperator("@ipMatch 192.0.2.1,192.0.2.0/24,2001:db8::/32,::1"));

  EXPECT_EQ(Faults(WithOperator("@pm a %{tx.b}")),
            "r:1: \"@pm\": the parameter is read once, at the start: macros are not expanded in "
            "it\n");
  ExpectFine(WithOperator("@within %{tx.allowed}"));
}

// -- Actions ------------------------------------------------------------------

TEST(RuleCheck, ActionNames) {
  EXPECT_EQ(Faults("SecRule ARGS \"@rx x\" \\\n  \"id:1,\\\n  phase:1,\\\n  denyy\"\n"),
            "r:4: action \"denyy\" is not known, did you mean \"deny\"?\n");
  EXPECT_EQ(Faults(WithAction("t:lowercasee")),
            "r:1: transformation \"lowercasee\" is not known, did you mean \"lowercase\"?\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleEngin=Off")),
            "r:1: \"ctl:ruleEngin\" is not known, did you mean \"ruleEngine\"?\n");
  EXPECT_EQ(Faults(WithAction("msg")), "r:1: \"msg\" needs a value\n");
  EXPECT_EQ(Faults(WithAction("tag:")), "r:1: \"tag\" has no value\n");
  ExpectFine(WithAction("T:None,t:urlDecodeUni,MSG:'x',ctl:ruleEngine=Off"));
}

TEST(RuleCheck, ActionValues) {
  EXPECT_EQ(Faults("SecAction \"id:1,phase:6,pass\"\n"),
            "r:1: \"6\" is no phase (1 to 5, request, response, logging)\n");
  EXPECT_NE(Faults("SecAction \"id:1,phase:0,pass\"\n"), "");
  EXPECT_EQ(Faults("SecAction \"id:1,phase:'request',pass\"\n"),
            "r:1: a phase's name in quotes is read as another action: leave them out\n");
  ExpectFine("SecAction \"id:1,phase:request,pass\"\nSecAction \"id:2,phase:'5',pass\"\n");

  EXPECT_EQ(Faults(WithAction("status:99999")), "r:1: \"99999\" is no status (100 to 599)\n");
  EXPECT_EQ(Faults(WithAction("severity:8")),
            "r:1: \"8\" is no severity (0 to 7, EMERGENCY to DEBUG)\n");
  EXPECT_EQ(Faults(WithAction("setvar:tx.a=+b")),
            "r:1: \"b\" is added to a variable, but is no number\n");
  EXPECT_EQ(Faults(WithAction("id:2")), "r:1: \"id\" stands twice\n");
  ExpectFine(WithAction("status:429,severity:'CRITICAL',setvar:tx.a=+5,setvar:'tx.b=-%{tx.a}'"));
}

// The library takes all that follows, a disruptive action or the next rule, for
// a part of the value.
TEST(RuleCheck, ValuesThatSwallowWhatFollows) {
  EXPECT_EQ(Faults(WithAction("accuracy:8,deny")),
            "r:1: \"accuracy\" takes what follows for its value: put it in single quotes\n");
  EXPECT_NE(Faults(WithAction("maturity:8")), "");
  EXPECT_EQ(Faults(WithAction("rev:2")),
            "r:1: \"rev\" takes the next rule for its value: put it in single quotes\n");
  EXPECT_EQ(Faults(WithAction("msg:'x")), "r:1: \"msg\" has no closing single quote on its line\n");
  EXPECT_EQ(Faults(WithAction("tag:x\\\n,deny")),
            "r:1: \"tag\" goes on over the line break: put its value in single quotes\n");
  EXPECT_EQ(Faults("SecRule ARGS \"@rx x\" \"id:1,phase:1,pass\nSecRuleEngine On\n"),
            "r:1: the actions have no closing quote\n");
  EXPECT_EQ(Faults("SecRule ARGS \"@rx x\nSecRuleEngine On\n"),
            "r:1: the operator has no closing double quote on its line\n");
  EXPECT_EQ(Faults(WithOperator("@rx a\\\nb")).substr(0, 62),
            "r:1: the operator has no closing double quote on its line\n"
            "r:2:");
  EXPECT_EQ(Faults(WithOperator("@rx \\\"x")),
            "r:1: libmodsecurity takes no \\\" at the beginning of the operator, it ends there\n");
  EXPECT_EQ(Faults(Rule("ARGS", "\"@rx x\"y")).substr(0, 60),
            "r:1: a space was expected behind the operator, found \"y \"id:");
  ExpectFine(WithAction("rev:2,accuracy:'8',msg:'a \\'b\\' \"c\" \\\n  d',tag:it's"));
  ExpectFine(WithOperator("@rx a\\\"x\\\\"));
  ExpectFine("SecRule ARGS \"@rx x\"\n  \"id:1,phase:1,pass\"\n");
  ExpectFine("SecAction \\\n  \"id:1 , phase:1\\\n  ,pass\"\r\n");
}

TEST(RuleCheck, TargetsThatAreRemoved) {
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveById=5x")),
            "r:1: \"5x\" is no rule id and no range of them\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetById=5")),
            "r:1: \";\" and a variable were expected behind \"5\"\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetById=5x;ARGS")),
            "r:1: \"5x\" is no rule id and no range of them\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetById=5;ARG")),
            "r:1: variable \"ARG\" is not known, did you mean \"ARGS\"?\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetByTag=a;args:x")),
            "r:1: \"args\" never fits: variables are compared in capitals here\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetById=5;ARGS:/x/")),
            "r:1: \"ARGS:/x/\" never fits: patterns are not understood here\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetById=5;ARGS:a;ARGS:b")),
            "r:1: one target is taken out at a time, found \"ARGS:a;ARGS:b\"\n");
  EXPECT_EQ(Faults(WithAction("ctl:ruleRemoveTargetByTag=a;XML://@*")),
            "r:1: libmodsecurity reads no \"@\" in \"ruleRemoveTargetByTag=a;XML://@*\"\n");
  EXPECT_EQ(Faults(WithAction("ctl:auditLogParts=|E")),
            "r:1: \"+\" or \"-\" was expected before the parts, found \"|E\"\n");
  ExpectFine(
      WithAction("ctl:ruleRemoveById=5-9,ctl:ruleRemoveTargetById=5;ARGS:a,"
                 "ctl:ruleRemoveTargetById=5-9;REQUEST_COOKIES,ctl:auditLogParts=+E,"
                 "ctl:ruleRemoveTargetByTag=attack-x;XML:/*"));
}

// -- Rules among each other ---------------------------------------------------

TEST(RuleCheck, IdsOfRules) {
  EXPECT_EQ(Faults("\nSecRule ARGS \"@rx x\" \"phase:1,pass\"\n"), "r:2: a rule needs an id\n");
  EXPECT_EQ(Faults(WithOperator("@rx x") + WithOperator("@rx y")),
            "r:2: rule 1 is there already, at r:1\n");
  EXPECT_EQ(Faults("SecRule ARGS \"@rx x\" \"id:x,phase:1,pass\"\n"), "r:1: \"x\" is no rule id\n");
}

TEST(RuleCheck, Chains) {
  const std::string starter = "SecRule ARGS \"@rx x\" \"id:1,phase:1,deny,chain\"\n";
  EXPECT_EQ(Faults(starter + "SecRule ARGS \"@rx x\" \"t:none,deny\"\n"),
            "r:2: \"deny\" belongs in the first rule of the chain\n");
  EXPECT_EQ(Faults(starter + "SecMarker X\nSecRule ARGS \"@rx x\" \"t:none\"\n"),
            "r:2: rule 1 ends with `chain`: a SecRule was expected, found \"SecMarker\"\n");
  EXPECT_EQ(Faults("SecAction \"id:1,phase:1,deny,chain\"\n"),
            "r:1: \"SecAction\" cannot begin a chain\n");
  ExpectFine(starter +
             "# and\n\n  SecRule ARGS \"@rx x\" \"t:none,chain\"\n  SecRule ARGS \"x\"\n\n" +
             "SecRule ARGS \"@rx x\" \"id:2,phase:1,pass\"\n");
}

TEST(RuleCheck, DefaultActions) {
  EXPECT_EQ(Faults("SecDefaultAction \"phase:1,log\"\n"),
            "r:1: SecDefaultAction needs one of allow, deny, drop, pass and redirect\n");
  EXPECT_EQ(Faults("SecDefaultAction \"phase:1,pass\"\nSecDefaultAction \"phase:1,deny\"\n"),
            "r:2: phase 1 has its SecDefaultAction already, at r:1\n");
  EXPECT_EQ(Faults("SecDefaultAction \"phase:1,pass,t:none\"\n"),
            "r:1: \"t:none\" has no sense in SecDefaultAction\n");
  ExpectFine("SecDefaultAction \"phase:1,pass,log\"\nSecDefaultAction \"phase:2,deny,log\"\n");
}

// -- Comments -----------------------------------------------------------------

TEST(RuleCheck, CommentsEndWhereTheLibraryEndsThem) {
  // No comment goes on behind a backslash ...
  EXPECT_NE(Faults("# see C:\\\nFoo\n"), "");
  // ... save of a rule,
  ExpectFine("#SecRule ARGS \"@rx x\" \\\n   \"id:1\"\nSecRuleEngine On\n");
  ExpectFine("# SecAction \\\n#   \"id:1,\\\n#   pass\"\nSecRuleEngine On\n");
  // which may take along what nobody meant it to.
  const std::string taken = "the comment above ends with a backslash and takes this line along\n";
  EXPECT_EQ(Faults("# SecRule ARGS \\\nSecRuleEngine On\n"), "r:2: " + taken);
  EXPECT_EQ(Faults("# SecRule ARGS \\\n\n  \"x\"\n"), "r:3: " + taken);
  EXPECT_EQ(Faults("#SecAction x \\\n#\\\nSecRuleEngine On\n"), "r:3: " + taken);
  ExpectFine("# SecRule ARGS \\\n\n# x\nSecRuleEngine On\n");
  EXPECT_EQ(Faults("# SecRule\nSecRule ARGS \\\n  x \"id:1,phase:1,pass\"\n"),
            "r:2: libmodsecurity takes this line for a part of the comment above\n");
  ExpectFine("# SecRule\nSecRule ARGS x \"id:1,phase:1,pass\"\n");
  ExpectFine("SecRule ARGS x \"id:1,phase:1,pass\" # to the end\nSecRuleEngine On\n");
}

TEST(RuleCheck, ByteOrderMarkIsNamed) {
  EXPECT_EQ(Faults("\xef\xbb\xbfSecRuleEngine On\n"),
            "r:1: the file begins with a byte order mark; save it without\n");
}

TEST(RuleCheck, RemoteRulesMustSayWhatAFailureMeans) {
  EXPECT_EQ(Faults("SecRemoteRules key https://rules.example/x\n"),
            "r:1: \"SecRemoteRules\" without \"SecRemoteRulesFailAction\" before it: a failure to "
            "fetch the rules would go unnoticed\n");
  EXPECT_EQ(Faults("SecRemoteRulesFailAction Abort\nSecRemoteRules key http://rules.example/x\n"),
            "r:2: \"SecRemoteRules\" takes a key and a URL that begins with https://\n");
  EXPECT_EQ(Faults("SecRemoteRulesFailAction Warn\nSecRemoteRules key https://rules.example/x\n"),
            "");
}

}  // namespace
}  // namespace framewall::waf
