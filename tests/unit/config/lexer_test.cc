#include "proxy/config/lexer.h"

#include <gtest/gtest.h>

namespace framewall::config {
namespace {

// "name|arg;" for each statement, "{", "}", and "error@line".
std::string Lex(std::string_view text, Lexer::Origin origin = Lexer::Origin::kFile) {
  Lexer lexer(text, origin);
  std::string shown;
  while (true) {
    const Lexer::Statement statement = lexer.Next();
    for (size_t i = 0; i < statement.words.size(); ++i) {
      if (i > 0) shown += '|';
      shown += statement.words[i];
    }
    switch (statement.kind) {
      case Lexer::Kind::kStatement:
        shown += ';';
        break;
      case Lexer::Kind::kBlockStart:
        shown += '{';
        break;
      case Lexer::Kind::kBlockEnd:
        shown += '}';
        break;
      case Lexer::Kind::kEnd:
        return shown;
      case Lexer::Kind::kError:
        return shown + statement.error + "@" + std::to_string(statement.line);
    }
  }
}

TEST(Lexer, CutsStatementsAndBlocks) {
  EXPECT_EQ(Lex("a b  c;d{e;}f\t1\r\n2 ;"), "a|b|c;d{e;}f|1|2;");
  EXPECT_EQ(Lex("server{listen 80;}"), "server{listen|80;}");
  EXPECT_EQ(Lex(""), "");
  EXPECT_EQ(Lex(" \n\t"), "");
}

TEST(Lexer, KeepsWhatStandsInQuotes) {
  EXPECT_EQ(Lex(R"(a "b c;{}#d" 'e "f"' "";)"), R"(a|b c;{}#d|e "f"|;)");
  EXPECT_EQ(Lex("a \"two\nlines\";"), "a|two\nlines;");
}

TEST(Lexer, QuoteInsideAWordIsAnOrdinaryCharacter) { EXPECT_EQ(Lex("a b\"c d'e;"), "a|b\"c|d'e;"); }

TEST(Lexer, UnescapesOnlyWhatNginxDoes) {
  EXPECT_EQ(Lex(R"(a "\"" '\'' \\ x\ty x\ry x\ny;)"), "a|\"|'|\\|x\ty|x\ry|x\ny;");
  EXPECT_EQ(Lex(R"(location ~ \.php$ "\d\$";)"), R"(location|~|\.php$|\d\$;)");
  // An escaped blank, brace or end does not end the word, and its backslash stays.
  EXPECT_EQ(Lex(R"(a b\ c \;d \{e;)"), R"(a|b\ c|\;d|\{e;)");
}

TEST(Lexer, BraceBehindDollarBelongsToTheWord) {
  EXPECT_EQ(Lex("a ${b}c x${d} $e;"), "a|${b}c|x${d}|$e;");
  // Without '$' it begins a block: such a regex needs quotes.
  EXPECT_EQ(Lex("location ~ a{3; b"),
            "location|~|a{3;unexpected end of file, expecting \";\" or \"}\"@1");
  EXPECT_EQ(Lex("a b{"), "a|b{");
}

TEST(Lexer, SkipsComments) {
  EXPECT_EQ(Lex("# one; { }\na b; # two\nc # three\n d;#end"), "a|b;c|d;");
  EXPECT_EQ(Lex("a b#c;"), "a|b#c;");
  // A comment is no word, however long.
  EXPECT_EQ(Lex("#" + std::string(10000, 'x') + "\na;"), "a;");
}

TEST(Lexer, ParenthesisMayFollowAQuote) {
  EXPECT_EQ(Lex("if ($a = \"b\") {"), "if|($a|=|b|){");
  EXPECT_EQ(Lex("if ($a ~ 'b'){"), "if|($a|~|b|){");
}

TEST(Lexer, SkipsAByteOrderMark) {
  EXPECT_EQ(Lex("\xef\xbb\xbf"
                "a;"),
            "a;");
}

TEST(Lexer, ErrorsAreNginxs) {
  EXPECT_EQ(Lex("a;\n;"), "a;unexpected \";\"@2");
  EXPECT_EQ(Lex("{"), "unexpected \"{\"@1");
  EXPECT_EQ(Lex("a\nb }"), "unexpected \"}\"@2");
  EXPECT_EQ(Lex("a \"b\"c;"), "unexpected \"c\"@1");
  EXPECT_EQ(Lex("a"), "unexpected end of file, expecting \";\" or \"}\"@1");
  EXPECT_EQ(Lex("a \"b;\n"), "unexpected end of file, expecting \";\" or \"}\"@2");
  EXPECT_EQ(Lex("a b\\"), "unexpected end of file, expecting \";\" or \"}\"@1");
  EXPECT_EQ(Lex("a", Lexer::Origin::kCommandLine),
            "unexpected end of parameter, expecting \";\"@1");
}

TEST(Lexer, NothingFollowsAnError) {
  Lexer lexer("; a;");
  EXPECT_EQ(lexer.Next().kind, Lexer::Kind::kError);
  EXPECT_EQ(lexer.Next().kind, Lexer::Kind::kEnd);
}

TEST(Lexer, CountsLinesAtTheTerminator) {
  Lexer lexer("a\n b\n;\n\"x\ny\" {");
  EXPECT_EQ(lexer.Next().line, 3);
  EXPECT_EQ(lexer.Next().line, 5);
}

TEST(Lexer, LimitsTheLengthOfAWord) {
  const std::string longest(Lexer::kMaxWord, 'x');
  EXPECT_EQ(Lex("a " + longest + ";"), "a|" + longest + ";");
  EXPECT_EQ(Lex("a '" + longest + "';"), "a|" + longest + ";");
  EXPECT_EQ(Lex("a\n " + longest + "x;"), "too long parameter \"xxxxxxxxxx...\" started@2");
  EXPECT_EQ(Lex("a\n '" + longest + "x';"),
            "too long parameter, probably missing terminating \"'\" character@2");
}

TEST(LexWords, ReadsArgumentsAlone) {
  const auto words = [](std::string_view text) {
    const auto result = LexWords(text);
    if (!result.ok()) return "error: " + result.error().message;
    std::string shown;
    for (const std::string& word : *result) shown += "<" + word + ">";
    return shown;
  };
  EXPECT_EQ(words("80 default_server"), "<80><default_server>");
  EXPECT_EQ(words(""), "");
  EXPECT_EQ(words("'a b' \"c;\""), "<a b><c;>");
  EXPECT_EQ(words("a # comment"), "<a>");
  EXPECT_EQ(words("a;"), "error: unexpected \";\"");
  EXPECT_EQ(words("a; b"), "error: unexpected \";\"");
  EXPECT_EQ(words("a {"), "error: unexpected \"{\"");
  EXPECT_EQ(words("a }"), "error: unexpected \"}\"");
}

}  // namespace
}  // namespace framewall::config
