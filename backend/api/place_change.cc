#include "backend/api/place_change.h"

#include <string>

#include "backend/api/handlers.h"
#include "backend/api/nodes.h"
#include "backend/api/outcome.h"
#include "backend/base/time.h"

namespace framewall::backend::api {

void ChangePlace(const Services& services, const server::CallRef& call, RoomKind kind) {
  const bool is_room = kind == RoomKind::kRoom;
  const auto asked = ReadBody<RoomChange>(
      call,
      [&services, is_room](Body& body) {
        RoomChange read = is_room ? ReadRoomChange(body) : ReadConversationChange(body);
        CheckAssistant(body, read.assistant, services.models);
        return read;
      },
      Body::Members::kAtLeastOne);
  if (!asked) return;
  store::RoomChange change;
  change.name = asked->name;
  change.is_public = asked->is_public;
  if (asked->assistant) change.assistant = asked->assistant->value_or("");
  Write<SeenRoom>(
      services, call,
      [kind, id = std::string(call->Parameter(ParameterOf(kind))), user = call->identity().user,
       change](store::Connection& db) -> Outcome<SeenRoom> {
        FW_ACCEPT([[maybe_unused]] const SeenRoom before,
                  FindPlace(db, kind, id, user, Needs::kOwner));
        const auto changed = store::ChangeRoom(db, id, change, UnixMilliseconds());
        if (!changed.ok()) return changed.error();
        return FindPlace(db, kind, id, user, Needs::kOwner);
      },
      [&services, is_room](server::Call& answer, const SeenRoom& seen) {
        services.announcer.RoomChanged(seen.room);
        answer.Answer(200, is_room ? RoomNode(seen) : ConversationNode(seen));
      });
}

}  // namespace framewall::backend::api
