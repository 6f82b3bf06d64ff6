#include "proxy/json/pointer.h"

#include <algorithm>

#include "proxy/base/parse.h"

namespace framewall::json {
namespace {

// An element's number: no sign, no zeros before it.
std::optional<size_t> IndexOf(std::string_view token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) {
    return std::nullopt;
  }
  const auto number = ParseUnsigned(token);
  if (!number) return std::nullopt;
  return static_cast<size_t>(*number);
}

// Walks a text that is known to be JSON; at the end of the text it stays there.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) { SkipSpace(); }

  size_t at() const { return at_; }

  // From the start of an array or object to the value; false where there is none.
  bool Enter(const std::string& token, size_t* begins) {
    if (Peek() == '{') return EnterMember(token, begins);
    if (Peek() == '[') return EnterElement(token, begins);
    return false;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Skip() { at_ = std::min(at_ + 1, text_.size()); }
  void SkipSpace() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }

  std::string_view TakeString() {
    const size_t begin = at_;
    Skip();
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') Skip();
      Skip();
    }
    Skip();
    return text_.substr(begin, at_ - begin);
  }

  void SkipValue() {
    size_t depth = 0;
    do {
      SkipSpace();
      const char c = Peek();
      if (c == '"') {
        TakeString();
      } else {
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && depth > 0) --depth;
        Skip();
        if (std::string_view("[]{},:").find(c) == std::string_view::npos) {
          while (at_ < text_.size() &&
                 std::string_view("[]{},: \t\r\n\"").find(text_[at_]) == std::string_view::npos) {
            ++at_;
          }
        }
      }
    } while (depth > 0 && at_ < text_.size());
    SkipSpace();
  }

  bool EnterMember(const std::string& token, size_t* begins) {
    Skip();
    for (SkipSpace(); Peek() == '"'; SkipSpace()) {
      const size_t name_at = at_;
      const auto name = Document::Parse(TakeString());
      SkipSpace();
      Skip();  // the colon
      SkipSpace();
      if (name.ok() && name->root().AsString() == token) {
        *begins = name_at;
        return true;
      }
      SkipValue();
      if (Peek() == ',') Skip();
    }
    return false;
  }

  bool EnterElement(const std::string& token, size_t* begins) {
    const auto index = IndexOf(token);
    if (!index) return false;
    Skip();
    SkipSpace();
    for (size_t i = 0; i < *index; ++i) {
      SkipValue();
      if (Peek() != ',') return false;
      Skip();
      SkipSpace();
    }
    *begins = at_;
    return Peek() != ']';
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

void AppendPointerToken(std::string& pointer, std::string_view token) {
  pointer.push_back('/');
  for (const char c : token) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
}

std::optional<std::vector<std::string>> ParsePointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer[0] != '/') return std::nullopt;
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] != '~') {
      tokens.back().push_back(pointer[i]);
    } else {
      const char escaped = i + 1 < pointer.size() ? pointer[++i] : '\0';
      if (escaped != '0' && escaped != '1') return std::nullopt;
      tokens.back().push_back(escaped == '0' ? '~' : '/');
    }
  }
  return tokens;
}

std::optional<Value> Resolve(Value root, const std::vector<std::string>& tokens) {
  Value at = root;
  for (const std::string& token : tokens) {
    if (at.kind() == Kind::kArray) {
      const auto index = IndexOf(token);
      if (!index || *index >= at.size()) return std::nullopt;
      at = at.At(*index);
      continue;
    }
    const auto found = at.Find(token);
    if (!found) return std::nullopt;
    at = *found;
  }
  return at;
}

int LineOf(std::string_view text, std::string_view pointer) {
  const auto tokens = ParsePointer(pointer);
  Walk walk(text);
  size_t begins = walk.at();
  if (tokens) {
    for (const std::string& token : *tokens) {
      if (!walk.Enter(token, &begins)) break;
    }
  }
  return static_cast<int>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begins), '\n') + 1);
}

}  // namespace framewall::json
