#include "backend/store/idempotency.h"

namespace framewall::backend::store {

Result<std::optional<SavedAnswer>> FindSavedAnswer(Connection& db, std::string_view user,
                                                   std::string_view key, int64_t not_before) {
  Statement select = db.Prepare(
      "SELECT operation, request, status, body, created FROM idempotency"
      " WHERE user = ? AND key = ? AND created >= ?");
  select.Bind(1, user).Bind(2, key).Bind(3, not_before);
  FW_ASSIGN(const bool row, select.Step());
  if (!row) return std::optional<SavedAnswer>();
  return std::optional(SavedAnswer{.user = std::string(user),
                                   .key = std::string(key),
                                   .operation = select.Text(0),
                                   .request = select.Text(1),
                                   .status = select.Integer(2),
                                   .body = select.Text(3),
                                   .created = select.Integer(4)});
}

Status InsertSavedAnswer(Connection& db, const SavedAnswer& answer, int64_t not_before) {
  {
    Statement remove =
        db.Prepare("DELETE FROM idempotency WHERE user = ? AND key = ? AND created < ?");
    remove.Bind(1, answer.user).Bind(2, answer.key).Bind(3, not_before);
    FW_TRY(remove.Run());
  }
  Statement insert = db.Prepare(
      "INSERT INTO idempotency (user, key, operation, request, status, body, created)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(1, answer.user)
      .Bind(2, answer.key)
      .Bind(3, answer.operation)
      .BindBlob(4, answer.request)
      .Bind(5, answer.status)
      .Bind(6, answer.body)
      .Bind(7, answer.created);
  FW_TRY(insert.Run());
  return {};
}

Result<int64_t> ExpireSavedAnswers(Connection& db, int64_t before, int64_t limit) {
  Statement remove = db.Prepare(
      "DELETE FROM idempotency WHERE (user, key) IN"
      " (SELECT user, key FROM idempotency WHERE created < ? ORDER BY created LIMIT ?)");
  remove.Bind(1, before).Bind(2, limit);
  return remove.Run();
}

}  // namespace framewall::backend::store
