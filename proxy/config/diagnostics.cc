#include "proxy/config/diagnostics.h"

#include <fmt/format.h>

namespace framewall::config {

void Diagnostics::Error(const SourceLocation& at, std::string text) {
  ++errors_;
  messages_.push_back({Severity::kError, std::move(text), at});
}

void Diagnostics::Warn(const SourceLocation& at, std::string text) {
  messages_.push_back({Severity::kWarning, std::move(text), at});
}

std::string Diagnostics::Format(const Message& message) {
  if (message.at.file.empty()) return message.text;
  if (message.at.line == 0) return fmt::format("{} in {}", message.text, message.at.file);
  return fmt::format("{} in {}:{}", message.text, message.at.file, message.at.line);
}

}  // namespace framewall::config
