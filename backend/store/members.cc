#include "backend/store/members.h"

namespace framewall::backend::store {
namespace {

Member ReadRow(const Statement& row) {
  Member member;
  member.user = Person{row.Text(0), row.Text(1), row.Text(2)};
  const std::string state = row.Text(3);
  member.state = state == "owner"    ? Membership::kOwner
                 : state == "member" ? Membership::kMember
                                     : Membership::kInvited;
  member.invited_by = row.Text(4);
  member.since = row.Integer(5);
  return member;
}

#define FW_MEMBER_SELECT                                                \
  "SELECT u.id, u.name, u.display_name, m.state, m.invited_by, m.since" \
  " FROM members m JOIN users u ON u.id = m.user"

Result<bool> OneRow(Statement& change) {
  FW_ASSIGN(const int64_t changed, change.Run());
  return changed > 0;
}

}  // namespace

Result<std::optional<Member>> FindMember(Connection& db, std::string_view room,
                                         std::string_view user) {
  Statement select = db.Prepare(FW_MEMBER_SELECT " WHERE m.room = ? AND m.user = ?");
  select.Bind(1, room).Bind(2, user);
  FW_ASSIGN(const bool row, select.Step());
  if (!row) return std::optional<Member>();
  return std::optional(ReadRow(select));
}

Result<std::vector<Member>> ListMembers(Connection& db, std::string_view room,
                                        std::string_view behind, int64_t limit) {
  Statement select =
      db.Prepare(FW_MEMBER_SELECT " WHERE m.room = ? AND m.user > ? ORDER BY m.user LIMIT ?");
  select.Bind(1, room).Bind(2, behind).Bind(3, limit);
  std::vector<Member> members;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return members;
    members.push_back(ReadRow(select));
  }
}

Result<std::vector<std::string>> ListMemberIds(Connection& db, std::string_view room) {
  Statement select = db.Prepare("SELECT user FROM members WHERE room = ? ORDER BY user");
  select.Bind(1, room);
  std::vector<std::string> ids;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return ids;
    ids.push_back(select.Text(0));
  }
}

Result<int64_t> CountMembers(Connection& db, std::string_view room) {
  Statement count = db.Prepare("SELECT count(*) FROM members WHERE room = ?");
  count.Bind(1, room);
  FW_TRY(count.Step());
  return count.Integer(0);
}

Result<bool> InviteMember(Connection& db, std::string_view room, std::string_view user,
                          std::string_view by, int64_t now) {
  Statement insert = db.Prepare(
      "INSERT INTO members (room, user, state, invited_by, since) VALUES (?, ?, 'invited', ?, ?)"
      " ON CONFLICT DO NOTHING");
  insert.Bind(1, room).Bind(2, user).Bind(3, by).Bind(4, now);
  return OneRow(insert);
}

Result<bool> AcceptInvitation(Connection& db, std::string_view room, std::string_view user,
                              int64_t now) {
  Statement update = db.Prepare(
      "UPDATE members SET state = 'member', since = ?"
      " WHERE room = ? AND user = ? AND state = 'invited'");
  update.Bind(1, now).Bind(2, room).Bind(3, user);
  return OneRow(update);
}

Result<bool> AddMember(Connection& db, std::string_view room, std::string_view user, int64_t now) {
  Statement insert = db.Prepare(
      "INSERT INTO members (room, user, state, since) VALUES (?, ?, 'member', ?)"
      " ON CONFLICT DO UPDATE SET state = 'member', since = excluded.since"
      " WHERE state = 'invited'");
  insert.Bind(1, room).Bind(2, user).Bind(3, now);
  return OneRow(insert);
}

Result<bool> RemoveMember(Connection& db, std::string_view room, std::string_view user) {
  Statement remove =
      db.Prepare("DELETE FROM members WHERE room = ? AND user = ? AND state != 'owner'");
  remove.Bind(1, room).Bind(2, user);
  return OneRow(remove);
}

}  // namespace framewall::backend::store
