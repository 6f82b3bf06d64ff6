#include "backend/store/users.h"

namespace framewall::backend::store {
namespace {

#define FW_USER_COLUMNS \
  "id, name, display_name, password, must_change_password, role, locked, created, changed"

User UserOfRow(const Statement& row) {
  User user;
  user.id = row.Text(0);
  user.name = row.Text(1);
  user.display_name = row.Text(2);
  user.password = row.Text(3);
  user.must_change_password = row.Integer(4) != 0;
  user.role = row.Text(5) == RoleName(Role::kAdmin) ? Role::kAdmin : Role::kUser;
  user.locked = row.Integer(6) != 0;
  user.created = row.Integer(7);
  user.changed = row.Integer(8);
  return user;
}

Result<std::optional<User>> FirstUser(Statement& select) {
  FW_ASSIGN(const bool found, select.Step());
  if (!found) return std::optional<User>();
  return std::optional<User>(UserOfRow(select));
}

}  // namespace

Status InsertUser(Connection& db, const User& user) {
  Statement insert =
      db.Prepare("INSERT INTO users (" FW_USER_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(1, user.id)
      .Bind(2, user.name)
      .Bind(3, user.display_name)
      .Bind(4, user.password)
      .Bind(5, int64_t{user.must_change_password})
      .Bind(6, RoleName(user.role))
      .Bind(7, int64_t{user.locked})
      .Bind(8, user.created)
      .Bind(9, user.changed);
  FW_TRY(insert.Run());
  return OkStatus();
}

Result<std::optional<User>> FindUser(Connection& db, std::string_view id) {
  Statement select = db.Prepare("SELECT " FW_USER_COLUMNS " FROM users WHERE id = ?");
  select.Bind(1, id);
  return FirstUser(select);
}

Result<std::optional<User>> FindUserByName(Connection& db, std::string_view name) {
  Statement select = db.Prepare("SELECT " FW_USER_COLUMNS " FROM users WHERE name = ?");
  select.Bind(1, name);
  return FirstUser(select);
}

Result<std::vector<User>> ListUsers(Connection& db, std::string_view after, int64_t limit) {
  Statement select =
      db.Prepare("SELECT " FW_USER_COLUMNS " FROM users WHERE id > ? ORDER BY id LIMIT ?");
  select.Bind(1, after).Bind(2, limit);
  std::vector<User> users;
  for (;;) {
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return users;
    users.push_back(UserOfRow(select));
  }
}

Result<int64_t> SetPassword(Connection& db, std::string_view id, std::string_view hash,
                            bool must_change, int64_t now) {
  Statement update = db.Prepare(
      "UPDATE users SET password = ?, must_change_password = ?, changed = ? WHERE id = ?");
  update.Bind(1, hash).Bind(2, int64_t{must_change}).Bind(3, now).Bind(4, id);
  return update.Run();
}

Result<int64_t> SetLocked(Connection& db, std::string_view id, bool locked, int64_t now) {
  Statement update = db.Prepare("UPDATE users SET locked = ?, changed = ? WHERE id = ?");
  update.Bind(1, int64_t{locked}).Bind(2, now).Bind(3, id);
  return update.Run();
}

Result<int64_t> SetRole(Connection& db, std::string_view id, Role role, int64_t now) {
  Statement update = db.Prepare("UPDATE users SET role = ?, changed = ? WHERE id = ?");
  update.Bind(1, RoleName(role)).Bind(2, now).Bind(3, id);
  return update.Run();
}

Result<int64_t> SetDisplayName(Connection& db, std::string_view id, std::string_view display_name,
                               int64_t now) {
  Statement update = db.Prepare("UPDATE users SET display_name = ?, changed = ? WHERE id = ?");
  update.Bind(1, display_name).Bind(2, now).Bind(3, id);
  return update.Run();
}

Result<int64_t> CountAdmins(Connection& db, std::string_view other_than) {
  Statement select =
      db.Prepare("SELECT count(*) FROM users WHERE role = 'admin' AND locked = 0 AND id <> ?");
  select.Bind(1, other_than);
  FW_TRY(select.Step());
  return select.Integer(0);
}

Result<int64_t> CountAdminsAndLocked(Connection& db) {
  Statement select = db.Prepare("SELECT count(*) FROM users WHERE role = 'admin'");
  FW_TRY(select.Step());
  return select.Integer(0);
}

#undef FW_USER_COLUMNS

}  // namespace framewall::backend::store
