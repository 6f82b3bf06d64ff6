// From a handler to the database and back: the work runs in a thread of the store and comes to a
// value or to a refusal that the client is told; the rest of the handler runs on the loop again.
//
//   Read<Room>(services, call,
//              [id](store::Connection& db) -> Outcome<Room> { … return Refused(NotFound()); },
//              [](server::Call& answer, const Room& room) { answer.Answer(200, RoomNode(room)); });
//
// A work refuses before it writes: a refusal commits, only an error rolls back.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "backend/api/services.h"
#include "backend/base/problem.h"
#include "backend/server/call.h"
#include "backend/store/database.h"
#include "proxy/base/result.h"

namespace framewall::backend::api {

struct Refused {
  explicit Refused(Problem told) : problem(std::move(told)) {}
  Problem problem;
};

// Nothing but that it is done.
struct Done {};

// In boxes: it goes through several hands, and g++ 12 takes nested variants for uninitialized.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::make_unique<T>(std::move(value))) {}                    // NOLINT
  Outcome(Refused refused) : refused_(std::make_unique<Refused>(std::move(refused))) {}  // NOLINT
  Outcome(Error error) : error_(std::make_unique<Error>(std::move(error))) {}            // NOLINT

  bool is_refused() const { return refused_ != nullptr; }
  bool is_error() const { return error_ != nullptr; }
  // Require: that one.
  T&& value() && { return std::move(*value_); }
  Refused&& refused() && { return std::move(*refused_); }
  Error&& error() && { return std::move(*error_); }

 private:
  std::unique_ptr<T> value_;
  std::unique_ptr<Refused> refused_;
  std::unique_ptr<Error> error_;
};

// Within a work: the value, or what else it is to the caller.
//   FW_ACCEPT(const SeenRoom seen, FindPlace(db, kind, id, user, needs));
#define FW_ACCEPT(declaration, expression) \
  FW_ACCEPT_NAMED_(FW_CONCAT_(fw_outcome_, __LINE__), declaration, expression)
#define FW_ACCEPT_NAMED_(name, declaration, expression)    \
  auto name = (expression);                                \
  if (name.is_refused()) return std::move(name).refused(); \
  if (name.is_error()) return std::move(name).error();     \
  declaration = std::move(name).value()

// The answer where a work failed.
void FailWith(server::Call& call, const Error& error);

template <class T>
using Work = std::function<Outcome<T>(store::Connection&)>;
template <class T>
using Then = std::function<void(server::Call&, T)>;

template <class T>
std::function<Result<Outcome<T>>(store::Connection&)> ForStore(Work<T> work) {
  return [work = std::move(work)](store::Connection& db) -> Result<Outcome<T>> {
    Outcome<T> outcome = work(db);
    if (outcome.is_error()) return std::move(outcome).error();
    return outcome;
  };
}

// Nothing happens where the services are gone: the database tells of what was under way.
template <class T>
std::function<void(Result<Outcome<T>>)> Answering(const Services& services, server::CallRef call,
                                                  Then<T> then) {
  return [alive = std::weak_ptr(services.alive), call = std::move(call),
          then = std::move(then)](Result<Outcome<T>> result) {
    if (alive.expired()) return;
    if (!result.ok()) return FailWith(*call, result.error());
    if (result->is_refused()) return call->Fail(std::move(*result).refused().problem);
    then(*call, std::move(*result).value());
  };
}

template <class T>
void Read(const Services& services, server::CallRef call, Work<T> work, Then<T> then) {
  services.database.Read<Outcome<T>>(ForStore(std::move(work)),
                                     Answering<T>(services, std::move(call), std::move(then)));
}

template <class T>
void Write(const Services& services, server::CallRef call, Work<T> work, Then<T> then) {
  services.database.Write<Outcome<T>>(ForStore(std::move(work)),
                                      Answering<T>(services, std::move(call), std::move(then)));
}

}  // namespace framewall::backend::api
