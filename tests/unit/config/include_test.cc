#include "proxy/config/include.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

class Include : public testing::Test {
 protected:
  // The tree of main.conf, or what is wrong, with the folder's path as "DIR".
  std::string Read(std::string_view text) {
    config_.conf_path = folder_.Write("main.conf", text);
    std::vector<Directive> tree;
    TreeReader(config_, diagnostics_).ReadFile(config_.conf_path, {}, tree);
    std::string shown = diagnostics_.has_errors() ? Show(diagnostics_) : Show(tree);
    for (size_t at; (at = shown.find(folder_.path())) != std::string::npos;) {
      shown.replace(at, folder_.path().size(), "DIR");
    }
    return shown;
  }

  TemporaryFolder folder_;
  Config config_;
  Diagnostics diagnostics_;
};

TEST_F(Include, StandsInPlaceRelativeToTheMainFile) {
  folder_.Write("sub/one.conf", "b; include sub/two.conf;");
  folder_.Write("sub/two.conf", "c;");
  EXPECT_EQ(Read("a; include sub/one.conf; d;"), "a; b; c; d;");
}

TEST_F(Include, TakesAGlobInOrder) {
  folder_.Write("conf.d/b.conf", "b;");
  folder_.Write("conf.d/a.conf", "a;");
  folder_.Write("conf.d/c.txt", "c;");
  EXPECT_EQ(Read("http { include conf.d/*.conf; }"), "http { a; b; }");
}

TEST_F(Include, GlobThatMatchesNothingIsFine) {
  EXPECT_EQ(Read("a; include none/*.conf; b;"), "a; b;");
}

TEST_F(Include, MissingFileIsAnError) {
  EXPECT_EQ(
      Read("a;\ninclude none.conf;\n"),
      "error: open() \"DIR/none.conf\" failed (2: No such file or directory) in main.conf:2\n");
}

TEST_F(Include, FolderIsAnError) {
  folder_.Write("sub/x", "");
  EXPECT_EQ(Read("include sub;"),
            "error: read() \"DIR/sub\" failed (21: Is a directory) in main.conf:1\n");
}

TEST_F(Include, CirclesAreRefused) {
  folder_.Write("a.conf", "include b.conf;");
  folder_.Write("b.conf", "\ninclude a.conf;");
  EXPECT_EQ(Read("include a.conf;"), "error: \"DIR/a.conf\" includes itself in b.conf:2\n");
}

TEST_F(Include, SameFileTwiceIsNoCircle) {
  folder_.Write("a.conf", "x;");
  EXPECT_EQ(Read("include a.conf; b { include a.conf; }"), "x; b { x; }");
  EXPECT_EQ(std::distance(config_.files.begin(), config_.files.end()), 2);
}

TEST_F(Include, WorksInsideTypesMapAndGeo) {
  folder_.Write("types", "text/html html;");
  folder_.Write("map", "include 1;\n~^a 2;");
  folder_.Write("1", "one 1;");
  EXPECT_EQ(Read("types { include types; } map $a $b { include map; default 0; }"),
            "types { text/html <html>; } map <$a> <$b> { one <1>; ~^a <2>; default <0>; }");
}

TEST_F(Include, OneLanguageMayIncludeTheOther) {
  folder_.Write("server.yaml", "server:\n  listen: 80\n");
  EXPECT_EQ(Read("http { include server.yaml; }"), "http { server { listen <80>; } }");
}

TEST_F(Include, ErrorsOfAllFilesAreCollected) {
  folder_.Write("a.conf", "x");
  folder_.Write("b.conf", "\n}");
  EXPECT_EQ(Read("include a.conf; include b.conf;"),
            "error: unexpected end of file, expecting \";\" or \"}\" in a.conf:1\n"
            "error: unexpected \"}\" in b.conf:2\n");
}

}  // namespace
}  // namespace framewall::config
