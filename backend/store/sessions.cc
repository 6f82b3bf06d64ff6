#include "backend/store/sessions.h"

namespace framewall::backend::store {
namespace {

Status InsertToken(Connection& db, std::string_view hash, std::string_view session, int64_t now) {
  Statement insert =
      db.Prepare("INSERT INTO refresh_tokens (hash, session, created) VALUES (?, ?, ?)");
  insert.BindBlob(1, hash).Bind(2, session).Bind(3, now);
  FW_TRY(insert.Run());
  return OkStatus();
}

}  // namespace

Status InsertSession(Connection& db, const Session& session, std::string_view token_hash) {
  {
    Statement insert = db.Prepare(
        "INSERT INTO sessions (id, user, created, expires, last_used, address, user_agent) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert.Bind(1, session.id)
        .Bind(2, session.user)
        .Bind(3, session.created)
        .Bind(4, session.expires)
        .Bind(5, session.last_used)
        .Bind(6, session.address)
        .Bind(7, session.user_agent);
    FW_TRY(insert.Run());
  }
  return InsertToken(db, token_hash, session.id, session.created);
}

Result<Refresh> UseRefreshToken(Connection& db, std::string_view old_hash,
                                std::string_view new_hash, int64_t now, int64_t expires) {
  Refresh refresh;
  std::string user;
  bool was_used = false;
  {
    Statement select = db.Prepare(
        "SELECT sessions.id, sessions.user, refresh_tokens.used FROM refresh_tokens "
        "JOIN sessions ON sessions.id = refresh_tokens.session "
        "WHERE hash = ? AND sessions.ended IS NULL AND sessions.expires > ?");
    select.BindBlob(1, old_hash).Bind(2, now);
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return refresh;
    refresh.session = select.Text(0);
    user = select.Text(1);
    was_used = !select.IsNull(2);
  }
  FW_ASSIGN(refresh.user, FindUser(db, user));
  if (was_used || !refresh.user || refresh.user->locked) {
    FW_TRY(EndSession(db, refresh.session, was_used ? "reuse" : "lock", now));
    refresh.outcome = was_used ? Refresh::Outcome::kReused : Refresh::Outcome::kLocked;
    return refresh;
  }
  {
    Statement update = db.Prepare("UPDATE refresh_tokens SET used = ? WHERE hash = ?");
    update.Bind(1, now).BindBlob(2, old_hash);
    FW_TRY(update.Run());
  }
  FW_TRY(InsertToken(db, new_hash, refresh.session, now));
  Statement update = db.Prepare("UPDATE sessions SET last_used = ?, expires = ? WHERE id = ?");
  update.Bind(1, now).Bind(2, expires).Bind(3, refresh.session);
  FW_TRY(update.Run());
  refresh.outcome = Refresh::Outcome::kDone;
  return refresh;
}

Result<bool> EndSession(Connection& db, std::string_view id, std::string_view reason, int64_t now) {
  Statement update =
      db.Prepare("UPDATE sessions SET ended = ?, end_reason = ? WHERE id = ? AND ended IS NULL");
  update.Bind(1, now).Bind(2, reason).Bind(3, id);
  FW_ASSIGN(const int64_t changed, update.Run());
  return changed > 0;
}

Result<std::vector<std::string>> EndSessionsOf(Connection& db, std::string_view user,
                                               std::string_view reason, int64_t now,
                                               std::string_view except) {
  std::vector<std::string> ids;
  {
    Statement select =
        db.Prepare("SELECT id FROM sessions WHERE user = ? AND ended IS NULL AND id <> ?");
    select.Bind(1, user).Bind(2, except);
    for (;;) {
      FW_ASSIGN(const bool found, select.Step());
      if (!found) break;
      ids.push_back(select.Text(0));
    }
  }
  Statement update = db.Prepare(
      "UPDATE sessions SET ended = ?, end_reason = ? "
      "WHERE user = ? AND ended IS NULL AND id <> ?");
  update.Bind(1, now).Bind(2, reason).Bind(3, user).Bind(4, except);
  FW_TRY(update.Run());
  return ids;
}

Result<std::string> SessionOfToken(Connection& db, std::string_view hash) {
  Statement select = db.Prepare("SELECT session FROM refresh_tokens WHERE hash = ?");
  select.BindBlob(1, hash);
  FW_ASSIGN(const bool found, select.Step());
  return found ? select.Text(0) : std::string();
}

Result<std::vector<EndedSession>> SessionsEndedSince(Connection& db, int64_t since) {
  Statement select = db.Prepare("SELECT id, ended FROM sessions WHERE ended >= ?");
  select.Bind(1, since);
  std::vector<EndedSession> sessions;
  for (;;) {
    FW_ASSIGN(const bool found, select.Step());
    if (!found) return sessions;
    sessions.push_back({select.Text(0), select.Integer(1)});
  }
}

Result<int64_t> CleanSessions(Connection& db, int64_t now, int64_t ended_before,
                              int64_t used_before) {
  {
    Statement expire = db.Prepare(
        "UPDATE sessions SET ended = ?, end_reason = 'expired' "
        "WHERE ended IS NULL AND expires <= ?");
    expire.Bind(1, now).Bind(2, now);
    FW_TRY(expire.Run());
  }
  int64_t rows = 0;
  {
    Statement forget = db.Prepare(
        "DELETE FROM refresh_tokens WHERE used < ? OR session IN "
        "(SELECT id FROM sessions WHERE ended < ?)");
    forget.Bind(1, used_before).Bind(2, ended_before);
    FW_ASSIGN(const int64_t count, forget.Run());
    rows += count;
  }
  Statement forget = db.Prepare("DELETE FROM sessions WHERE ended < ?");
  forget.Bind(1, ended_before);
  FW_ASSIGN(const int64_t count, forget.Run());
  return rows + count;
}

}  // namespace framewall::backend::store
