#include "backend/server/arguments.h"

#include <algorithm>

#include "proxy/base/encoding.h"
#include "proxy/base/utf8.h"

namespace framewall::backend::server {
namespace {

bool IsText(std::string_view text) {
  return text.find('\0') == std::string_view::npos && IsValidUtf8(text);
}

std::optional<std::string> DecodeText(std::string_view text) {
  std::optional<std::string> decoded = PercentDecodeStrict(text);
  if (!decoded || !IsText(*decoded)) return std::nullopt;
  return decoded;
}

std::optional<std::string> DecodeArgument(std::string_view text) {
  if (text.find('+') == std::string_view::npos) return DecodeText(text);
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return DecodeText(spaced);
}

}  // namespace

std::optional<std::vector<std::string>> SplitPath(std::string_view path) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  std::vector<std::string> segments;
  size_t start = 1;
  while (start <= path.size()) {
    const size_t slash = std::min(path.find('/', start), path.size());
    std::optional<std::string> segment = DecodeText(path.substr(start, slash - start));
    if (!segment || *segment == "." || *segment == "..") return std::nullopt;
    if (segments.size() == kMostSegments) return std::nullopt;
    segments.push_back(std::move(*segment));
    start = slash + 1;
  }
  return segments;
}

std::optional<Arguments> ParseArguments(std::string_view query) {
  Arguments arguments;
  size_t start = 0;
  while (start < query.size()) {
    const size_t end = std::min(query.find('&', start), query.size());
    const std::string_view piece = query.substr(start, end - start);
    start = end + 1;
    if (piece.empty()) continue;
    if (arguments.size() == kMostArguments) return std::nullopt;
    const size_t equals = std::min(piece.find('='), piece.size());
    std::optional<std::string> name = DecodeArgument(piece.substr(0, equals));
    std::optional<std::string> value =
        DecodeArgument(equals < piece.size() ? piece.substr(equals + 1) : std::string_view());
    if (!name || !value) return std::nullopt;
    arguments.emplace_back(std::move(*name), std::move(*value));
  }
  return arguments;
}

}  // namespace framewall::backend::server
