// What was answered to a request that may come again (Idempotency-Key). Saved by the transaction
// that made what the answer tells of, so that both are there or neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backend/store/database.h"

namespace framewall::backend::store {

// So long it is kept; then it is removed (housekeeping.h).
inline constexpr int64_t kSavedAnswerMilliseconds = int64_t{24} * 3600 * 1000;

struct SavedAnswer {
  std::string user;
  std::string key;
  std::string operation;
  std::string request;  // SHA-256 of the body
  int64_t status = 0;
  std::string body;
  int64_t created = 0;
};

// Nothing where there is none, or it is from before `not_before`.
Result<std::optional<SavedAnswer>> FindSavedAnswer(Connection& db, std::string_view user,
                                                   std::string_view key, int64_t not_before);
// In place of one that is older than `not_before`; kRefused where there is a younger one.
Status InsertSavedAnswer(Connection& db, const SavedAnswer& answer, int64_t not_before);
// Removes at most `limit` that are older than `before`; how many.
Result<int64_t> ExpireSavedAnswers(Connection& db, int64_t before, int64_t limit);

}  // namespace framewall::backend::store
