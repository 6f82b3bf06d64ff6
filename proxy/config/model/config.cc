#include "proxy/config/model/http.h"

namespace framewall::config {

std::string Config::FullPath(std::string_view path) const {
  if (path.starts_with('/')) return std::string(path);
  return prefix + std::string(path);
}

std::string Config::ConfPath(std::string_view path) const {
  if (path.starts_with('/')) return std::string(path);
  return conf_path.substr(0, conf_path.rfind('/') + 1) + std::string(path);
}

}  // namespace framewall::config
