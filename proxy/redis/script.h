// A Lua script that runs in Redis, called by its SHA-1 (EVALSHA).
#pragma once

#include <string>

namespace framewall::redis {

class Script {
 public:
  explicit Script(std::string text);
  const std::string& text() const { return text_; }
  const std::string& sha1() const { return sha1_; }  // 40 hex digits, lower case

 private:
  std::string text_;
  std::string sha1_;
};

}  // namespace framewall::redis
