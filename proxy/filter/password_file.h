// Password files ("user:hash[:comment]" a line), read again when they change.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/result.h"

namespace framewall::filter {

class PasswordFile {
 public:
  // As nginx reads it: the first line of a user counts, '#' begins a comment line.
  explicit PasswordFile(std::string_view text);
  ~PasswordFile();
  PasswordFile(const PasswordFile&) = delete;
  PasswordFile& operator=(const PasswordFile&) = delete;

  // What is stored for `user`; null where he is not there.
  const std::string* Find(std::string_view user) const;
  // One of the hashes of the kind that most users have: what a password of somebody unknown is
  // hashed with, so that it takes as long. Empty where there are none.
  const std::string& typical() const { return typical_; }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> users_;
  std::string typical_;
};

// The files that a worker has read.
class PasswordFiles {
 public:
  // Looks at the file each time; reads it where it is new, or was written to. An error has errno.
  Result<std::shared_ptr<const PasswordFile>> Get(const std::string& path);

  // With variables in auth_basic_user_file there may be any number; then all are forgotten.
  static constexpr size_t kMostFiles = 64;

 private:
  struct Known {
    struct stat seen {};
    // Its time of change lay so far back when it was read that a later change shows.
    bool is_settled = false;
    std::shared_ptr<const PasswordFile> file;
  };
  std::map<std::string, Known> files_;
};

}  // namespace framewall::filter
