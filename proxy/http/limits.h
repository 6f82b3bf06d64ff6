// Sizes and counts that a codec enforces. What nginx has no directive for is fixed here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace framewall::http {

struct HeadLimits {
  // nginx: client_header_buffer_size and large_client_header_buffers N SIZE. A request line
  // longer than `line_size` is 414, a field longer than it is 400 (nginx answers 400 with
  // "Request Header Or Cookie Too Large"), and so is a head that needs more than
  // `buffer_count` buffers of it.
  size_t first_buffer_size = 1024;
  size_t buffer_count = 4;
  size_t line_size = 8192;
  // Fields in one head or trailer; more is 400.
  size_t field_count = 1000;
  // All trailer octets of a message.
  size_t trailer_size = 8192;
  // Octets of one chunk-size line with its extension.
  size_t chunk_line_size = 4096;
};

struct HeadPolicy {
  bool ignore_invalid_headers = true;   // drop a field with an odd name; off: accept tokens-ish
  bool underscores_in_headers = false;  // "a_b" is a valid name
};

}  // namespace framewall::http
