#include "proxy/config/loader.h"

namespace framewall::config {

std::string Dump(const Config& config) {
  std::string dump;
  for (const SourceFile& file : config.files) {
    dump += "# configuration file ";
    dump += file.path;
    dump += ":\n";
    dump += file.text;
    dump += "\n";
  }
  return dump;
}

}  // namespace framewall::config
