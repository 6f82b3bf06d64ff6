// Conversations of one user with a model: create, list, get, change, delete. Their messages are in
// message_routes.cc.
#include <string>
#include <vector>

#include "backend/api/handlers.h"
#include "backend/api/nodes.h"
#include "backend/api/once.h"
#include "backend/api/place_change.h"
#include "backend/api/places.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"

namespace framewall::backend::api {
namespace {

Refused TooMany(int64_t limit) {
  return Refused(
      {.status = 409,
       .code = "too_many_conversations",
       .detail = "There are " + std::to_string(limit) + " of them already; delete one first.",
       .fields = {}});
}

void Create(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<NewConversation>(call, [&services](Body& body) {
    NewConversation read = ReadNewConversation(body);
    CheckAssistant(body, read.assistant, services.models);
    return read;
  });
  if (!asked) return;
  store::Room room;
  room.kind = RoomKind::kConversation;
  room.name = asked->name;
  room.owner = call->identity().user;
  room.assistant =
      asked->assistant ? asked->assistant->value_or("") : services.live.default_model();
  const int64_t most = services.live.conversations_per_user();
  MakeOnce<Done>(
      services, call, "createConversation",
      [room, most](store::Connection& db) mutable -> Outcome<MadeWith<Done>> {
        FW_ASSIGN(const int64_t count, store::CountRooms(db, room.kind, room.owner));
        if (count >= most) return TooMany(most);
        room.id = NewId();
        room.created = room.changed = UnixMilliseconds();
        FW_TRY(store::InsertRoom(db, room));
        const SeenRoom seen{room, store::Membership::kOwner};
        return MadeWith<Done>{{.status = 201, .body = ConversationNode(seen).Text()}, Done()};
      },
      [](server::Call& answer, MadeWith<Done> made) {
        AnswerMade(answer, std::move(made.made), "id");
      });
}

void List(const Services& services, const server::CallRef& call) {
  const std::string list = "conversations";
  Query query(*call);
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  if (!Accepted(*call, query)) return;
  using Found = std::vector<SeenRoom>;
  Read<Found>(
      services, call,
      [page, user = call->identity().user](store::Connection& db) -> Outcome<Found> {
        FW_ASSIGN(Found found, store::ListRooms(db, store::RoomList::kConversations, user,
                                                page.behind, RowsFor(page)));
        return found;
      },
      [page, list](server::Call& answer, const Found& found) {
        answer.Answer(200, ToPage(found, page, list, ConversationNode,
                                  [](const SeenRoom& seen) { return seen.room.id; }));
      });
}

void Get(const Services& services, const server::CallRef& call) {
  Read<SeenRoom>(
      services, call,
      [id = std::string(call->Parameter("conversation")),
       user = call->identity().user](store::Connection& db) {
        return FindPlace(db, RoomKind::kConversation, id, user, Needs::kOwner);
      },
      [](server::Call& answer, const SeenRoom& seen) {
        answer.Answer(200, ConversationNode(seen));
      });
}

void Change(const Services& services, const server::CallRef& call) {
  ChangePlace(services, call, RoomKind::kConversation);
}

void Delete(const Services& services, const server::CallRef& call) {
  Write<SeenRoom>(
      services, call,
      [id = std::string(call->Parameter("conversation")),
       user = call->identity().user](store::Connection& db) -> Outcome<SeenRoom> {
        FW_ACCEPT(SeenRoom seen, FindPlace(db, RoomKind::kConversation, id, user, Needs::kOwner));
        const auto deleted = store::DeleteRoom(db, id, UnixMilliseconds());
        if (!deleted.ok()) return deleted.error();
        return seen;
      },
      [&services](server::Call& answer, const SeenRoom& seen) {
        services.announcer.RoomDeleted(seen.room, {seen.room.owner});
        AnswerNothing(answer);
      });
}

}  // namespace

void AddConversationRoutes(RouteList& routes, const Services& services) {
  using Object = server::Access::Object;
  constexpr std::string_view kAll = "/api/v1/conversations";
  constexpr std::string_view kOne = "/api/v1/conversations/{conversation}";
  const server::Access read = UserAccess(Object::kOwner, "conversations:read");
  const server::Access write = UserAccess(Object::kOwner, "conversations:write");
  AddRow(routes, services, {"POST", kAll, "createConversation", write, Create});
  AddRow(routes, services, {"GET", kAll, "listConversations", read, List});
  AddRow(routes, services, {"GET", kOne, "getConversation", read, Get});
  AddRow(routes, services, {"PATCH", kOne, "changeConversation", write, Change});
  AddRow(routes, services, {"DELETE", kOne, "deleteConversation", write, Delete});
}

}  // namespace framewall::backend::api
