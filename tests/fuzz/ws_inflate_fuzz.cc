// Compressed messages: the splits do not matter, limits hold, zlib left to itself reads the same,
// and what we deflate we inflate. Octet 0 chooses the window and the limits, octet 1 the size of
// the pieces; then come messages, each behind an octet with its length.
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/ws/deflate.h"

namespace framewall::ws {
namespace {

using Outcome = Inflater::Outcome;

struct Inflated {
  Outcome outcome = Outcome::kOk;
  std::string out;
  size_t window = 0;
  bool operator==(const Inflated&) const = default;
};

std::vector<Inflated> InflateAll(const std::vector<std::string_view>& messages, size_t step,
                                 DeflateSide side, InflateLimits limits) {
  ZlibPool pool;
  Inflater inflater(side, limits, &pool);
  std::vector<Inflated> all;
  for (std::string_view message : messages) {
    Inflated inflated;
    while (!message.empty() && inflated.outcome == Outcome::kOk) {
      const std::string piece(message.substr(0, step));
      message.remove_prefix(piece.size());
      inflated.outcome = inflater.Inflate(piece, inflated.out);
    }
    if (inflated.outcome == Outcome::kOk) {
      inflated.outcome = inflater.Finish(inflated.out);
      FW_CHECK(inflated.outcome != Outcome::kOk || inflater.held() == 0);
    }
    FW_CHECK(inflated.out.size() <= limits.max_output);
    inflated.window = inflater.window_size();
    FW_CHECK(inflated.window <= (side.context_takeover ? size_t{1} << side.window_bits : 0));
    const bool is_ok = inflated.outcome == Outcome::kOk;
    all.push_back(std::move(inflated));
    if (!is_ok) break;
  }
  return all;
}

// One zlib state for all messages, as the RFC has it; as far as it goes.
void CompareWithZlib(const std::vector<std::string_view>& messages,
                     const std::vector<Inflated>& ours) {
  z_stream stream{};
  FW_CHECK(inflateInit2(&stream, -15) == Z_OK);
  for (size_t i = 0; i < ours.size() && ours[i].outcome == Outcome::kOk; ++i) {
    if (messages[i].empty()) continue;  // no stream at all, empty to us
    std::string input = std::string(messages[i]).append("\x00\x00\xff\xff", 4);
    std::string out(ours[i].out.size() + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END) break;  // it stops at a last block, and we go on
    FW_CHECK(result == Z_OK && stream.avail_in == 0);
    out.resize(out.size() - stream.avail_out);
    FW_CHECK(out == ours[i].out);
  }
  inflateEnd(&stream);
}

void RoundTrip(const std::vector<std::string_view>& messages, DeflateSide side) {
  if (side.window_bits < 9) return;
  ZlibPool pool;
  Deflater deflater(side, {.level = 6, .mem_level = 1}, &pool);
  Inflater inflater(side, {}, &pool);
  for (const std::string_view message : messages) {
    if (message.empty()) continue;
    std::string deflated;
    deflater.Deflate(message, deflated);
    std::string out;
    FW_CHECK(inflater.Inflate(deflated, out) == Outcome::kOk);
    FW_CHECK(inflater.Finish(out) == Outcome::kOk);
    FW_CHECK(out == message);
  }
}

}  // namespace
}  // namespace framewall::ws

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::ws;
  if (size < 2) return 0;
  const DeflateSide side{.context_takeover = (data[0] & 8) != 0, .window_bits = 8 + (data[0] & 7)};
  InflateLimits limits;
  if ((data[0] & 16) != 0) limits.max_output = 1000;
  if ((data[0] & 32) != 0) limits.max_ratio = 3;
  const size_t step = data[1] % 32 + 1u;

  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::vector<std::string_view> messages;
  while (!rest.empty()) {
    const size_t length = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    messages.push_back(rest.substr(0, length));
    rest.remove_prefix(messages.back().size());
  }

  const auto whole = InflateAll(messages, std::string_view::npos, side, limits);
  FW_CHECK(InflateAll(messages, step, side, limits) == whole);
  FW_CHECK(InflateAll(messages, 1, side, limits) == whole);
  if (side.context_takeover && side.window_bits == 15) CompareWithZlib(messages, whole);
  RoundTrip(messages, side);
  return 0;
}
