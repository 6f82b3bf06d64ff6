#include "backend/server/page.h"

#include <cstdint>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/parse.h"

namespace framewall::backend::server {
namespace {

constexpr size_t kTagSize = 4;
constexpr size_t kCursorLimit = 512;  // octets, encoded

std::string TagOf(std::string_view list) {
  const uint32_t sum = Crc32(list);
  std::string tag;
  for (int shift = 24; shift >= 0; shift -= 8) {
    tag.push_back(static_cast<char>(sum >> shift & 0xFF));
  }
  return tag;
}

}  // namespace

std::string MakeCursor(std::string_view list, std::string_view position) {
  return Base64UrlEncode(TagOf(list).append(position));
}

std::optional<std::string> ReadCursor(std::string_view list, std::string_view cursor) {
  if (cursor.size() > kCursorLimit) return std::nullopt;
  std::optional<std::string> octets = Base64UrlDecode(cursor);
  if (!octets || octets->size() <= kTagSize || octets->substr(0, kTagSize) != TagOf(list)) {
    return std::nullopt;
  }
  return octets->substr(kTagSize);
}

PageRequest ReadPage(Query& query, std::string_view list, const PageLimits& limits) {
  PageRequest page;
  page.limit = static_cast<size_t>(query.Integer("limit", 1, static_cast<int64_t>(limits.most))
                                       .value_or(static_cast<int64_t>(limits.otherwise)));
  if (const std::optional<std::string> cursor = query.Raw("cursor")) {
    std::optional<std::string> behind = ReadCursor(list, *cursor);
    if (behind) {
      page.behind = *std::move(behind);
    } else {
      query.Refuse("cursor", "expected what \"next\" of this list's last page said");
    }
  }
  return page;
}

std::optional<int64_t> NumberBehind(Query& query, const PageRequest& page) {
  if (page.behind.empty()) return std::nullopt;
  const std::optional<uint64_t> number = ParseUnsigned(page.behind);
  if (number && *number > 0 && *number <= INT64_MAX) return static_cast<int64_t>(*number);
  query.Refuse("cursor", "expected what \"next\" of this list's last page said");
  return std::nullopt;
}

}  // namespace framewall::backend::server
