#include "backend/api/places.h"

#include <utility>

#include "backend/base/id.h"

namespace framewall::backend::api {

Outcome<SeenRoom> FindPlace(store::Connection& db, RoomKind kind, std::string_view id,
                            std::string_view user, Needs needs) {
  if (!IsId(id)) return Refused(NotFound());
  FW_ASSIGN(std::optional<SeenRoom> found, store::FindRoom(db, id, user));
  if (!found || found->room.kind != kind || !found->visible()) return Refused(NotFound());
  if (kind == RoomKind::kConversation && !found->is_owner()) return Refused(NotFound());
  if (needs >= Needs::kMember && !found->is_member()) {
    return Refused(Problem{
        .status = 403, .code = "not_member", .detail = "Join the room first.", .fields = {}});
  }
  if (needs == Needs::kOwner && !found->is_owner()) {
    return Refused(Problem{.status = 403,
                           .code = "forbidden",
                           .detail = "Only the owner of the room may do this.",
                           .fields = {}});
  }
  return *std::move(found);
}

std::string_view ParameterOf(RoomKind kind) {
  return kind == RoomKind::kRoom ? "room" : "conversation";
}

std::string PathOf(RoomKind kind, std::string_view id) {
  return (kind == RoomKind::kRoom ? "/api/v1/rooms/" : "/api/v1/conversations/") + std::string(id);
}

}  // namespace framewall::backend::api
