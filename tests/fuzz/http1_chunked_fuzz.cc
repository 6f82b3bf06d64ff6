// Chunked bodies: the splits do not matter, and what strict reading takes lenient reading takes
// alike. Octet 0 chooses the limits, octet 1 the size of the pieces.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/http/http1/chunked_reader.h"

namespace framewall::http {
namespace {

using Outcome = ChunkedReader::Outcome;

struct Reading {
  bool done = false;
  bool refused = false;
  size_t used = 0;
  std::string body;
  std::string trailers;
};

Reading Read(std::string_view text, size_t step, const HeadLimits& limits,
             ChunkedReader::LineEnds line_ends) {
  ChunkedReader reader;
  reader.Start(limits, line_ends);
  Reading reading;
  while (reading.used < text.size() && !reading.done && !reading.refused) {
    const std::string piece(text.substr(reading.used, step));
    size_t used = 0;
    ByteView data;
    const Outcome outcome = reader.Read(piece, &used, &data);
    FW_CHECK(used <= piece.size());
    FW_CHECK(outcome != Outcome::kMore || used == piece.size());
    reading.used += used;
    reading.body.append(data);
    reading.done = outcome == Outcome::kDone;
    reading.refused = outcome == Outcome::kError;
  }
  if (reading.done && reader.trailers() != nullptr) {
    for (const Field& field : *reader.trailers()) {
      reading.trailers.append(field.name).append("=").append(field.value).append("\n");
    }
  }
  return reading;
}

}  // namespace
}  // namespace framewall::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::http;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  HeadLimits limits;
  if ((data[0] & 1) != 0) limits = {.field_count = 3, .trailer_size = 40, .chunk_line_size = 8};
  const size_t step = data[1] % 64 + 1u;
  using LineEnds = ChunkedReader::LineEnds;
  for (const LineEnds line_ends : {LineEnds::kCrlf, LineEnds::kLfToo}) {
    const Reading whole = Read(text, std::string_view::npos, limits, line_ends);
    const Reading split = Read(text, step, limits, line_ends);
    FW_CHECK(whole.done == split.done && whole.refused == split.refused);
    FW_CHECK(whole.body == split.body && whole.trailers == split.trailers);
    FW_CHECK(!whole.done || whole.used == split.used);
  }
  const Reading strict = Read(text, step, limits, LineEnds::kCrlf);
  const Reading lenient = Read(text, step, limits, LineEnds::kLfToo);
  FW_CHECK(!strict.done || (lenient.done && lenient.body == strict.body &&
                            lenient.trailers == strict.trailers && lenient.used == strict.used));
  return 0;
}
