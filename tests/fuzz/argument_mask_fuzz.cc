// Queries, request lines and sentences whose secret arguments are masked: what is masked once is
// masked for good, and no argument that $arg_token would find keeps its value. Octet 0 chooses how
// the text is read.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/argument_mask.h"
#include "proxy/base/check.h"
#include "proxy/base/text.h"

namespace framewall {
namespace {

const std::array<std::string, 2> kNames = {"token", "my code"};

// As nginx finds $arg_token, in every place.
void CheckQuery(std::string_view query) {
  for (const std::string_view pair : Split(query, '&')) {
    if (!StartsWithIgnoreCase(pair, "token=")) continue;
    const std::string_view value = pair.substr(6, pair.find('#') - 6);
    FW_CHECK(value.empty() || value == kMasked);
  }
}

void Check(std::string_view text, unsigned kind) {
  using Method = bool (ArgumentMask::*)(std::string_view, std::string&) const;
  constexpr std::array<Method, 4> kMethods = {&ArgumentMask::MaskQuery, &ArgumentMask::MaskUrl,
                                              &ArgumentMask::MaskRequestLine,
                                              &ArgumentMask::MaskText};
  const ArgumentMask mask(kNames);
  const Method method = kMethods[kind % kMethods.size()];
  std::string once;
  if ((mask.*method)(text, once)) {
    FW_CHECK(once.find(kMasked) != std::string::npos);
    std::string twice;
    FW_CHECK((mask.*method)(once, twice) && twice == once);
  } else {
    FW_CHECK(once.empty());
    once = text;
  }
  if (method == &ArgumentMask::MaskQuery && once.find('#') == std::string::npos) CheckQuery(once);
  SecretValues values;
  mask.Collect(text, values);
  std::string replaced;
  if (!values.Replace(text, replaced)) FW_CHECK(replaced.empty());
}

}  // namespace
}  // namespace framewall

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  framewall::Check({reinterpret_cast<const char*>(data) + 1, size - 1}, data[0]);
  return 0;
}
