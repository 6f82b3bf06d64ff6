#include "proxy/http/header_name.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "proxy/base/check.h"

namespace framewall::http {
namespace {

constexpr size_t kNameCount = static_cast<size_t>(FieldId::kCount);

// In the order of FieldId.
constexpr std::array<std::string_view, kNameCount> kNames = {
    "",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Refresh",
    "Retry-After",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Server",
    "Set-Cookie",
    "Strict-Transport-Security",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
    "X-Accel-Expires",
    "X-Accel-Limit-Rate",
    "X-Accel-Redirect",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-ID",
};

constexpr size_t kSlotCount = 512;

// Length, first, middle and last octet, with factors (found by trying) that give each name a slot
// of its own; a chain takes what a later name may spoil. `| 0x20` folds case; what else it folds
// is sorted out by the comparison.
constexpr size_t SlotOf(const char* name, size_t size) {
  const auto octet = [name](size_t index) {
    return static_cast<size_t>(static_cast<uint8_t>(name[index]) | 0x20u);
  };
  return (size * 103 + octet(0) * 30 + octet(size / 2) * 82 + octet(size - 1) * 23) % kSlotCount;
}

struct NameTable {
  std::array<uint8_t, kSlotCount> first{};  // id of the first name in the slot; 0: none
  std::array<uint8_t, kNameCount> next{};   // id of the next name in the same slot; 0: none
};

constexpr NameTable MakeTable() {
  NameTable table;
  for (size_t id = 1; id < kNameCount; ++id) {
    const size_t slot = SlotOf(kNames[id].data(), kNames[id].size());
    table.next[id] = table.first[slot];
    table.first[slot] = static_cast<uint8_t>(id);
  }
  return table;
}

constexpr NameTable kTable = MakeTable();

constexpr std::array<char, 256> MakeLowerTable() {
  std::array<char, 256> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    table[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return table;
}

constexpr std::array<char, 256> kLower = MakeLowerTable();

bool SameName(const char* a, const char* b, size_t size) {
  // Nearly every sender spells names the usual way.
  if (std::memcmp(a, b, size) == 0) return true;
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i] && kLower[static_cast<uint8_t>(a[i])] != kLower[static_cast<uint8_t>(b[i])]) {
      return false;
    }
  }
  return true;
}

}  // namespace

FieldId FindFieldId(std::string_view name) {
  if (name.empty()) return FieldId::kOther;
  uint8_t id = kTable.first[SlotOf(name.data(), name.size())];
  while (id != 0) {
    const std::string_view known = kNames[id];
    if (known.size() == name.size() && SameName(name.data(), known.data(), name.size())) {
      return static_cast<FieldId>(id);
    }
    id = kTable.next[id];
  }
  return FieldId::kOther;
}

std::string_view FieldName(FieldId id) {
  FW_CHECK(id != FieldId::kOther && id < FieldId::kCount);
  return kNames[static_cast<size_t>(id)];
}

}  // namespace framewall::http
