// Files that hold secrets: keys, the first password.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace framewall::backend::auth {

enum class SecretPlace : uint8_t {
  kOurs,     // made by us: readable by others is an error, and so is a symbolic link
  kMounted,  // put there by somebody: readable by others is a warning in the log
};

// At most 64 KiB. An error says what to do about it, and shows nothing of the content.
Result<std::string> ReadSecretFile(const std::string& path, SecretPlace place);

// Mode 0600, whole or not at all, on the disk when it returns; replaces what is there.
Status WriteSecretFile(const std::string& path, std::string_view text);

// Makes it with mode 0700 where it is missing; an error where others may write into it.
Status MakeSecretDirectory(const std::string& path);

}  // namespace framewall::backend::auth
