// Who is in a room: its owner, members, and those who are invited.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/people.h"
#include "backend/store/rooms.h"

namespace framewall::backend::store {

struct Member {
  Person user;
  Membership state = Membership::kNone;
  std::string invited_by;  // user id; empty: came by himself, or it is his
  int64_t since = 0;
};

Result<std::optional<Member>> FindMember(Connection& db, std::string_view room,
                                         std::string_view user);
// By user id, those behind `behind`; the invited too.
Result<std::vector<Member>> ListMembers(Connection& db, std::string_view room,
                                        std::string_view behind, int64_t limit);
// The invited too: ids, and how many.
Result<std::vector<std::string>> ListMemberIds(Connection& db, std::string_view room);
Result<int64_t> CountMembers(Connection& db, std::string_view room);

// True where the user is invited now; false where he was invited or a member already. kRefused
// where there is no such user.
Result<bool> InviteMember(Connection& db, std::string_view room, std::string_view user,
                          std::string_view by, int64_t now);
// True where an invitation was accepted; false where there was none.
Result<bool> AcceptInvitation(Connection& db, std::string_view room, std::string_view user,
                              int64_t now);
// For public rooms: true where the user is a member now, also from an invitation; false where he
// was one already. Whether the room is public is the caller's question.
Result<bool> AddMember(Connection& db, std::string_view room, std::string_view user, int64_t now);
// Leaving, removing, declining and taking an invitation back. False where there was nothing to
// remove; an owner is never removed.
Result<bool> RemoveMember(Connection& db, std::string_view room, std::string_view user);

}  // namespace framewall::backend::store
