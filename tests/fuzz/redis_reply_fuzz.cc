// What a server answers: the splits do not matter, memory follows what arrived, and what is read
// as a topology or a redirection lies within its limits. Octet 0 chooses the limits, octet 1 the
// size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/redis/key_slot.h"
#include "proxy/redis/reply_reader.h"
#include "proxy/redis/topology.h"

namespace framewall::redis {
namespace {

struct Seen {
  std::vector<Reply> replies;
  bool refused = false;
  bool operator==(const Seen&) const = default;
};

size_t CountElements(const Reply& reply) {
  size_t count = reply.elements.size();
  for (const Reply& element : reply.elements) count += CountElements(element);
  return count;
}

Seen ReadAll(std::string_view octets, size_t step, const ReplyLimits& limits) {
  ReplyReader reader(limits);
  Seen seen;
  while (!octets.empty()) {
    const size_t size = std::min(step, octets.size());
    // Of their own, so that a sanitizer sees a read beyond.
    const std::unique_ptr<char[]> copy(new char[size]);
    octets.copy(copy.get(), size);
    octets.remove_prefix(size);
    reader.Feed({copy.get(), size});
    for (;;) {
      auto next = reader.Next();
      if (!next.ok()) {
        FW_CHECK(!reader.Next().ok());
        seen.refused = true;
        return seen;
      }
      if (!next->has_value()) break;
      FW_CHECK(CountElements(**next) <= limits.max_elements);
      FW_CHECK((*next)->text.size() <= limits.max_size);
      seen.replies.push_back(std::move(**next));
    }
  }
  return seen;
}

void Use(const Reply& reply) {
  const auto ranges = ParseClusterSlots(reply);
  if (ranges.ok()) {
    FW_CHECK(!ranges->empty());
    for (const SlotRange& range : *ranges) {
      FW_CHECK(range.first >= 0 && range.first <= range.last && range.last < kSlotCount);
      FW_CHECK(range.port != 0 && range.host.size() <= 255);
    }
  }
  if (const auto to = ParseRedirection(reply.text)) {
    FW_CHECK(to->slot >= 0 && to->slot < kSlotCount && to->port != 0);
  }
  const int slot = KeySlot(reply.text);
  FW_CHECK(slot >= 0 && slot < kSlotCount);
  (void)reply.AsInteger();
  for (const Reply& element : reply.elements) Use(element);
}

}  // namespace
}  // namespace framewall::redis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::redis;  // NOLINT
  if (size < 2) return 0;
  const ReplyLimits limits = (data[0] & 1) != 0
                                 ? ReplyLimits{.max_size = 64, .max_elements = 8}
                                 : ReplyLimits{.max_size = 4096, .max_elements = 100};
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Seen whole = ReadAll(octets, std::string_view::npos, limits);
  for (const Reply& reply : whole.replies) Use(reply);
  FW_CHECK(ReadAll(octets, data[1] % 64 + 1u, limits) == whole);
  FW_CHECK(ReadAll(octets, 1, limits) == whole);
  return 0;
}
