// The only file that knows PCRE2.
#include "proxy/base/regex.h"

#include <algorithm>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace framewall {
namespace {

// One hostile match costs about a hundredth of a second, then it is given up.
constexpr uint32_t kMatchLimit = 1'000'000;
constexpr uint32_t kDepthLimit = 100'000;
constexpr uint32_t kHeapLimitKib = 16 * 1024;
constexpr size_t kJitStackStart = size_t{32} * 1024;
constexpr size_t kJitStackMax = size_t{1024} * 1024;

// What a match needs besides the pattern; kept by the thread, so that a match allocates nothing.
class Workspace {
 public:
  Workspace() : context_(pcre2_match_context_create(nullptr)) {
    FW_CHECK(context_ != nullptr);
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_depth_limit(context_, kDepthLimit);
    pcre2_set_heap_limit(context_, kHeapLimitKib);
    // Without JIT in the library there is no stack, and none is needed.
    jit_stack_ = pcre2_jit_stack_create(kJitStackStart, kJitStackMax, nullptr);
    if (jit_stack_ != nullptr) pcre2_jit_stack_assign(context_, nullptr, jit_stack_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
    pcre2_jit_stack_free(jit_stack_);
  }

  // Room for `pairs` offsets; the library fills what a pattern has and ignores the rest.
  pcre2_match_data* DataFor(uint32_t pairs) {
    if (pairs > pairs_) {
      pcre2_match_data_free(data_);
      pairs_ = std::max<uint32_t>(pairs, 16);
      data_ = pcre2_match_data_create(pairs_, nullptr);
      FW_CHECK(data_ != nullptr);
    }
    return data_;
  }
  pcre2_match_context* context() { return context_; }

 private:
  pcre2_match_context* context_;
  pcre2_jit_stack* jit_stack_ = nullptr;
  pcre2_match_data* data_ = nullptr;
  uint32_t pairs_ = 0;
};

Workspace& ThreadWorkspace() {
  thread_local Workspace workspace;
  return workspace;
}

Error CompileError(std::string_view pattern, int code, size_t offset) {
  std::array<PCRE2_UCHAR, 256> reason{};
  pcre2_get_error_message(code, reason.data(), reason.size());
  std::string message = "pcre2_compile() failed: ";
  message += reinterpret_cast<const char*>(reason.data());
  message.append(" in \"").append(pattern).append("\"");
  if (offset < pattern.size()) message.append(" at \"").append(pattern.substr(offset)).append("\"");
  return OperatorError(std::move(message));
}

PCRE2_SPTR Octets(std::string_view text) {
  // The library wants a pointer even to nothing.
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

}  // namespace

struct Regex::Code {
  explicit Code(pcre2_code* pcre_code) : code(pcre_code) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(code); }

  // Number and name lie packed in the library's table: two octets, then text with its zero.
  std::vector<std::pair<std::string, int>> Names() const {
    uint32_t count = 0;
    uint32_t entry_size = 0;
    PCRE2_SPTR entry = nullptr;
    pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &entry);
    std::vector<std::pair<std::string, int>> names;
    for (uint32_t i = 0; i < count; ++i, entry += entry_size) {
      names.emplace_back(reinterpret_cast<const char*>(entry + 2), (entry[0] << 8) | entry[1]);
    }
    return names;
  }

  pcre2_code* code;
};

Regex::Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::Compile(std::string_view pattern, Case sensitivity) {
  int error_code = 0;
  size_t error_offset = 0;
  pcre2_code* code = pcre2_compile(Octets(pattern), pattern.size(),
                                   sensitivity == Case::kInsensitive ? PCRE2_CASELESS : 0,
                                   &error_code, &error_offset, nullptr);
  if (code == nullptr) return CompileError(pattern, error_code, error_offset);

  Regex regex;
  regex.code_ = std::make_unique<Code>(code);
  regex.pattern_ = std::string(pattern);
  // Where the machine code cannot be made, the interpreter does the same, slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  uint32_t captures = 0;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &captures);
  regex.capture_count_ = static_cast<int>(captures);
  regex.names_ = regex.code_->Names();
  return regex;
}

Regex::Outcome Regex::Match(std::string_view subject, Captures* captures) const {
  Workspace& workspace = ThreadWorkspace();
  const size_t pairs = static_cast<size_t>(capture_count_) + 1;
  pcre2_match_data* data = workspace.DataFor(static_cast<uint32_t>(pairs));
  const int groups =
      pcre2_match(code_->code, Octets(subject), subject.size(), 0, 0, data, workspace.context());
  if (groups == PCRE2_ERROR_NOMATCH) return Outcome::kNoMatch;
  // Limits, and what else leaves the question open (text that is no UTF-8 under "(*UTF)").
  if (groups < 0) return Outcome::kLimit;
  if (captures == nullptr) return Outcome::kMatch;

  captures->assign(pairs, {std::string_view::npos, std::string_view::npos});
  const size_t* offsets = pcre2_get_ovector_pointer(data);
  for (size_t i = 0; i < static_cast<size_t>(groups); ++i) {
    if (offsets[2 * i] == PCRE2_UNSET) continue;
    (*captures)[i] = {offsets[2 * i], std::max(offsets[2 * i], offsets[2 * i + 1])};
  }
  return Outcome::kMatch;
}

bool Regex::Matches(std::string_view subject) const {
  return Match(subject, nullptr) == Outcome::kMatch;
}

}  // namespace framewall
