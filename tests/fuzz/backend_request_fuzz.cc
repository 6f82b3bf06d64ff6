// What clients write into a request's target: path, query, and the route that it finds. Octet 0
// says where path and query part.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend/server/arguments.h"
#include "backend/server/router.h"
#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/base/utf8.h"

namespace framewall::backend::server {
namespace {

const Router& Routes() {
  static const std::unique_ptr<Router> router = [] {
    std::vector<Route> routes;
    for (const std::string_view pattern :
         {"/", "/a", "/a/{x}", "/a/{x}/b/{y}", "/a/b/c", "/r/{rest...}", "/r/s/{z}/t"}) {
      Route route;
      route.method = "GET";
      route.pattern = pattern;
      route.operation = pattern;
      route.handler = [](CallRef) {};
      routes.push_back(std::move(route));
    }
    auto made = Router::Make(std::move(routes));
    FW_CHECK(made.ok());
    return std::move(made).value();
  }();
  return *router;
}

bool IsText(std::string_view text) {
  return IsValidUtf8(text) && text.find('\0') == std::string_view::npos;
}

void CheckPath(std::string_view path) {
  const auto segments = SplitPath(path);
  if (!segments) return;
  FW_CHECK(!segments->empty() && segments->size() <= kMostSegments);
  std::string again;
  for (const std::string& segment : *segments) {
    FW_CHECK(IsText(segment) && segment != "." && segment != "..");
    again += "/" + PercentEncode(segment, UriEscape::kUriComponent);
  }
  FW_CHECK(SplitPath(again) == segments);
  const Router::Match match = Routes().Find("GET", path, *segments);
  if (match.route == nullptr) FW_CHECK(match.allow.empty());
  for (const auto& [name, value] : match.parameters) {
    FW_CHECK(match.route->pattern.find(name) != std::string_view::npos);
    FW_CHECK(!value.empty() && IsText(value));
  }
  // Another method of a path that is there is told what may be asked.
  const Router::Match other = Routes().Find("PUT", path, *segments);
  FW_CHECK(other.route == nullptr && other.allow.empty() == (match.route == nullptr));
}

void CheckQuery(std::string_view query) {
  const auto arguments = ParseArguments(query);
  if (!arguments) return;
  FW_CHECK(arguments->size() <= kMostArguments);
  std::string again;
  for (const auto& [name, value] : *arguments) {
    FW_CHECK(IsText(name) && IsText(value));
    again += PercentEncode(name, UriEscape::kUriComponent) + "=" +
             PercentEncode(value, UriEscape::kUriComponent) + "&";
  }
  FW_CHECK(ParseArguments(again) == arguments);
}

}  // namespace
}  // namespace framewall::backend::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = std::min<size_t>(data[0], text.size());
  framewall::backend::server::CheckPath(text.substr(0, cut));
  framewall::backend::server::CheckQuery(text.substr(cut));
  return 0;
}
