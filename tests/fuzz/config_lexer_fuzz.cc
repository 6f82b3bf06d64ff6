// Configurations in nginx's language: nothing crashes, and a tree that was read can be written and
// read again to the same tree.
#include <cstdint>
#include <vector>

#include "proxy/config/nginx_reader.h"
#include "tests/fuzz/config_tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::config;  // NOLINT
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadNginxText({reinterpret_cast<const char*>(data), size}, "input", diagnostics, tree);
  if (!diagnostics.has_errors()) CheckRoundTrip(tree);
  return 0;
}
