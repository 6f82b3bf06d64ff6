// Server-sent events read piece by piece (WHATWG HTML 9.2.6): lines end with CR, LF or both,
// comments and unknown fields are skipped, a space behind the colon may be missing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"

namespace framewall::backend::llm {

class EventStreamReader {
 public:
  // `limit`: octets of one event's data, and of one line.
  explicit EventStreamReader(size_t limit = size_t{4} * 1024 * 1024) : limit_(limit) {}

  // `name` is "message" where the event has none; `data` has its lines joined with LF. Both are
  // valid for the call.
  using OnEvent = std::function<void(std::string_view name, std::string_view data)>;
  // An error (kLimit) stands for all later calls. What the stream's end leaves unfinished is no
  // event (9.2.6), so there is nothing to be called at its end.
  Status Feed(ByteView bytes, const OnEvent& on_event);

  // Octets held.
  size_t held() const { return line_.size() + data_.size() + name_.size(); }

 private:
  Status TakeLine(std::string_view line, const OnEvent& on_event);
  Status TooLarge();

  const size_t limit_;
  bool failed_ = false;
  bool at_start_ = true;  // a byte order mark is skipped
  bool after_cr_ = false;
  std::string line_;  // begun, not ended
  std::string name_;
  std::string data_;  // each line with a LF behind it
};

}  // namespace framewall::backend::llm
