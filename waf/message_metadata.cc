#include "waf/message_metadata.h"

#include <cstddef>

namespace framewall::waf {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsName(char c) { return IsNameStart(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

// Reads one tag from its "<" on.
class Tag {
 public:
  explicit Tag(std::string_view text) : rest_(text) {}

  // True for a tag as XMP has them; `values` gets a line for each attribute, `size` its length.
  bool Read(std::string* values, std::size_t* size) {
    const std::size_t before = rest_.size();
    const bool is_instruction = Take("<?xpacket");
    if (!is_instruction) {
      if (!Take("<")) return false;
      Take("/");
      if (!TakeName(true)) return false;
    }
    while (TakeSpace()) {
      if (rest_.empty() || !IsNameStart(rest_[0])) break;
      if (!TakeAttribute(is_instruction, values)) return false;
    }
    if (is_instruction) {
      if (!Take("?>")) return false;
    } else {
      Take("/");
      if (!Take(">")) return false;
    }
    *size = before - rest_.size();
    return true;
  }

 private:
  bool Take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  bool TakeSpace() {
    std::size_t count = 0;
    while (count < rest_.size() && IsSpace(rest_[count])) ++count;
    rest_.remove_prefix(count);
    return count > 0;
  }

  bool TakePart() {
    if (rest_.empty() || !IsNameStart(rest_[0])) return false;
    std::size_t count = 1;
    while (count < rest_.size() && IsName(rest_[count])) ++count;
    rest_.remove_prefix(count);
    return true;
  }

  // "prefix:name"; `needs_prefix` is false for the packet's own "begin", "id", "end".
  bool TakeName(bool needs_prefix) {
    if (!TakePart()) return false;
    if (!Take(":")) return !needs_prefix;
    return TakePart();
  }

  bool TakeAttribute(bool is_instruction, std::string* values) {
    if (!TakeName(!is_instruction)) return false;
    TakeSpace();
    if (!Take("=")) return false;
    TakeSpace();
    if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\'')) return false;
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == rest_.npos) return false;
    const std::string_view value = rest_.substr(1, end - 1);
    if (value.find('<') != value.npos) return false;
    if (!value.empty()) {
      *values += value;
      *values += '\n';
    }
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

bool HasXmp(std::string_view text) { return text.find("<x:xmpmeta ") != text.npos; }

std::string WithoutXmpMarkup(std::string_view text) {
  std::string plain;
  std::string values;
  while (!text.empty()) {
    const std::size_t open = text.find('<');
    plain += text.substr(0, open);
    if (open == text.npos) break;
    text.remove_prefix(open);
    values.clear();
    std::size_t size = 1;
    if (Tag(text).Read(&values, &size)) {
      plain += '\n';
      plain += values;
    } else {
      plain += '<';
    }
    text.remove_prefix(size);
  }
  return plain;
}

}  // namespace framewall::waf
