#include "backend/store/settings_store.h"

namespace framewall::backend::store {
namespace {

StoredSetting ReadRow(const Statement& row) {
  return StoredSetting{row.Text(0), row.Text(1), row.Integer(2), row.Text(3)};
}

Status Audit(Connection& db, const SettingChange& change) {
  Statement insert = db.Prepare(
      "INSERT INTO settings_audit (at, key, user, before, after) VALUES (?, ?, ?, ?, ?)");
  insert.Bind(1, change.at).Bind(2, change.key).Bind(3, change.user).BindNull(4).BindNull(5);
  if (change.before) insert.Bind(4, *change.before);
  if (change.after) insert.Bind(5, *change.after);
  FW_TRY(insert.Run());
  return {};
}

}  // namespace

Result<std::vector<StoredSetting>> ListSettings(Connection& db) {
  Statement select =
      db.Prepare("SELECT key, value, changed, changed_by FROM settings ORDER BY key");
  std::vector<StoredSetting> settings;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return settings;
    settings.push_back(ReadRow(select));
  }
}

Result<std::optional<StoredSetting>> FindSetting(Connection& db, std::string_view key) {
  Statement select =
      db.Prepare("SELECT key, value, changed, changed_by FROM settings WHERE key = ?");
  select.Bind(1, key);
  FW_ASSIGN(const bool row, select.Step());
  if (!row) return std::optional<StoredSetting>();
  return std::optional(ReadRow(select));
}

Status SetSetting(Connection& db, const StoredSetting& setting) {
  FW_ASSIGN(const std::optional<StoredSetting> before, FindSetting(db, setting.key));
  if (before && before->value == setting.value) return {};
  Statement insert = db.Prepare(
      "INSERT INTO settings (key, value, changed, changed_by) VALUES (?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET value = excluded.value, changed = excluded.changed,"
      " changed_by = excluded.changed_by");
  insert.Bind(1, setting.key)
      .Bind(2, setting.value)
      .Bind(3, setting.changed)
      .Bind(4, setting.changed_by);
  FW_TRY(insert.Run());
  SettingChange change;
  change.at = setting.changed;
  change.key = setting.key;
  change.user = setting.changed_by;
  if (before) change.before = before->value;
  change.after = setting.value;
  return Audit(db, change);
}

Status ResetSetting(Connection& db, std::string_view key, std::string_view user, int64_t now) {
  FW_ASSIGN(const std::optional<StoredSetting> before, FindSetting(db, key));
  if (!before) return {};
  Statement remove = db.Prepare("DELETE FROM settings WHERE key = ?");
  remove.Bind(1, key);
  FW_TRY(remove.Run());
  SettingChange change;
  change.at = now;
  change.key = std::string(key);
  change.user = std::string(user);
  change.before = before->value;
  return Audit(db, change);
}

Result<std::vector<SettingChange>> ListSettingChanges(Connection& db, std::string_view key,
                                                      int64_t behind, int64_t limit) {
  Statement select =
      db.Prepare(key.empty() ? "SELECT id, at, key, user, before, after FROM settings_audit"
                               " WHERE id < ?2 AND ?1 = '' ORDER BY id DESC LIMIT ?3"
                             : "SELECT id, at, key, user, before, after FROM settings_audit"
                               " WHERE key = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
  select.Bind(1, key).Bind(2, behind == 0 ? INT64_MAX : behind).Bind(3, limit);
  std::vector<SettingChange> changes;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return changes;
    SettingChange change;
    change.position = select.Integer(0);
    change.at = select.Integer(1);
    change.key = select.Text(2);
    change.user = select.Text(3);
    if (!select.IsNull(4)) change.before = select.Text(4);
    if (!select.IsNull(5)) change.after = select.Text(5);
    changes.push_back(std::move(change));
  }
}

}  // namespace framewall::backend::store
