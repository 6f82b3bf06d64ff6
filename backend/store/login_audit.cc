#include "backend/store/login_audit.h"

namespace framewall::backend::store {

Status InsertLogin(Connection& db, const LoginRecord& record) {
  Statement insert = db.Prepare(
      "INSERT INTO login_audit (at, name, user, address, outcome) VALUES (?, ?, ?, ?, ?)");
  insert.Bind(1, record.at).Bind(2, record.name);
  if (record.user.empty()) {
    insert.BindNull(3);
  } else {
    insert.Bind(3, record.user);
  }
  insert.Bind(4, record.address).Bind(5, record.outcome);
  FW_TRY(insert.Run());
  return OkStatus();
}

Result<std::vector<LoginRecord>> ListLogins(Connection& db, std::string_view user, int64_t before,
                                            int64_t limit) {
  Statement select = db.Prepare(
      "SELECT id, at, name, user, address, outcome FROM login_audit "
      "WHERE user = ? AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?");
  select.Bind(1, user).Bind(2, before).Bind(3, before).Bind(4, limit);
  std::vector<LoginRecord> records;
  for (;;) {
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return records;
    records.push_back({select.Integer(0), select.Integer(1), select.Text(2), select.Text(3),
                       select.Text(4), select.Text(5)});
  }
}

Result<bool> HasLoggedInFrom(Connection& db, std::string_view user, std::string_view address,
                             int64_t since) {
  Statement select = db.Prepare(
      "SELECT 1 FROM login_audit "
      "WHERE user = ? AND address = ? AND outcome = 'success' AND at >= ? LIMIT 1");
  select.Bind(1, user).Bind(2, address).Bind(3, since);
  return select.Step();
}

Result<int64_t> CleanLogins(Connection& db, int64_t before, int64_t most) {
  int64_t rows = 0;
  {
    Statement old = db.Prepare("DELETE FROM login_audit WHERE at < ?");
    old.Bind(1, before);
    FW_ASSIGN(const int64_t count, old.Run());
    rows += count;
  }
  Statement many =
      db.Prepare("DELETE FROM login_audit WHERE id <= (SELECT max(id) FROM login_audit) - ?");
  many.Bind(1, most);
  FW_ASSIGN(const int64_t count, many.Run());
  return rows + count;
}

}  // namespace framewall::backend::store
