// Rooms of several people, and conversations of one with a model: the same thing to members and
// messages. Functions over a connection: they run in a thread of the store, inside the work of a
// Read or Write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"

namespace framewall::backend::store {

enum class RoomKind : uint8_t { kRoom, kConversation };
std::string_view RoomKindName(RoomKind kind);  // room, conversation

// What a user is in a room.
enum class Membership : uint8_t { kNone, kInvited, kMember, kOwner };
std::string_view MembershipName(Membership membership);  // "", invited, member, owner

struct Room {
  std::string id;
  RoomKind kind = RoomKind::kRoom;
  std::string name;
  std::string owner;  // user id
  bool is_public = false;
  std::string assistant;    // model; empty: none
  int64_t last_number = 0;  // of its messages
  int64_t created = 0;
  int64_t changed = 0;
};

// A room as one user finds it.
struct SeenRoom {
  Room room;
  Membership membership = Membership::kNone;

  bool is_member() const { return membership >= Membership::kMember; }
  bool is_owner() const { return membership == Membership::kOwner; }
  // To everybody else it does not exist.
  bool visible() const { return room.is_public || membership != Membership::kNone; }
};

// Its owner is a member from now on. kRefused where there is no such user.
Status InsertRoom(Connection& db, const Room& room);

// Nothing where there is none or it is deleted; whether `user` may see it is another question.
Result<std::optional<SeenRoom>> FindRoom(Connection& db, std::string_view id,
                                         std::string_view user);

enum class RoomList : uint8_t {
  kMine,           // rooms of which the user is owner or member
  kInvited,        // rooms that wait for his answer
  kPublic,         // rooms that everybody may join
  kConversations,  // his own
};
// Latest made first: those behind the id `behind` (empty: from the first).
Result<std::vector<SeenRoom>> ListRooms(Connection& db, RoomList list, std::string_view user,
                                        std::string_view behind, int64_t limit);
// How many the user owns.
Result<int64_t> CountRooms(Connection& db, RoomKind kind, std::string_view owner);

// What is missing stays as it is.
struct RoomChange {
  std::optional<std::string> name;
  std::optional<bool> is_public;
  std::optional<std::string> assistant;  // empty: none from now on
};
// False where there is no such room.
Result<bool> ChangeRoom(Connection& db, std::string_view id, const RoomChange& change, int64_t now);

// From now on nobody finds it; its messages are removed piece by piece (PurgeDeletedRooms). False
// where there is no such room.
Result<bool> DeleteRoom(Connection& db, std::string_view id, int64_t now);
// Removes at most `limit` messages of deleted rooms, and rooms without messages. How many rows
// went: 0 when there is nothing left to do.
Result<int64_t> PurgeDeletedRooms(Connection& db, int64_t limit);

}  // namespace framewall::backend::store
