#include "proxy/redis/command_format.h"

#include <hiredis/hiredis.h>

#include <array>

#include "proxy/base/check.h"

namespace framewall::redis {

std::string FormatCommand(std::span<const std::string_view> words) {
  FW_CHECK(!words.empty() && words.size() <= kMaxCommandWords);
  std::array<const char*, kMaxCommandWords> starts;
  std::array<size_t, kMaxCommandWords> sizes;
  for (size_t i = 0; i < words.size(); ++i) {
    starts[i] = words[i].data();
    sizes[i] = words[i].size();
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), starts.data(), sizes.data());
  FW_CHECK(size > 0);  // it fails without memory only
  std::string text(command, static_cast<size_t>(size));
  redisFreeCommand(command);
  return text;
}

}  // namespace framewall::redis
