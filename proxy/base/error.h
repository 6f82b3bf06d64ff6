// What went wrong, whose fault it was, and a sentence for the one who must act.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace framewall {

// Who caused it. Status code, log level and metric follow from this.
enum class ErrorSource {
  kClient,    // the peer that asked: 4xx, logged at info
  kUpstream,  // the peer that should answer: 502/504, logged at error
  kOperator,  // configuration or rules: refuses the start or the reload
  kInternal,  // us or the machine: 500, logged at alert or crit
};

enum class ErrorKind {
  kSyntax,       // bytes that are not what the format allows
  kLimit,        // a declared limit was exceeded
  kTimeout,      // a deadline passed
  kClosed,       // the peer closed before it was done
  kRefused,      // connection refused, access denied
  kUnavailable,  // nothing can serve this now
  kNotFound,     // a file, a name
  kSystem,       // a system call failed; `system_errno` says which way
  kOther,
};

struct Error {
  ErrorKind kind = ErrorKind::kOther;
  ErrorSource source = ErrorSource::kInternal;
  std::string message;
  int system_errno = 0;
};

std::string_view ErrorKindName(ErrorKind kind);
std::string_view ErrorSourceName(ErrorSource source);

// `message` then ": (errno) text", with source kInternal.
Error SystemError(std::string_view message, int system_errno);

// A fault in configuration or rules.
inline Error OperatorError(std::string message) {
  return Error{ErrorKind::kSyntax, ErrorSource::kOperator, std::move(message), 0};
}

}  // namespace framewall
