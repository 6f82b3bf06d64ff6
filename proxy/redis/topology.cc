#include "proxy/redis/topology.h"

#include <utility>

#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/redis/key_slot.h"

namespace framewall::redis {
namespace {

Error Unreadable(std::string_view what) {
  return Error{ErrorKind::kSyntax, ErrorSource::kUpstream, "CLUSTER SLOTS: " + std::string(what),
               0};
}

bool IsPort(int64_t port) { return port > 0 && port <= 65535; }
bool IsSlot(int64_t slot) { return slot >= 0 && slot < kSlotCount; }

// An address or a name; Redis says "?" where it should tell a name and has none.
bool IsHost(std::string_view host) {
  if (host.size() > 255) return false;
  for (const char c : host) {
    if (!IsAlpha(c) && !IsDigit(c) && std::string_view(".-_:%").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<std::vector<SlotRange>> ParseClusterSlots(const Reply& reply) {
  if (reply.is_error()) return Unreadable(reply.text);
  if (!reply.is_array()) return Unreadable("an array was expected");
  std::vector<SlotRange> ranges;
  int64_t served = 0;
  for (const Reply& row : reply.elements) {
    if (!row.is_array() || row.elements.size() < 3) return Unreadable("a row is too short");
    const Reply& first = row.elements[0];
    const Reply& last = row.elements[1];
    const Reply& master = row.elements[2];
    if (first.kind != Reply::Kind::kInteger || last.kind != Reply::Kind::kInteger ||
        !IsSlot(first.integer) || !IsSlot(last.integer) || first.integer > last.integer) {
      return Unreadable("a range of slots is wrong");
    }
    served += last.integer - first.integer + 1;
    if (served > kSlotCount) return Unreadable("a slot is served twice");
    if (!master.is_array() || master.elements.size() < 2 ||
        master.elements[1].kind != Reply::Kind::kInteger || !IsPort(master.elements[1].integer) ||
        !(master.elements[0].is_text() || master.elements[0].is_nil())) {
      return Unreadable("a master has no address");
    }
    const std::string& host = master.elements[0].text;
    if (host == "?") continue;
    if (!IsHost(host)) return Unreadable("a master's host is wrong");
    ranges.push_back({static_cast<int>(first.integer), static_cast<int>(last.integer), host,
                      static_cast<uint16_t>(master.elements[1].integer)});
  }
  if (ranges.empty()) return Unreadable("no slots are served");
  return ranges;
}

std::optional<Redirection> ParseRedirection(std::string_view error) {
  const std::vector<std::string_view> words = Split(error, ' ');
  if (words.size() < 3 || (words[0] != "MOVED" && words[0] != "ASK")) return std::nullopt;
  const auto slot = ParseUnsigned(words[1]);
  const size_t colon = words[2].rfind(':');
  if (!slot.has_value() || *slot >= kSlotCount || colon == words[2].npos) return std::nullopt;
  const auto port = ParseUnsigned(words[2].substr(colon + 1));
  const std::string_view host = words[2].substr(0, colon);
  if (!port.has_value() || *port == 0 || *port > 65535 || !IsHost(host)) return std::nullopt;
  return Redirection{words[0] == "ASK", static_cast<int>(*slot), std::string(host),
                     static_cast<uint16_t>(*port)};
}

}  // namespace framewall::redis
