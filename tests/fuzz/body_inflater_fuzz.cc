// Compressed bodies: the splits do not matter, the cap holds, and after an end or a fault nothing
// is accepted. Octet 0 chooses encoding and cap, octet 1 the size of the pieces.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/filter/body_inflater.h"

namespace framewall::filter {
namespace {

using Outcome = BodyInflater::Outcome;

constexpr std::array<std::string_view, 3> kEncodings = {"gzip", "deflate", " X-GZIP "};
constexpr std::array<uint64_t, 4> kCaps = {0, 10, 1000, 1048576};

struct Inflated {
  Outcome outcome = Outcome::kOk;
  std::string text;
};

Inflated Run(std::string_view bytes, std::string_view encoding, uint64_t cap, size_t step) {
  const auto inflater = BodyInflater::Make(encoding, cap);
  FW_CHECK(inflater != nullptr && BodyInflater::NeedsInflating(encoding));
  Inflated inflated;
  while (!bytes.empty() && inflated.outcome == Outcome::kOk) {
    // A copy of its own size, so that a read beyond it is seen.
    const std::string piece(bytes.substr(0, step));
    bytes.remove_prefix(piece.size());
    inflated.outcome = inflater->Inflate(piece, inflated.text);
    FW_CHECK(inflated.text.size() <= cap);
  }
  return inflated;
}

}  // namespace
}  // namespace framewall::filter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::filter;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view encoding = kEncodings[data[0] / kCaps.size() % kEncodings.size()];
  const uint64_t cap = kCaps[data[0] % kCaps.size()];
  const size_t step = data[1] % 64 + 1u;
  const Inflated whole = Run(bytes, encoding, cap, std::string_view::npos);
  const Inflated split = Run(bytes, encoding, cap, step);
  FW_CHECK(whole.outcome == split.outcome);
  if (whole.outcome == Outcome::kOk) FW_CHECK(whole.text == split.text);
  // Whoever asks for what cannot be undone is told so.
  const bool is_known = BodyInflater::Make(bytes, 1) != nullptr;
  FW_CHECK(!is_known || BodyInflater::NeedsInflating(bytes));
  return 0;
}
