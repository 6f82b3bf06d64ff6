#include "proxy/content/media_type.h"

#include "proxy/base/text.h"

namespace framewall::content {

std::string_view FileExtension(std::string_view uri) {
  const size_t mark = uri.find_last_of("./");
  if (mark == std::string_view::npos || uri[mark] == '/') return {};
  if (mark < 2 || uri[mark - 1] == '/') return {};
  return uri.substr(mark + 1);
}

std::string_view MediaTypeFor(exchange::Exchange& exchange) {
  const config::CoreSettings& core = exchange.settings().core;
  const std::string_view extension = FileExtension(exchange.uri);
  if (!extension.empty()) {
    auto found = core.types->find(extension);
    if (found == core.types->end()) found = core.types->find(ToLower(extension));
    if (found != core.types->end()) return found->second;
  }
  return exchange.Expand(core.default_type);
}

}  // namespace framewall::content
