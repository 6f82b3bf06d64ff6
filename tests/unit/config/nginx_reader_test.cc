#include "proxy/config/nginx_reader.h"

#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

std::string Read(std::string_view text, Lexer::Origin origin = Lexer::Origin::kFile) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadNginxText(text, "a.conf", diagnostics, tree, origin);
  return diagnostics.has_errors() ? Show(diagnostics) : Show(tree);
}

std::string Nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "a {";
  for (int i = 0; i < depth; ++i) text += "}";
  return text;
}

TEST(NginxReader, MakesATree) {
  EXPECT_EQ(Read("user www;\nhttp { server { listen 80 ssl; } types { text/html html htm; } }"),
            "user <www>; http { server { listen <80> <ssl>; } types { text/html <html> <htm>; } }");
  EXPECT_EQ(Read("events {}"), "events { }");
  EXPECT_EQ(Read("if ($a = \"b c\") { return 403; }"), "if <($a> <=> <b c> <)> { return <403>; }");
}

TEST(NginxReader, RemembersLines) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadNginxText("a;\n\nb {\n  c;\n}\n", "a.conf", diagnostics, tree);
  ASSERT_EQ(tree.size(), 2u);
  EXPECT_EQ(tree[0].at.line, 1);
  EXPECT_EQ(tree[1].at.line, 3);
  EXPECT_EQ(tree[1].block.at(0).at.line, 4);
  EXPECT_EQ(tree[1].block.at(0).at.file, "a.conf");
}

TEST(NginxReader, ErrorsAreNginxs) {
  EXPECT_EQ(Read("a;\n}\n"), "error: unexpected \"}\" in a.conf:2\n");
  EXPECT_EQ(Read("a {\n b;\n"), "error: unexpected end of file, expecting \"}\" in a.conf:3\n");
  EXPECT_EQ(Read("a {\n b\n"),
            "error: unexpected end of file, expecting \";\" or \"}\" in a.conf:3\n");
}

TEST(NginxReader, CommandLineHasNoBlocks) {
  EXPECT_EQ(Read("daemon off; pid x;", Lexer::Origin::kCommandLine), "daemon <off>; pid <x>;");
  EXPECT_EQ(Read("events {}", Lexer::Origin::kCommandLine),
            "error: block directives are not supported in -g option in a.conf\n");
}

TEST(NginxReader, LimitsTheDepthOfBlocks) {
  EXPECT_EQ(Read(Nested(kMaxDepth)).find("error"), std::string::npos);
  EXPECT_EQ(Read(Nested(kMaxDepth + 1)), "error: blocks are nested deeper than 100 in a.conf:1\n");
}

}  // namespace
}  // namespace framewall::config
