// Requests and responses through the HTTP/1 codecs: whatever the splits, the same is understood.
// Octet 0 chooses side, limits and policy; octet 1 the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

HeadLimits LimitsOf(uint8_t choice) {
  if ((choice & 2) == 0) return {.first_buffer_size = 4096};
  return {.first_buffer_size = 64,
          .buffer_count = 2,
          .line_size = 96,
          .field_count = 5,
          .trailer_size = 48,
          .chunk_line_size = 16};
}

std::string Request(std::string_view text, uint8_t choice, size_t step) {
  const HeadPolicy policy = {.ignore_invalid_headers = (choice & 4) == 0,
                             .underscores_in_headers = (choice & 8) != 0};
  ServerRecorder recorder(LimitsOf(choice), policy);
  recorder.next_after_end = true;
  const size_t used = recorder.Feed(text, step);
  FW_CHECK(used == text.size());
  return recorder.log + recorder.body;
}

std::string Response(std::string_view text, uint8_t choice, size_t step) {
  ClientRecorder recorder(LimitsOf(choice));
  recorder.codec.BeginResponse((choice & 4) != 0 ? Method::kHead : Method::kGet, &recorder.head);
  recorder.Feed(text, step);
  recorder.codec.ReceiveEnd();
  return recorder.log + recorder.body;
}

}  // namespace
}  // namespace framewall::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::http;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t step = data[1] % 64 + 1u;
  const auto run = (data[0] & 1) == 0 ? Request : Response;
  FW_CHECK(run(text, data[0], 0) == run(text, data[0], step));
  return 0;
}
