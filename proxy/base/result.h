// Result<T>: a value or an Error. Status: done or an Error.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "proxy/base/check.h"
#include "proxy/base/error.h"

namespace framewall {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires: ok().
  T& value() & {
    FW_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    FW_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    FW_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires: !ok().
  const Error& error() const& {
    FW_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    FW_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }

  // Requires: !ok().
  const Error& error() const& {
    FW_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    FW_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

inline Status OkStatus() { return Status(); }

// Returns the error of `expression` to the caller; goes on when it is ok.
#define FW_TRY(expression)                                        \
  do {                                                            \
    if (auto fw_try_status = (expression); !fw_try_status.ok()) { \
      return std::move(fw_try_status).error();                    \
    }                                                             \
  } while (false)

// FW_ASSIGN(auto value, expression): the value, or the error to the caller.
#define FW_ASSIGN(declaration, expression) \
  FW_ASSIGN_NAMED_(FW_CONCAT_(fw_result_, __LINE__), declaration, expression)
#define FW_CONCAT_(a, b) FW_CONCAT_INNER_(a, b)
#define FW_CONCAT_INNER_(a, b) a##b
#define FW_ASSIGN_NAMED_(name, declaration, expression) \
  auto name = (expression);                             \
  if (!name.ok()) return std::move(name).error();       \
  declaration = std::move(name).value()

}  // namespace framewall
