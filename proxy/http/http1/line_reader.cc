#include "proxy/http/http1/line_reader.h"

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

constexpr uint8_t kPlain = 0;       // letter, digit, '-'
constexpr uint8_t kUnderscore = 1;  // nginx treats it by itself
constexpr uint8_t kOddToken = 2;    // any other tchar
constexpr uint8_t kNoToken = 4;     // visible or high octet that is no tchar
constexpr uint8_t kColon = 8;       // ends the name
constexpr uint8_t kIllegal = 16;    // control octets and space
constexpr uint8_t kEndsName = kColon | kIllegal;

constexpr std::array<uint8_t, 256> MakeNameClasses() {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    const char ch = static_cast<char>(c);
    if (c <= 0x20 || c == 0x7f) {
      table[c] = kIllegal;
    } else if (c < 0x80 && (IsAlpha(ch) || IsDigit(ch) || ch == '-')) {
      table[c] = kPlain;
    } else {
      table[c] = kNoToken;
    }
  }
  for (char c : std::string_view("!#$%&'*+.^`|~")) table[static_cast<uint8_t>(c)] = kOddToken;
  table[static_cast<uint8_t>('_')] = kUnderscore;
  table[static_cast<uint8_t>(':')] = kColon;
  return table;
}

constexpr std::array<uint8_t, 256> kNameClasses = MakeNameClasses();

uint8_t NameClass(char c) { return kNameClasses[static_cast<uint8_t>(c)]; }

// Skips letters, digits and '-', 16 at a time; the caller looks at each octet from there on.
const char* SkipPlainName(const char* p, const char* end) {
#if defined(__SSE2__)
  const auto is_in_range = [](__m128i octets, char low, char high) {
    const __m128i offset = _mm_sub_epi8(octets, _mm_set1_epi8(low));
    const __m128i width = _mm_set1_epi8(static_cast<char>(high - low));
    return _mm_cmpeq_epi8(_mm_min_epu8(offset, width), offset);
  };
  for (; end - p >= 16; p += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i alpha = is_in_range(_mm_or_si128(octets, _mm_set1_epi8(0x20)), 'a', 'z');
    const __m128i plain = _mm_or_si128(_mm_or_si128(alpha, is_in_range(octets, '0', '9')),
                                       _mm_cmpeq_epi8(octets, _mm_set1_epi8('-')));
    const int others = ~_mm_movemask_epi8(plain) & 0xffff;
    if (others != 0) return p + __builtin_ctz(static_cast<unsigned>(others));
  }
#endif
  return p;
}

bool IsControl(char c) { return (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f; }
bool IsControlOrSpace(char c) { return static_cast<uint8_t>(c) <= 0x20 || c == 0x7f; }

}  // namespace

const char* FindControl(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i highest = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  for (; end - p >= 16; p += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, highest), octets);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(octets, tab), low),
                                     _mm_cmpeq_epi8(octets, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (p != end && !IsControl(*p)) ++p;
  return p;
}

const char* FindControlOrSpace(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i highest = _mm_set1_epi8(0x20);
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - p >= 16; p += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i bad = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(octets, highest), octets),
                                     _mm_cmpeq_epi8(octets, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (p != end && !IsControlOrSpace(*p)) ++p;
  return p;
}

LineOutcome ReadLineEnd(const char* p, const char* end, const char** next) {
  *next = p;
  if (p == end) return LineOutcome::kMore;
  if (*p == '\r') {
    ++p;
    *next = p;
    if (p == end) return LineOutcome::kMore;
  }
  if (*p != '\n') return LineOutcome::kInvalid;
  *next = p + 1;
  return LineOutcome::kLine;
}

LineOutcome ReadFieldLine(const char* p, const char* end, FieldLine* line, const char** next) {
  *next = p;
  if (p == end) return LineOutcome::kMore;
  const char* name = p;
  uint8_t classes = 0;
  p = SkipPlainName(p, end);
  if (p == end) return LineOutcome::kMore;
  while (true) {
    const uint8_t octet_class = NameClass(*p);
    if ((octet_class & kEndsName) != 0) break;
    classes |= octet_class;
    if (++p == end) return LineOutcome::kMore;
  }
  *next = p;
  if (*p != ':') {
    if (p != name || (*p != '\r' && *p != '\n')) return LineOutcome::kInvalid;
    const LineOutcome outcome = ReadLineEnd(p, end, next);
    line->bare_lf = *p == '\n';
    return outcome == LineOutcome::kLine ? LineOutcome::kEmpty : outcome;
  }
  if (p == name) return LineOutcome::kInvalid;
  line->name = {name, static_cast<size_t>(p - name)};
  line->plain_name = classes == 0;
  line->has_underscore = (classes & kUnderscore) != 0;
  line->has_odd_token_char = (classes & kOddToken) != 0;
  line->is_token = (classes & kNoToken) == 0;

  ++p;
  while (p != end && (*p == ' ' || *p == '\t')) ++p;
  const char* value = p;
  p = FindControl(p, end);
  *next = p;
  if (p == end) return LineOutcome::kMore;
  const char* value_end = p;
  line->bare_lf = *p == '\n';
  const LineOutcome outcome = ReadLineEnd(p, end, next);
  if (outcome != LineOutcome::kLine) return outcome;
  while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
  line->value = {value, static_cast<size_t>(value_end - value)};
  return LineOutcome::kLine;
}

}  // namespace framewall::http
