// conf/x.conf and conf/x.yaml are two spellings of one tree.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "proxy/config/include.h"

namespace framewall::config {
namespace {

namespace fs = std::filesystem;

std::vector<Directive> Read(const fs::path& path, Config& config) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  config.conf_path = path.string();
  TreeReader(config, diagnostics).ReadFile(config.conf_path, {}, tree);
  for (const auto& message : diagnostics.messages()) ADD_FAILURE() << Diagnostics::Format(message);
  return tree;
}

// Stops at the first difference, since all behind it would be noise.
bool ExpectSame(const std::vector<Directive>& text, const std::vector<Directive>& yaml,
                const std::string& where) {
  for (size_t i = 0; i < std::max(text.size(), yaml.size()); ++i) {
    if (i >= text.size() || i >= yaml.size()) {
      const Directive& more = i < text.size() ? text[i] : yaml[i];
      ADD_FAILURE() << "in " << where << ": only one has \"" << more.name << "\" of "
                    << more.at.file << ":" << more.at.line;
      return false;
    }
    if (text[i].name != yaml[i].name || text[i].args != yaml[i].args ||
        text[i].has_block != yaml[i].has_block) {
      ADD_FAILURE() << "\"" << text[i].name << "\" of " << text[i].at.file << ":" << text[i].at.line
                    << " is not \"" << yaml[i].name << "\" of " << yaml[i].at.file << ":"
                    << yaml[i].at.line;
      return false;
    }
    if (!ExpectSame(text[i].block, yaml[i].block, text[i].name)) return false;
  }
  return true;
}

TEST(ConfTwins, GiveTheSameTree) {
  for (const auto& entry : fs::recursive_directory_iterator(FW_SOURCE_DIR "/conf")) {
    fs::path twin = entry.path();
    if (twin.extension() != ".conf" || !fs::exists(twin.replace_extension(".yaml"))) continue;
    SCOPED_TRACE(twin.string());
    Config text_config;
    Config yaml_config;
    ExpectSame(Read(entry.path(), text_config), Read(twin, yaml_config), "the file");
  }
}

}  // namespace
}  // namespace framewall::config
