#include "backend/llm/event_stream.h"

#include <fmt/format.h>

namespace framewall::backend::llm {

Status EventStreamReader::TooLarge() {
  failed_ = true;
  return Error{ErrorKind::kLimit, ErrorSource::kUpstream,
               fmt::format("an event of more than {} octets", limit_)};
}

Status EventStreamReader::Feed(ByteView bytes, const OnEvent& on_event) {
  if (failed_) return TooLarge();
  while (!bytes.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const size_t end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > limit_) return TooLarge();
    if (end == bytes.npos) {
      line_ += piece;
      return OkStatus();
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      FW_TRY(TakeLine(piece, on_event));
    } else {
      line_ += piece;
      const std::string line = std::move(line_);
      line_.clear();
      FW_TRY(TakeLine(line, on_event));
    }
  }
  return OkStatus();
}

Status EventStreamReader::TakeLine(std::string_view line, const OnEvent& on_event) {
  if (at_start_) {
    at_start_ = false;
    if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  }
  if (line.empty()) {
    const std::string name = std::move(name_);
    std::string data = std::move(data_);
    name_.clear();
    data_.clear();
    if (data.empty()) return OkStatus();
    data.pop_back();
    on_event(name.empty() ? "message" : std::string_view(name), data);
    return OkStatus();
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value;
  if (colon != line.npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (data_.size() + value.size() >= limit_) return TooLarge();
    data_ += value;
    data_ += '\n';
  } else if (field == "event") {
    name_ = value;
  }
  return OkStatus();
}

}  // namespace framewall::backend::llm
