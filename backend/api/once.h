// Things that are made once, however often the request comes: Idempotency-Key (a field of POST;
// draft-ietf-httpapi-idempotency-key-header). The key belongs to a user and is kept 24 hours.
//
// The answer is stored in the transaction that makes the thing. Writes run one after the other, so
// a request that comes while the first is under way waits for it and gets its answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "backend/api/outcome.h"
#include "backend/base/time.h"
#include "backend/server/call.h"
#include "backend/store/database.h"

namespace framewall::backend::api {

inline constexpr size_t kIdempotencyKeyLimit = 128;                     // octets
inline constexpr int64_t kIdempotencyTime = int64_t{24} * 3600 * 1000;  // milliseconds

// What the client is answered.
struct Made {
  int status = 201;
  std::string body;  // a JSON object
};

// What a work made: its answer, and `extra` for whoever goes on with it on the loop.
template <class Extra>
struct MadeWith {
  Made made;
  // Nothing: it was made by an earlier request, whose answer `made` is.
  std::optional<Extra> extra;
};

struct IdempotencyKey {
  std::string user;
  std::string key;        // empty: the request has none
  std::string operation;  // with what stands in its path
  std::string request;    // SHA-256 of the body
};

// Of the call; a refusal where the field is none (400).
std::variant<IdempotencyKey, Refused> ReadIdempotencyKey(const server::Call& call,
                                                         std::string_view operation);

// The stored answer, nothing for a new key, or a refusal where the key stands for something else
// (422).
Outcome<std::optional<Made>> FindMade(store::Connection& db, const IdempotencyKey& key,
                                      int64_t now);
Status KeepMade(store::Connection& db, const IdempotencyKey& key, const Made& made, int64_t now);

// With a Location: the path of the request and what `name` is in the body ("id", "number").
void AnswerMade(server::Call& call, Made made, std::string_view name);

// `then` is called on the loop, whether it was made now or before; it answers the call.
template <class Extra>
void MakeOnce(const Services& services, const server::CallRef& call, std::string_view operation,
              Work<MadeWith<Extra>> work, Then<MadeWith<Extra>> then) {
  auto read = ReadIdempotencyKey(*call, operation);
  if (const Refused* const refused = std::get_if<Refused>(&read)) {
    return call->Fail(refused->problem);
  }
  const IdempotencyKey key = std::get<IdempotencyKey>(std::move(read));
  if (key.key.empty())
    return Write<MadeWith<Extra>>(services, call, std::move(work), std::move(then));
  Write<MadeWith<Extra>>(
      services, call,
      [key, work = std::move(work)](store::Connection& db) -> Outcome<MadeWith<Extra>> {
        const int64_t now = UnixMilliseconds();
        FW_ACCEPT(std::optional<Made> before, FindMade(db, key, now));
        if (before) return MadeWith<Extra>{*std::move(before), std::nullopt};
        FW_ACCEPT(MadeWith<Extra> made, work(db));
        FW_TRY(KeepMade(db, key, made.made, now));
        return made;
      },
      std::move(then));
}

}  // namespace framewall::backend::api
