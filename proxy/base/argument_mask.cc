#include "proxy/base/argument_mask.h"

#include <algorithm>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"

namespace framewall {
namespace {

// Copies `text` with pieces replaced; touches `out` only from the first of them on.
class Rewriter {
 public:
  Rewriter(std::string_view text, std::string& out) : text_(text), out_(out) {}
  void Mask(size_t begin, size_t end) {
    if (begin == end) return;
    out_.append(text_.substr(done_, begin - done_)).append(kMasked);
    done_ = end;
    changed_ = true;
  }
  bool Finish() {
    if (changed_) out_.append(text_.substr(done_));
    return changed_;
  }

 private:
  std::string_view text_;
  std::string& out_;
  size_t done_ = 0;
  bool changed_ = false;
};

// Octets of the percent-encoded (or plain) `c` that `text` has at `at`; 0 where it has none.
size_t EncodedAt(std::string_view text, size_t at, char c) {
  if (at + 2 >= text.size() || text[at] != '%') return 0;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  return high >= 0 && low >= 0 && high * 16 + low == static_cast<unsigned char>(c) ? 3 : 0;
}

bool NamesEqual(std::string_view sent, std::string_view name) {
  size_t i = 0;
  for (const char want : name) {
    if (i >= sent.size()) return false;
    char c = sent[i];
    size_t length = 1;
    if (c == '+') c = ' ';
    if (c == '%' && i + 2 < sent.size() && HexValue(sent[i + 1]) >= 0 &&
        HexValue(sent[i + 2]) >= 0) {
      c = static_cast<char>(HexValue(sent[i + 1]) * 16 + HexValue(sent[i + 2]));
      length = 3;
    }
    if (ToLowerAscii(c) != want) return false;
    i += length;
  }
  return i == sent.size();
}

// Calls `use(begin, end)` for each value of a secret argument that stands inside the value of
// another: next=%2Fa%3Ftoken%3Dabc.
template <class Use>
void ForEachNested(const ArgumentMask& mask, std::string_view text, size_t begin, size_t end,
                   Use use) {
  size_t name = begin;
  for (size_t at = begin; at < end; ++at) {
    if (text[at] != '%') continue;
    if (EncodedAt(text, at, '=') != 0 && at + 3 <= end) {
      const size_t value = at + 3;
      if (!mask.Names(text.substr(name, at - name))) continue;
      size_t stop = value;
      while (stop < end && EncodedAt(text, stop, '&') == 0 && EncodedAt(text, stop, '#') == 0) {
        ++stop;
      }
      use(value, stop);
      at = stop - 1;
    } else {
      for (const char separator : {'&', '?', '#', ';'}) {
        if (EncodedAt(text, at, separator) != 0) name = at + 3;
      }
    }
  }
}

// Calls `use(begin, end)` for each value of a secret argument in a query, in order.
template <class Use>
void ForEachSecret(const ArgumentMask& mask, std::string_view text, size_t from, Use use) {
  while (from < text.size()) {
    const size_t end = std::min(text.find_first_of("&#", from), text.size());
    // Where it is no part of a name, ';' or '?' may begin one to whoever reads it next.
    size_t name = from;
    for (size_t at = from; at <= end; ++at) {
      if (at == end) break;
      if (text[at] == ';' || text[at] == '?') {
        name = at + 1;
      } else if (text[at] == '=') {
        if (mask.Names(text.substr(name, at - name)) || mask.Names(text.substr(from, at - from))) {
          use(at + 1, end);
          break;
        }
        const size_t stop = std::min(text.find_first_of(";?", at + 1), end);
        ForEachNested(mask, text, at + 1, stop, use);
        at = stop - 1;
      }
    }
    from = end + 1;
  }
}

size_t QueryOf(std::string_view url) {
  const size_t start = url.find_first_of("?#");
  return start == std::string_view::npos ? 0 : start + 1;
}

bool MaskFrom(const ArgumentMask& mask, std::string_view text, size_t from, std::string& out) {
  if (mask.empty()) return false;
  Rewriter rewriter(text, out);
  ForEachSecret(mask, text, from, [&](size_t begin, size_t end) { rewriter.Mask(begin, end); });
  return rewriter.Finish();
}

}  // namespace

void SecretValues::Add(std::string_view value) {
  const auto add = [this](std::string_view one) {
    if (one.size() < kShortest || values_.size() >= kMost) return;
    if (std::find(values_.begin(), values_.end(), one) != values_.end()) return;
    const auto longer = [&](const std::string& other) { return other.size() >= one.size(); };
    values_.emplace(std::partition_point(values_.begin(), values_.end(), longer), one);
  };
  add(value);
  if (value.find_first_of("%+") == std::string_view::npos) return;
  std::string decoded(value);
  if (value.find('%') != std::string_view::npos) {
    decoded = PercentDecode(value);
    add(decoded);
  }
  decoded = value;
  std::replace(decoded.begin(), decoded.end(), '+', ' ');
  add(PercentDecode(decoded));
}

bool SecretValues::Replace(std::string_view text, std::string& out) const {
  std::string current;
  bool changed = false;
  for (const std::string& value : values_) {
    const std::string_view from = changed ? std::string_view(current) : text;
    size_t at = from.find(value);
    if (at == std::string_view::npos) continue;
    std::string next;
    size_t done = 0;
    for (; at != std::string_view::npos; at = from.find(value, done)) {
      next.append(from.substr(done, at - done)).append(kMasked);
      done = at + value.size();
    }
    next.append(from.substr(done));
    current = std::move(next);
    changed = true;
  }
  if (changed) out += current;
  return changed;
}

bool ArgumentMask::Names(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(),
                     [name](const std::string& one) { return NamesEqual(name, one); });
}

bool ArgumentMask::MaskQuery(std::string_view query, std::string& out) const {
  return MaskFrom(*this, query, 0, out);
}

bool ArgumentMask::MaskUrl(std::string_view url, std::string& out) const {
  return MaskFrom(*this, url, QueryOf(url), out);
}

bool ArgumentMask::MaskRequestLine(std::string_view line, std::string& out) const {
  const size_t version = line.rfind(" HTTP/");
  const std::string_view head = line.substr(0, version);
  if (!MaskUrl(head, out)) return false;
  out += line.substr(head.size());
  return true;
}

bool ArgumentMask::MaskText(std::string_view text, std::string& out) const {
  if (empty()) return false;
  constexpr std::string_view kBeforeName = "?&;#\"'`<>()[]{},=: \t";
  Rewriter rewriter(text, out);
  for (size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at)) {
    const size_t before = at == 0 ? std::string_view::npos : text.find_last_of(kBeforeName, at - 1);
    const size_t name = before == std::string_view::npos ? 0 : before + 1;
    const size_t value = ++at;
    if (!Names(text.substr(name, value - 1 - name))) continue;
    at = std::min(text.find_first_of("&#\"' \t", value), text.size());
    rewriter.Mask(value, at);
  }
  return rewriter.Finish();
}

void ArgumentMask::Collect(std::string_view url, SecretValues& values) const {
  if (empty()) return;
  ForEachSecret(*this, url, QueryOf(url),
                [&](size_t begin, size_t end) { values.Add(url.substr(begin, end - begin)); });
}

}  // namespace framewall
