#include "proxy/config/directive_table.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::config {
namespace {

TEST(DirectiveTable, FindsByNameAndPlace) {
  const DirectiveTable& table = DirectiveTable::Get();
  ASSERT_NE(table.Find("server", kHttp), nullptr);
  ASSERT_NE(table.Find("server", kUpstream), nullptr);
  EXPECT_TRUE(table.Find("server", kHttp)->block);
  EXPECT_FALSE(table.Find("server", kUpstream)->block);
  EXPECT_EQ(table.Find("server", kLocation), nullptr);
  EXPECT_NE(table.FindAnywhere("server"), nullptr);
  EXPECT_EQ(table.FindAnywhere("srever"), nullptr);
}

TEST(DirectiveTable, SuggestsWhatMayStandThere) {
  const DirectiveTable& table = DirectiveTable::Get();
  EXPECT_EQ(table.Nearest("listem", kServer), "listen");
  EXPECT_EQ(table.Nearest("proxypass", kLocation), "proxy_pass");
  EXPECT_EQ(table.Nearest("proxy_pas", kMain), "");
  EXPECT_EQ(table.Nearest("xyzzy_nothing", kServer), "");
}

// What nobody would notice by reading one piece alone.
TEST(DirectiveTable, RowsAreWhole) {
  for (const DirectivePiece& piece : DirectiveTable::Get().pieces()) {
    for (const DirectiveSpec& row : piece.rows) {
      SCOPED_TRACE(std::string(row.name));
      EXPECT_NE(row.contexts, 0u);
      EXPECT_FALSE(row.doc.empty());
      EXPECT_LE(row.arity.min, row.arity.max);
      if (row.support == Support::kSupported && row.name != "include") {
        EXPECT_TRUE(row.apply != nullptr || row.opens != Opens::kNothing);
      }
      EXPECT_TRUE(row.block || row.opens == Opens::kNothing);
    }
  }
}

TEST(DirectiveTable, NoTwoRowsForOnePlace) {
  std::map<std::string, ContextSet, std::less<>> seen;
  for (const DirectivePiece& piece : DirectiveTable::Get().pieces()) {
    for (const DirectiveSpec& row : piece.rows) {
      ContextSet& contexts = seen[std::string(row.name)];
      EXPECT_EQ(contexts & row.contexts, 0u) << row.name;
      contexts |= row.contexts;
    }
  }
}

}  // namespace
}  // namespace framewall::config
