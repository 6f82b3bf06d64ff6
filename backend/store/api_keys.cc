#include "backend/store/api_keys.h"

#include "proxy/base/text.h"

namespace framewall::backend::store {
namespace {

#define FW_KEY_COLUMNS                                                           \
  "api_keys.id, api_keys.user, api_keys.name, api_keys.hint, api_keys.service, " \
  "api_keys.scopes, api_keys.created, api_keys.expires, api_keys.last_used"

ApiKey KeyOfRow(const Statement& row) {
  ApiKey key;
  key.id = row.Text(0);
  key.user = row.Text(1);
  key.name = row.Text(2);
  key.hint = row.Text(3);
  key.service = row.Integer(4) != 0;
  const std::string scopes = row.Text(5);
  for (const std::string_view scope : Split(scopes, ' ')) {
    if (!scope.empty()) key.scopes.emplace_back(scope);
  }
  key.created = row.Integer(6);
  key.expires = row.Integer(7);
  key.last_used = row.Integer(8);
  return key;
}

}  // namespace

Status InsertApiKey(Connection& db, const ApiKey& key) {
  std::string scopes;
  for (const std::string& scope : key.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  Statement insert = db.Prepare(
      "INSERT INTO api_keys (id, user, name, hash, hint, service, scopes, created, expires) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(1, key.id)
      .Bind(2, key.user)
      .Bind(3, key.name)
      .BindBlob(4, key.hash)
      .Bind(5, key.hint)
      .Bind(6, int64_t{key.service})
      .Bind(7, scopes)
      .Bind(8, key.created);
  if (key.expires == 0) {
    insert.BindNull(9);
  } else {
    insert.Bind(9, key.expires);
  }
  FW_TRY(insert.Run());
  return OkStatus();
}

Result<std::optional<KeyOwner>> FindApiKey(Connection& db, std::string_view hash, int64_t now) {
  KeyOwner found;
  {
    Statement select = db.Prepare("SELECT " FW_KEY_COLUMNS
                                  " FROM api_keys WHERE hash = ? AND revoked IS NULL "
                                  "AND (expires IS NULL OR expires > ?)");
    select.BindBlob(1, hash).Bind(2, now);
    FW_ASSIGN(const bool is_there, select.Step());
    if (!is_there) return std::optional<KeyOwner>();
    found.key = KeyOfRow(select);
  }
  FW_ASSIGN(std::optional<User> user, FindUser(db, found.key.user));
  if (!user || user->locked) return std::optional<KeyOwner>();
  found.user = std::move(*user);
  return std::optional<KeyOwner>(std::move(found));
}

Result<std::vector<ApiKey>> ListApiKeys(Connection& db, std::string_view user, bool services_too,
                                        std::string_view after, int64_t limit) {
  Statement select = db.Prepare("SELECT " FW_KEY_COLUMNS
                                " FROM api_keys WHERE (user = ? OR (service = 1 AND ? = 1)) "
                                "AND revoked IS NULL AND id > ? ORDER BY id LIMIT ?");
  select.Bind(1, user).Bind(2, int64_t{services_too}).Bind(3, after).Bind(4, limit);
  std::vector<ApiKey> keys;
  for (;;) {
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return keys;
    keys.push_back(KeyOfRow(select));
  }
}

Result<int64_t> CountApiKeys(Connection& db, std::string_view user) {
  Statement select = db.Prepare("SELECT count(*) FROM api_keys WHERE user = ? AND revoked IS NULL");
  select.Bind(1, user);
  FW_TRY(select.Step());
  return select.Integer(0);
}

Result<std::optional<std::string>> RevokeApiKey(Connection& db, std::string_view id,
                                                std::string_view user, bool services_too,
                                                int64_t now) {
  std::string owner;
  {
    Statement select = db.Prepare(
        "SELECT user FROM api_keys WHERE id = ? AND (user = ? OR (service = 1 AND ? = 1)) "
        "AND revoked IS NULL");
    select.Bind(1, id).Bind(2, user).Bind(3, int64_t{services_too});
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return std::optional<std::string>();
    owner = select.Text(0);
  }
  Statement update = db.Prepare("UPDATE api_keys SET revoked = ? WHERE id = ?");
  update.Bind(1, now).Bind(2, id);
  FW_TRY(update.Run());
  return std::optional<std::string>(std::move(owner));
}

Status TouchApiKey(Connection& db, std::string_view id, int64_t now) {
  Statement update = db.Prepare("UPDATE api_keys SET last_used = ? WHERE id = ?");
  update.Bind(1, now).Bind(2, id);
  FW_TRY(update.Run());
  return OkStatus();
}

#undef FW_KEY_COLUMNS

}  // namespace framewall::backend::store
