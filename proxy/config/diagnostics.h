// What is wrong with a configuration: collected, not only the first; one shape of message.
//
//   nginx: [emerg] "limit_req" does not know "zon=a"; it takes zone=NAME ... in /a/site.conf:14
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/directive.h"

namespace framewall::config {

class Diagnostics {
 public:
  enum class Severity { kWarning, kError };
  struct Message {
    Severity severity;
    std::string text;
    SourceLocation at;  // empty file: about no place in particular
  };

  Diagnostics() = default;
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics(Diagnostics&&) = default;
  Diagnostics& operator=(Diagnostics&&) = default;

  void Error(const SourceLocation& at, std::string text);
  void Warn(const SourceLocation& at, std::string text);
  bool has_errors() const { return errors_ > 0; }
  const std::vector<Message>& messages() const { return messages_; }
  // "text in file:line"
  static std::string Format(const Message& message);

 private:
  void Add(Severity severity, const SourceLocation& at, std::string text);

  // Names of files: a message outlives the configuration that did not come to be.
  std::set<std::string, std::less<>> files_;
  std::vector<Message> messages_;
  int errors_ = 0;
};

}  // namespace framewall::config
