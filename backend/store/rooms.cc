#include "backend/store/rooms.h"

#include "proxy/base/check.h"

namespace framewall::backend::store {
namespace {

Membership ParseMembership(std::string_view name) {
  if (name == "owner") return Membership::kOwner;
  if (name == "member") return Membership::kMember;
  if (name == "invited") return Membership::kInvited;
  return Membership::kNone;
}

SeenRoom ReadRow(const Statement& row) {
  SeenRoom seen;
  seen.room.id = row.Text(0);
  seen.room.kind = row.Text(1) == "room" ? RoomKind::kRoom : RoomKind::kConversation;
  seen.room.name = row.Text(2);
  seen.room.owner = row.Text(3);
  seen.room.is_public = row.Text(4) == "public";
  seen.room.assistant = row.Text(5);
  seen.room.last_number = row.Integer(6);
  seen.room.created = row.Integer(7);
  seen.room.changed = row.Integer(8);
  seen.membership = ParseMembership(row.Text(9));
  return seen;
}

#define FW_ROOM_COLUMNS                                                                  \
  "r.id, r.kind, r.name, r.owner, r.visibility, r.assistant, r.last_number, r.created, " \
  "r.changed, m.state"

// ?1 the user, ?2 the position, ?3 the limit. An id of '~' is behind all of them.
std::string_view ListSql(RoomList list) {
  switch (list) {
    case RoomList::kMine:
      return "SELECT " FW_ROOM_COLUMNS
             " FROM members m JOIN rooms r ON r.id = m.room"
             " WHERE m.user = ?1 AND m.room < ?2 AND m.state IN ('member', 'owner')"
             " AND r.deleted IS NULL AND r.kind = 'room' ORDER BY m.room DESC LIMIT ?3";
    case RoomList::kInvited:
      return "SELECT " FW_ROOM_COLUMNS
             " FROM members m JOIN rooms r ON r.id = m.room"
             " WHERE m.user = ?1 AND m.room < ?2 AND m.state = 'invited'"
             " AND r.deleted IS NULL AND r.kind = 'room' ORDER BY m.room DESC LIMIT ?3";
    case RoomList::kPublic:
      return "SELECT " FW_ROOM_COLUMNS
             " FROM rooms r LEFT JOIN members m ON m.room = r.id AND m.user = ?1"
             " WHERE r.deleted IS NULL AND r.visibility = 'public' AND r.kind = 'room'"
             " AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3";
    case RoomList::kConversations:
      return "SELECT " FW_ROOM_COLUMNS
             " FROM rooms r JOIN members m ON m.room = r.id AND m.user = ?1"
             " WHERE r.deleted IS NULL AND r.owner = ?1 AND r.kind = 'conversation'"
             " AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3";
  }
  FW_UNREACHABLE();
}

}  // namespace

std::string_view RoomKindName(RoomKind kind) {
  return kind == RoomKind::kRoom ? "room" : "conversation";
}

std::string_view MembershipName(Membership membership) {
  switch (membership) {
    case Membership::kNone:
      return "";
    case Membership::kInvited:
      return "invited";
    case Membership::kMember:
      return "member";
    case Membership::kOwner:
      return "owner";
  }
  return "";
}

Status InsertRoom(Connection& db, const Room& room) {
  Statement insert = db.Prepare(
      "INSERT INTO rooms (id, kind, name, owner, visibility, assistant, created, changed)"
      " VALUES (?, ?, ?, ?, ?, nullif(?, ''), ?, ?)");
  insert.Bind(1, room.id)
      .Bind(2, RoomKindName(room.kind))
      .Bind(3, room.name)
      .Bind(4, room.owner)
      .Bind(5, room.is_public ? "public" : "private")
      .Bind(6, room.assistant)
      .Bind(7, room.created)
      .Bind(8, room.changed);
  FW_TRY(insert.Run());
  Statement owner =
      db.Prepare("INSERT INTO members (room, user, state, since) VALUES (?, ?, 'owner', ?)");
  owner.Bind(1, room.id).Bind(2, room.owner).Bind(3, room.created);
  FW_TRY(owner.Run());
  return {};
}

Result<std::optional<SeenRoom>> FindRoom(Connection& db, std::string_view id,
                                         std::string_view user) {
  Statement select = db.Prepare("SELECT " FW_ROOM_COLUMNS
                                " FROM rooms r LEFT JOIN members m ON m.room = r.id AND m.user = ?2"
                                " WHERE r.id = ?1 AND r.deleted IS NULL");
  select.Bind(1, id).Bind(2, user);
  FW_ASSIGN(const bool row, select.Step());
  if (!row) return std::optional<SeenRoom>();
  return std::optional(ReadRow(select));
}

Result<std::vector<SeenRoom>> ListRooms(Connection& db, RoomList list, std::string_view user,
                                        std::string_view behind, int64_t limit) {
  Statement select = db.Prepare(ListSql(list));
  select.Bind(1, user).Bind(2, behind.empty() ? "~" : behind).Bind(3, limit);
  std::vector<SeenRoom> rooms;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return rooms;
    rooms.push_back(ReadRow(select));
  }
}

Result<int64_t> CountRooms(Connection& db, RoomKind kind, std::string_view owner) {
  Statement count =
      db.Prepare("SELECT count(*) FROM rooms WHERE owner = ? AND kind = ? AND deleted IS NULL");
  count.Bind(1, owner).Bind(2, RoomKindName(kind));
  FW_TRY(count.Step());
  return count.Integer(0);
}

Result<bool> ChangeRoom(Connection& db, std::string_view id, const RoomChange& change,
                        int64_t now) {
  // Null keeps what is there; an empty assistant becomes null.
  Statement update = db.Prepare(
      "UPDATE rooms SET name = coalesce(?2, name), visibility = coalesce(?3, visibility),"
      " assistant = CASE WHEN ?4 IS NULL THEN assistant ELSE nullif(?4, '') END, changed = ?5"
      " WHERE id = ?1 AND deleted IS NULL");
  update.Bind(1, id).BindNull(2).BindNull(3).BindNull(4).Bind(5, now);
  if (change.name) update.Bind(2, *change.name);
  if (change.is_public) update.Bind(3, *change.is_public ? "public" : "private");
  if (change.assistant) update.Bind(4, *change.assistant);
  FW_ASSIGN(const int64_t changed, update.Run());
  return changed > 0;
}

Result<bool> DeleteRoom(Connection& db, std::string_view id, int64_t now) {
  Statement update = db.Prepare("UPDATE rooms SET deleted = ? WHERE id = ? AND deleted IS NULL");
  update.Bind(1, now).Bind(2, id);
  FW_ASSIGN(const int64_t changed, update.Run());
  return changed > 0;
}

Result<int64_t> PurgeDeletedRooms(Connection& db, int64_t limit) {
  Statement messages = db.Prepare(
      "DELETE FROM messages WHERE id IN (SELECT messages.id FROM rooms"
      " JOIN messages ON messages.room = rooms.id WHERE rooms.deleted IS NOT NULL LIMIT ?)");
  messages.Bind(1, limit);
  FW_ASSIGN(const int64_t gone, messages.Run());
  if (gone >= limit) return gone;
  // What is left of them has no messages; members go along.
  Statement rooms = db.Prepare(
      "DELETE FROM rooms WHERE id IN (SELECT id FROM rooms WHERE deleted IS NOT NULL LIMIT ?)");
  rooms.Bind(1, limit - gone);
  FW_ASSIGN(const int64_t rooms_gone, rooms.Run());
  return gone + rooms_gone;
}

}  // namespace framewall::backend::store
