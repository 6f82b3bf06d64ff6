#include "proxy/config/diagnostics.h"

#include <fmt/format.h>

#include <utility>

namespace framewall::config {

void Diagnostics::Error(const SourceLocation& at, std::string text) {
  ++errors_;
  Add(Severity::kError, at, std::move(text));
}

void Diagnostics::Warn(const SourceLocation& at, std::string text) {
  Add(Severity::kWarning, at, std::move(text));
}

void Diagnostics::Add(Severity severity, const SourceLocation& at, std::string text) {
  Message& message = messages_.emplace_back(Message{severity, std::move(text), at});
  if (!at.file.empty()) message.at.file = *files_.emplace(at.file).first;
}

std::string Diagnostics::Format(const Message& message) {
  if (message.at.file.empty()) return message.text;
  if (message.at.line == 0) return fmt::format("{} in {}", message.text, message.at.file);
  return fmt::format("{} in {}:{}", message.text, message.at.file, message.at.line);
}

}  // namespace framewall::config
