// framewall-docs [--check] FOLDER: writes the pages made from the directive table, or tells which
// of them are stale.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "proxy/config/directive_docs.h"

namespace framewall::config {
namespace {

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsFresh(const std::string& path, const std::string& page) {
  if (ReadWhole(path) == page) return true;
  fmt::print(stderr, "{} is not what the directive table says; renew it with ninja fw_docs\n",
             path);
  return false;
}

bool Write(const std::string& path, const std::string& page) {
  // The time of a file that is right stays.
  if (ReadWhole(path) == page) return true;
  if (std::ofstream(path, std::ios::binary) << page) return true;
  fmt::print(stderr, "cannot write {}\n", path);
  return false;
}

int Main(int count, char** arguments) {
  const bool only_check = count == 3 && std::string_view(arguments[1]) == "--check";
  if (count != 2 && !only_check) {
    fmt::print(stderr, "usage: framewall-docs [--check] FOLDER\n");
    return 2;
  }
  const std::string folder = arguments[count - 1];
  const auto handle = only_check ? IsFresh : Write;
  const bool directives = handle(folder + "/directives.md", DirectivesPage());
  const bool compatibility = handle(folder + "/nginx-compatibility.md", CompatibilityPage());
  return directives && compatibility ? 0 : 1;
}

}  // namespace
}  // namespace framewall::config

int main(int count, char** arguments) { return framewall::config::Main(count, arguments); }
