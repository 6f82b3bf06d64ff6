// docs/backend.md has the table of settings as the program has it.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "backend/settings/rows.h"

namespace framewall::backend {
namespace {

TEST(BackendDocs, HaveEverySetting) {
  std::ifstream file(FW_SOURCE_DIR "/docs/backend.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(SettingsTable()), std::string::npos)
      << "docs/backend.md: replace its table by the output of framewall-backend --settings:\n"
      << SettingsTable();
}

}  // namespace
}  // namespace framewall::backend
