#include "backend/llm/ndjson.h"

#include <fmt/format.h>

#include <utility>

namespace framewall::backend::llm {

Status LineReader::TooLarge() {
  failed_ = true;
  return Error{ErrorKind::kLimit, ErrorSource::kUpstream,
               fmt::format("a line of more than {} octets", limit_)};
}

void LineReader::Give(std::string_view line, const OnLine& on_line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty()) on_line(line);
}

Status LineReader::Feed(ByteView bytes, const OnLine& on_line) {
  if (failed_) return TooLarge();
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > limit_) return TooLarge();
    if (end == bytes.npos) {
      line_ += piece;
      return OkStatus();
    }
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      Give(piece, on_line);
    } else {
      line_ += piece;
      const std::string line = std::exchange(line_, {});
      Give(line, on_line);
    }
  }
  return OkStatus();
}

void LineReader::Finish(const OnLine& on_line) {
  if (failed_) return;
  const std::string line = std::exchange(line_, {});
  Give(line, on_line);
}

}  // namespace framewall::backend::llm
