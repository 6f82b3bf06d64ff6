// Streams of model servers: how they are cut does not matter, and memory stays within the limit.
// Octet 0 chooses the limit, octet 1 the size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/llm/event_stream.h"
#include "backend/llm/ndjson.h"
#include "proxy/base/check.h"

namespace framewall::backend::llm {
namespace {

struct Seen {
  std::vector<std::string> events, lines;
  bool operator==(const Seen&) const = default;
};

Seen ReadAll(std::string_view octets, size_t step, size_t limit) {
  EventStreamReader events(limit);
  LineReader lines(limit);
  Seen seen;
  bool events_ok = true;
  bool lines_ok = true;
  const auto on_line = [&](std::string_view line) {
    FW_CHECK(!line.empty() && line.size() <= limit && line.find('\n') == line.npos);
    seen.lines.emplace_back(line);
  };
  while (!octets.empty()) {
    const size_t size = std::min(step, octets.size());
    // Of their own, so that a sanitizer sees a read beyond.
    const std::unique_ptr<char[]> copy(new char[size]);
    octets.copy(copy.get(), size);
    octets.remove_prefix(size);
    const std::string_view piece(copy.get(), size);
    const bool ok = events
                        .Feed(piece,
                              [&](std::string_view name, std::string_view data) {
                                FW_CHECK(!name.empty() && data.size() <= limit);
                                seen.events.push_back(std::string(name) + "\n" + std::string(data));
                              })
                        .ok();
    FW_CHECK(events_ok || !ok);
    events_ok = ok;
    FW_CHECK(events.held() <= 3 * limit);
    const bool line_ok = lines.Feed(piece, on_line).ok();
    FW_CHECK(lines_ok || !line_ok);
    lines_ok = line_ok;
    FW_CHECK(lines.held() <= limit);
  }
  lines.Finish(on_line);
  return seen;
}

}  // namespace
}  // namespace framewall::backend::llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::llm;  // NOLINT
  if (size < 2) return 0;
  const size_t limit = (data[0] & 1) != 0 ? 16 : 4096;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Seen whole = ReadAll(octets, std::string_view::npos, limit);
  FW_CHECK(ReadAll(octets, data[1] % 64 + 1u, limit) == whole);
  FW_CHECK(ReadAll(octets, 1, limit) == whole);
  return 0;
}
