// Rooms of several people: create, list, get, change, delete. Who is in them: member_routes.cc;
// what is said in them: message_routes.cc.
#include <string>
#include <utility>
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
#include "backend/store/members.h"

namespace framewall::backend::api {
namespace {

Refused TooMany(int64_t limit) {
  return Refused(
      {.status = 409,
       .code = "too_many_rooms",
       .detail = "You own " + std::to_string(limit) + " rooms, and more is not allowed here.",
       .fields = {}});
}

void Create(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<NewRoom>(call, [&services](Body& body) {
    NewRoom read = ReadNewRoom(body);
    CheckAssistant(body, read.assistant, services.models);
    return read;
  });
  if (!asked) return;
  store::Room room;
  room.kind = RoomKind::kRoom;
  room.name = asked->name;
  room.owner = call->identity().user;
  room.is_public = asked->is_public;
  if (asked->assistant) room.assistant = asked->assistant->value_or("");
  const int64_t most = services.live.rooms_per_user();
  MakeOnce<store::Room>(
      services, call, "createRoom",
      [room, most](store::Connection& db) mutable -> Outcome<MadeWith<store::Room>> {
        FW_ASSIGN(const int64_t count, store::CountRooms(db, room.kind, room.owner));
        if (count >= most) return TooMany(most);
        room.id = NewId();
        room.created = room.changed = UnixMilliseconds();
        FW_TRY(store::InsertRoom(db, room));
        MadeWith<store::Room> made;
        made.made.body = RoomNode(SeenRoom{room, store::Membership::kOwner}).Text();
        made.extra = room;
        return made;
      },
      [&services](server::Call& answer, MadeWith<store::Room> made) {
        if (made.extra) services.announcer.MemberAdded(*made.extra, made.extra->owner, "added");
        AnswerMade(answer, std::move(made.made), "id");
      });
}

store::RoomList ListOf(std::string_view of) {
  if (of == "invited") return store::RoomList::kInvited;
  return of == "public" ? store::RoomList::kPublic : store::RoomList::kMine;
}

void List(const Services& services, const server::CallRef& call) {
  Query query(*call);
  const std::string of = query.Choice("of", {"mine", "invited", "public"}).value_or("mine");
  const std::string list = "rooms/" + of;
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  if (!Accepted(*call, query)) return;
  using Found = std::vector<SeenRoom>;
  Read<Found>(
      services, call,
      [page, of = ListOf(of),
       user = call->identity().user](store::Connection& db) -> Outcome<Found> {
        FW_ASSIGN(Found found, store::ListRooms(db, of, user, page.behind, RowsFor(page)));
        return found;
      },
      [page, list](server::Call& answer, const Found& found) {
        answer.Answer(200, ToPage(found, page, list, RoomNode,
                                  [](const SeenRoom& seen) { return seen.room.id; }));
      });
}

void Get(const Services& services, const server::CallRef& call) {
  Read<SeenRoom>(
      services, call,
      [id = std::string(call->Parameter("room")),
       user = call->identity().user](store::Connection& db) {
        return FindPlace(db, RoomKind::kRoom, id, user, Needs::kSight);
      },
      [](server::Call& answer, const SeenRoom& seen) { answer.Answer(200, RoomNode(seen)); });
}

void Change(const Services& services, const server::CallRef& call) {
  ChangePlace(services, call, RoomKind::kRoom);
}

struct Deleted {
  store::Room room;
  std::vector<std::string> members;
};

void Delete(const Services& services, const server::CallRef& call) {
  Write<Deleted>(
      services, call,
      [id = std::string(call->Parameter("room")),
       user = call->identity().user](store::Connection& db) -> Outcome<Deleted> {
        FW_ACCEPT(const SeenRoom seen, FindPlace(db, RoomKind::kRoom, id, user, Needs::kOwner));
        Deleted deleted{seen.room, {}};
        FW_ASSIGN(deleted.members, store::ListMemberIds(db, id));
        const auto gone = store::DeleteRoom(db, id, UnixMilliseconds());
        if (!gone.ok()) return gone.error();
        return deleted;
      },
      [&services](server::Call& answer, const Deleted& deleted) {
        services.announcer.RoomDeleted(deleted.room, deleted.members);
        AnswerNothing(answer);
      });
}

}  // namespace

void AddRoomRoutes(RouteList& routes, const Services& services) {
  using Object = server::Access::Object;
  constexpr std::string_view kAll = "/api/v1/rooms";
  constexpr std::string_view kOne = "/api/v1/rooms/{room}";
  constexpr std::string_view kRead = "rooms:read";
  constexpr std::string_view kWrite = "rooms:write";
  const server::Access owner = UserAccess(Object::kOwner, kWrite);
  AddRow(routes, services, {"POST", kAll, "createRoom", UserAccess(Object::kNone, kWrite), Create});
  AddRow(routes, services, {"GET", kAll, "listRooms", UserAccess(Object::kNone, kRead), List});
  AddRow(routes, services, {"GET", kOne, "getRoom", UserAccess(Object::kMember, kRead), Get});
  AddRow(routes, services, {"PATCH", kOne, "changeRoom", owner, Change});
  AddRow(routes, services, {"DELETE", kOne, "deleteRoom", owner, Delete});
}

}  // namespace framewall::backend::api
