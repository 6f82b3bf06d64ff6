#include "tests/support/mmdb.h"

#include <stdio.h>
#include <sys/wait.h>

#include <cstdlib>

namespace framewall::test {
namespace {

const std::string kScript = std::string("perl ") + FW_MMDB_SCRIPT;

}  // namespace

bool CanMakeMmdb() {
  static const bool can = std::system((kScript + " </dev/null").c_str()) == 0;  // NOLINT
  return can;
}

bool MakeMmdb(const std::string& path, const std::string& networks, const std::string& more) {
  const std::string made = path + ".new";
  FILE* pipe = ::popen((kScript + " '" + made + "'").c_str(), "w");  // NOLINT
  if (pipe == nullptr) return false;
  const std::string text = "{\"networks\": " + networks + more + "}";
  const bool written = ::fwrite(text.data(), 1, text.size(), pipe) == text.size();
  return ::pclose(pipe) == 0 && written && ::rename(made.c_str(), path.c_str()) == 0;
}

}  // namespace framewall::test
