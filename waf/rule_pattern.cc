#include "waf/rule_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>

namespace framewall::waf {

std::string PatternFault(std::string_view pattern) {
  constexpr std::size_t kShown = 60;
  // The library hands it over as a C string.
  if (const auto end = pattern.find('\0'); end != std::string_view::npos) {
    return "a zero byte at offset " + std::to_string(end);
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_DOTALL | PCRE2_MULTILINE, &error, &offset, nullptr),
      &pcre2_code_free);
  if (code) return "";
  PCRE2_UCHAR reason[256];
  if (pcre2_get_error_message(error, reason, sizeof reason) < 0) reason[0] = '\0';
  std::string shown(pattern.substr(0, kShown));
  if (pattern.size() > kShown) shown += "...";
  return std::string(reinterpret_cast<const char*>(reason)) + " at offset " +
         std::to_string(offset) + " of \"" + shown + "\"";
}

}  // namespace framewall::waf
