// Lines of JSON read piece by piece: a text in each line, as Ollama streams them. A CR before the
// LF belongs to the line's end; empty lines are skipped.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"

namespace framewall::backend::llm {

class LineReader {
 public:
  // `limit`: octets of one line.
  explicit LineReader(size_t limit = size_t{4} * 1024 * 1024) : limit_(limit) {}

  // `line` is never empty, and valid for the call.
  using OnLine = std::function<void(std::string_view line)>;
  // An error (kLimit) stands for all later calls.
  Status Feed(ByteView bytes, const OnLine& on_line);
  // The stream ended: what has no LF is a line too.
  void Finish(const OnLine& on_line);

  size_t held() const { return line_.size(); }

 private:
  Status TooLarge();
  static void Give(std::string_view line, const OnLine& on_line);

  const size_t limit_;
  bool failed_ = false;
  std::string line_;  // begun, not ended
};

}  // namespace framewall::backend::llm
