// PCRE2 as nginx uses it, with match and depth limits so that no text stalls a worker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace framewall {

class Regex {
 public:
  enum class Case { kSensitive, kInsensitive };
  // A failure names the offset and PCRE2's reason, in nginx's words:
  //   pcre2_compile() failed: missing closing parenthesis in "(" at "..."
  static Result<Regex> Compile(std::string_view pattern, Case sensitivity);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  enum class Outcome { kMatch, kNoMatch, kLimit };
  // Offsets of group i in `subject`: (begin, end), or (npos, npos) where it took no part.
  using Captures = std::vector<std::pair<size_t, size_t>>;
  // kLimit where a match or depth limit ended it: the caller decides, closed by default.
  Outcome Match(std::string_view subject, Captures* captures) const;
  bool Matches(std::string_view subject) const;

  int capture_count() const { return capture_count_; }
  // Named groups with their number.
  const std::vector<std::pair<std::string, int>>& names() const { return names_; }
  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  Regex();
  std::unique_ptr<Code> code_;
  std::string pattern_;
  int capture_count_ = 0;
  std::vector<std::pair<std::string, int>> names_;
};

}  // namespace framewall
