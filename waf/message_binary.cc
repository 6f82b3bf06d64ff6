#include "waf/message_binary.h"

#include <algorithm>
#include <cstdint>

#include "waf/message_text.h"

namespace framewall::waf {
namespace {

using Texts = std::vector<std::string_view>;

std::uint8_t Byte(char c) { return static_cast<std::uint8_t>(c); }

// Octets from the front of a view; what is not there makes it bad.
class Octets {
 public:
  explicit Octets(std::string_view rest) : rest_(rest) {}

  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }

  std::string_view Take(std::uint64_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      const std::string_view all = rest_;
      rest_ = {};
      return all;
    }
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t BigEndian(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : Take(size)) value = (value << 8) | Byte(c);
    return value;
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::string_view one = Take(1);
      if (!ok_) return 0;
      value |= static_cast<std::uint64_t>(Byte(one[0]) & 0x7f) << shift;
      if ((Byte(one[0]) & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// The end of the text that begins at `at`.
std::size_t EndOfText(std::string_view bytes, std::size_t at) {
  while (at < bytes.size()) {
    const std::size_t length = Utf8SequenceLength(bytes.substr(at, 4));
    if (length == 0 || !IsText(bytes.substr(at, length))) break;
    at += length;
  }
  return at;
}

template <class Visit>
void ForEachRun(std::string_view bytes, Visit visit) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = EndOfText(bytes, at);
    if (end > at) visit(bytes.substr(at, end - at));
    at = std::max(end, at + 1);
  }
}

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8SequenceLength(text.substr(at, 4));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// What a format calls a string. An octet or two that are no text must not hide the rest, but old
// MessagePack has strings that are files, and numbers that look like strings have no text at all.
void AddString(std::string_view text, Texts* texts) {
  constexpr std::size_t kShortestPiece = 4;
  std::size_t octets_of_text = 0;
  ForEachRun(text, [&](std::string_view run) { octets_of_text += run.size(); });
  if (octets_of_text == 0 || octets_of_text * 3 < text.size() * 2) return;
  if (octets_of_text == text.size() || IsUtf8(text)) {
    texts->push_back(text);
    return;
  }
  if (octets_of_text * 4 < text.size() * 3) return;
  ForEachRun(text, [texts](std::string_view run) {
    if (run.size() >= kShortestPiece) texts->push_back(run);
  });
}

// MessagePack: values one after another. Containers need no stack: an array of
// three is "three more values", and nobody asks where it ends but the last.
// True where `bytes` are values to the end, or begin with a whole map or array; what follows
// that is somebody else's then.
bool ReadMessagePack(std::string_view bytes, bool is_cut, Texts* texts) {
  Octets octets(bytes);
  std::uint64_t missing = 0;  // values that open containers still need
  const auto first = bytes.empty() ? std::uint8_t{0} : Byte(bytes[0]);
  const bool begins_with_container =
      (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
  bool is_first = true;
  bool has_container = false;         // the first value is one, and it is whole
  std::size_t sound = texts->size();  // those of it
  while (!octets.empty()) {
    if (missing > 0) --missing;
    const auto type = static_cast<std::uint8_t>(octets.BigEndian(1));
    if (type <= 0x7f || type >= 0xe0) {
      // a small number
    } else if (type <= 0x8f) {
      missing += 2U * (type & 0x0fU);
    } else if (type <= 0x9f) {
      missing += type & 0x0fU;
    } else if (type <= 0xbf) {
      AddString(octets.Take(type & 0x1fU), texts);
    } else {
      switch (type) {
        case 0xc0:
        case 0xc2:
        case 0xc3:
          break;
        case 0xc4:
        case 0xc5:
        case 0xc6:  // octets
          octets.Take(octets.BigEndian(std::size_t{1} << (type - 0xc4)));
          break;
        case 0xc7:
        case 0xc8:
        case 0xc9:  // an extension: size, type, octets
          octets.Take(octets.BigEndian(std::size_t{1} << (type - 0xc7)) + 1);
          break;
        case 0xca:
        case 0xce:
        case 0xd2:
          octets.Take(4);
          break;
        case 0xcb:
        case 0xcf:
        case 0xd3:
          octets.Take(8);
          break;
        case 0xcc:
        case 0xd0:
          octets.Take(1);
          break;
        case 0xcd:
        case 0xd1:
          octets.Take(2);
          break;
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8:
          octets.Take((std::size_t{1} << (type - 0xd4)) + 1);
          break;
        case 0xd9:
        case 0xda:
        case 0xdb:
          AddString(octets.Take(octets.BigEndian(std::size_t{1} << (type - 0xd9))), texts);
          break;
        case 0xdc:
        case 0xdd:
          missing += octets.BigEndian(type == 0xdc ? 2 : 4);
          break;
        case 0xde:
        case 0xdf:
          missing += 2 * octets.BigEndian(type == 0xde ? 2 : 4);
          break;
        default:  // c1 is never used
          texts->resize(sound);
          return has_container;
      }
    }
    if (!octets.ok()) {
      if (is_cut) return true;
      texts->resize(sound);
      return has_container;
    }
    if (missing == 0 && is_first) {
      is_first = false;
      has_container = begins_with_container;
      if (has_container) sound = texts->size();
    }
  }
  if (missing == 0 || is_cut) return true;
  texts->resize(sound);
  return has_container;
}

// Protocol Buffers' wire format, to the end. Whether a field of octets is text, a
// message or neither is not written there.
bool ReadProtocolBuffers(std::string_view bytes, bool is_cut, int depth, Texts* texts) {
  constexpr int kDeepest = 16;
  constexpr std::size_t kShortestPiece = 4;
  Octets octets(bytes);
  while (!octets.empty()) {
    const std::uint64_t tag = octets.Varint();
    if (octets.ok() && (tag >> 3 == 0 || tag >> 32 != 0)) return false;
    switch (tag & 7) {
      case 0:
        octets.Varint();
        break;
      case 1:
        octets.Take(8);
        break;
      case 5:
        octets.Take(4);
        break;
      case 2: {
        std::string_view field = octets.Take(octets.Varint());
        const bool field_is_cut = !octets.ok();
        if (field_is_cut && !is_cut) return false;
        const std::string_view text = field_is_cut ? WithoutPartialSequence(field) : field;
        if (IsText(text)) {
          if (!text.empty()) texts->push_back(text);
          break;
        }
        const std::size_t before = texts->size();
        if (depth >= kDeepest || !ReadProtocolBuffers(field, field_is_cut, depth + 1, texts)) {
          texts->resize(before);
        }
        // A string with a control character in it may look like a message that hides it.
        if (IsUtf8(text)) {
          ForEachRun(text, [texts](std::string_view run) {
            if (run.size() >= kShortestPiece) texts->push_back(run);
          });
        }
        break;
      }
      default:
        return false;
    }
    if (!octets.ok()) return is_cut;
  }
  return true;
}

// Sorted by place, without those that are part of others.
void Tidy(Texts* texts) {
  std::sort(texts->begin(), texts->end(), [](std::string_view a, std::string_view b) {
    return a.data() != b.data() ? a.data() < b.data() : a.size() > b.size();
  });
  const char* end = nullptr;
  std::erase_if(*texts, [&end](std::string_view text) {
    if (end != nullptr && text.data() + text.size() <= end) return true;
    end = text.data() + text.size();
    return false;
  });
}

// The strings of whatever format `bytes` are in.
Texts StringsOf(std::string_view bytes, bool is_cut) {
  constexpr std::size_t kFraming = 5;
  Texts texts;
  for (std::size_t skip = 0; skip <= kFraming && skip < bytes.size() && texts.empty(); ++skip) {
    const std::string_view inner = bytes.substr(skip);
    if (!ReadMessagePack(inner, is_cut, &texts)) texts.clear();
    const std::size_t before = texts.size();
    if (!ReadProtocolBuffers(inner, is_cut, 0, &texts)) texts.resize(before);
  }
  Tidy(&texts);
  return texts;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Letters that people would write together: in one case, with vowels and consonants, and not one
// after the other as the values of a curve or a palette are.
bool IsWord(std::string_view letters) {
  if (letters.size() < kShortestWord) return false;
  std::size_t capitals = 0;
  std::size_t vowels = 0;
  std::size_t consonants = 0;  // in a row
  std::size_t doubles = 0;
  std::size_t distance = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const char c = letters[i];
    const bool is_capital = c <= 'Z';
    const char small = is_capital ? static_cast<char>(c + ('a' - 'A')) : c;
    if (is_capital) ++capitals;
    if (std::string_view("aeiouy").find(small) != std::string_view::npos) {
      ++vowels;
      consonants = 0;
    } else if (++consonants > 4) {
      return false;
    }
    if (i == 0) continue;
    const char before =
        letters[i - 1] <= 'Z' ? static_cast<char>(letters[i - 1] + ('a' - 'A')) : letters[i - 1];
    if (small == before) ++doubles;
    distance += static_cast<std::size_t>(small > before ? small - before : before - small);
  }
  const bool in_one_case =
      capitals == 0 || capitals == letters.size() || (capitals == 1 && letters[0] <= 'Z');
  return in_one_case && vowels > 0 && vowels < letters.size() && doubles <= 1 &&
         distance >= 4 * (letters.size() - 1);
}

// Octet to octet, text leaps; a curve or a picture does not.
bool IsSmooth(std::string_view run) {
  constexpr std::size_t kLeap = 9;
  std::size_t distance = 0;
  for (std::size_t i = 1; i < run.size(); ++i) {
    const std::uint8_t a = Byte(run[i - 1]);
    const std::uint8_t b = Byte(run[i]);
    distance += static_cast<std::size_t>(a > b ? a - b : b - a);
  }
  return distance < kLeap * (run.size() - 1);
}

// Text by its looks: long enough, words for a fifth of it, and few characters that are strange
// where they stand (random octets are well-formed sequences too, of all scripts at once).
bool LooksLikeText(std::string_view run) {
  if (run.size() < kShortestRun || IsSmooth(run)) return false;
  std::size_t characters = 0;
  std::size_t strange = 0;
  std::size_t in_words = 0;
  for (std::size_t at = 0; at < run.size();) {
    std::size_t end = at;
    if (IsLetter(run[at])) {
      while (end < run.size() && IsLetter(run[end])) ++end;
      if (IsWord(run.substr(at, end - at))) in_words += end - at;
      characters += end - at;
    } else if (const std::uint8_t lead = Byte(run[at]); lead < 0x80) {
      ++end;
      ++characters;
    } else {
      // Characters of one script have the same first octet, or its neighbour.
      std::size_t size = 0;
      while (end < run.size() && Byte(run[end]) + 1 >= lead && Byte(run[end]) <= lead + 1) {
        end += Utf8SequenceLength(run.substr(end, 4));
        ++size;
      }
      characters += size;
      if (size >= kShortestForeignWord) in_words += size;
      // Latin with accents and typographic signs stand alone as well.
      if (size == 1 && lead > 0xc5 && lead != 0xe2) ++strange;
    }
    at = end;
  }
  return in_words * 5 >= characters && in_words > 0 && strange * 8 <= characters;
}

// Is `run` made of `texts` (as Tidy leaves them), with less before, between and behind them than
// a run has to have: tags and lengths?
bool IsShownAlready(std::string_view run, const Texts& texts) {
  constexpr auto kFraming = static_cast<std::ptrdiff_t>(kShortestRun) - 1;
  const char* const end = run.data() + run.size();
  auto next = std::lower_bound(texts.begin(), texts.end(), run,
                               [](std::string_view text, std::string_view wanted) {
                                 return text.data() + text.size() <= wanted.data();
                               });
  const char* shown = run.data();  // so far
  for (; next != texts.end() && next->data() < end; ++next) {
    if (next->data() - shown > kFraming) return false;
    shown = std::max(shown, next->data() + next->size());
  }
  return end - shown <= kFraming;
}

}  // namespace

std::vector<std::string_view> TextsInBinary(std::string_view bytes, bool is_cut) {
  Texts texts = StringsOf(bytes, is_cut);
  Texts runs;
  ForEachRun(bytes, [&](std::string_view run) {
    if (LooksLikeText(run) && !IsShownAlready(run, texts)) runs.push_back(run);
  });
  texts.insert(texts.end(), runs.begin(), runs.end());
  std::sort(texts.begin(), texts.end(),
            [](std::string_view a, std::string_view b) { return a.data() < b.data(); });
  return texts;
}

}  // namespace framewall::waf
