#include "tests/support/temp_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace framewall::test {

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  // Short: Unix sockets live in it, and their paths have 107 octets.
  std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/fw-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  // Workers run as another user when the test runs as root.
  ::chmod(pattern.c_str(), 0755);
  path_ = pattern;
}

TempDir::~TempDir() {
  if (std::getenv("FW_KEEP_TEMP") != nullptr) {
    std::fprintf(stderr, "kept %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Write(std::string_view name, std::string_view text) const {
  const std::string path = File(name);
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

std::string TempDir::Read(std::string_view name) const {
  std::ifstream file(File(name), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool TempDir::Has(std::string_view name) const {
  std::error_code ignored;
  return std::filesystem::exists(File(name), ignored);
}

}  // namespace framewall::test
