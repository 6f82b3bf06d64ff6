// Configurations in YAML: any octets end in messages, or in a tree that nginx's language can say.
#include <cstdint>
#include <vector>

#include "proxy/config/yaml_reader.h"
#include "tests/fuzz/config_tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::config;  // NOLINT
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadYamlText({reinterpret_cast<const char*>(data), size}, "input", diagnostics, tree);
  if (!diagnostics.has_errors()) CheckRoundTrip(tree);
  return 0;
}
