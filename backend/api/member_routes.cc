// Who is in a room: invite, accept, join, decline, leave, remove.
#include <string>
#include <utility>
#include <vector>

#include "backend/api/handlers.h"
#include "backend/api/nodes.h"
#include "backend/api/outcome.h"
#include "backend/api/places.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/members.h"
#include "backend/store/users.h"

namespace framewall::backend::api {
namespace {

Refused RoomIsFull(int64_t limit) {
  return Refused({.status = 409,
                  .code = "room_full",
                  .detail = "The room has " + std::to_string(limit) +
                            " members, those with them who are invited.",
                  .fields = {}});
}

struct Invited {
  store::Room room;
  store::Member member;
  bool is_new = false;
};

void Invite(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<Invitation>(call, ReadInvitation);
  if (!asked) return;
  Write<Invited>(
      services, call,
      [id = std::string(call->Parameter("room")), user = call->identity().user, asked = *asked,
       most = services.live.members_per_room()](store::Connection& db) -> Outcome<Invited> {
        FW_ACCEPT(const SeenRoom seen, FindPlace(db, RoomKind::kRoom, id, user, Needs::kOwner));
        FW_ASSIGN(const std::optional<store::User> guest, store::FindUserByName(db, asked.user));
        if (!guest) {
          return Refused(Invalid({{"/user", "there is no account of this name"}}));
        }
        Invited invited{seen.room, {}, false};
        FW_ASSIGN(std::optional<store::Member> before, store::FindMember(db, id, guest->id));
        if (before) {
          invited.member = *std::move(before);
          return invited;
        }
        FW_ASSIGN(const int64_t count, store::CountMembers(db, id));
        if (count >= most) return RoomIsFull(most);
        FW_ASSIGN(invited.is_new, store::InviteMember(db, id, guest->id, user, UnixMilliseconds()));
        FW_ASSIGN(std::optional<store::Member> member, store::FindMember(db, id, guest->id));
        if (member) invited.member = *std::move(member);
        return invited;
      },
      [&services](server::Call& answer, const Invited& invited) {
        if (invited.is_new) {
          services.announcer.MemberAdded(invited.room, invited.member.user.id, "invited");
        }
        answer.Answer(invited.is_new ? 201 : 200, MemberNode(invited.member));
      });
}

void List(const Services& services, const server::CallRef& call) {
  const std::string id(call->Parameter("room"));
  const std::string list = "members/" + id;
  Query query(*call);
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  if (!Accepted(*call, query)) return;
  using Found = std::vector<store::Member>;
  Read<Found>(
      services, call,
      [id, page, user = call->identity().user](store::Connection& db) -> Outcome<Found> {
        FW_ACCEPT([[maybe_unused]] const SeenRoom seen,
                  FindPlace(db, RoomKind::kRoom, id, user, Needs::kMember));
        FW_ASSIGN(Found found, store::ListMembers(db, id, page.behind, RowsFor(page)));
        return found;
      },
      [page, list](server::Call& answer, const Found& found) {
        answer.Answer(200, ToPage(found, page, list, MemberNode,
                                  [](const store::Member& member) { return member.user.id; }));
      });
}

void Remove(const Services& services, const server::CallRef& call) {
  const std::string member(call->Parameter("user"));
  Write<store::Room>(
      services, call,
      [id = std::string(call->Parameter("room")), user = call->identity().user,
       member](store::Connection& db) -> Outcome<store::Room> {
        FW_ACCEPT(const SeenRoom seen, FindPlace(db, RoomKind::kRoom, id, user, Needs::kOwner));
        if (member == seen.room.owner) {
          return Refused({.status = 409,
                          .code = "owner",
                          .detail = "The owner stays; delete the room instead.",
                          .fields = {}});
        }
        if (!IsId(member)) return Refused(NotFound());
        FW_ASSIGN(const bool removed, store::RemoveMember(db, id, member));
        if (!removed) return Refused(NotFound());
        return seen.room;
      },
      [&services, member](server::Call& answer, const store::Room& room) {
        services.announcer.MemberRemoved(room, member);
        AnswerNothing(answer);
      });
}

struct Joined {
  SeenRoom seen;
  bool is_new = false;
};

void Join(const Services& services, const server::CallRef& call) {
  Write<Joined>(
      services, call,
      [id = std::string(call->Parameter("room")), user = call->identity().user,
       most = services.live.members_per_room()](store::Connection& db) -> Outcome<Joined> {
        FW_ACCEPT(SeenRoom seen, FindPlace(db, RoomKind::kRoom, id, user, Needs::kSight));
        if (seen.is_member()) return Joined{std::move(seen), false};
        const int64_t now = UnixMilliseconds();
        if (seen.membership == store::Membership::kInvited) {
          FW_ASSIGN(const bool accepted, store::AcceptInvitation(db, id, user, now));
          if (!accepted) return Refused(NotFound());
        } else {
          FW_ASSIGN(const int64_t count, store::CountMembers(db, id));
          if (count >= most) return RoomIsFull(most);
          const auto added = store::AddMember(db, id, user, now);
          if (!added.ok()) return added.error();
        }
        seen.membership = store::Membership::kMember;
        return Joined{std::move(seen), true};
      },
      [&services](server::Call& answer, const Joined& joined) {
        if (joined.is_new) {
          services.announcer.MemberAdded(joined.seen.room, answer.identity().user, "added");
        }
        answer.Answer(200, RoomNode(joined.seen));
      });
}

void Leave(const Services& services, const server::CallRef& call) {
  Write<store::Room>(
      services, call,
      [id = std::string(call->Parameter("room")),
       user = call->identity().user](store::Connection& db) -> Outcome<store::Room> {
        FW_ACCEPT(const SeenRoom seen, FindPlace(db, RoomKind::kRoom, id, user, Needs::kSight));
        if (seen.is_owner()) {
          return Refused({.status = 409,
                          .code = "owner",
                          .detail = "The owner stays; delete the room instead.",
                          .fields = {}});
        }
        FW_ASSIGN(const bool removed, store::RemoveMember(db, id, user));
        if (!removed) return Refused(NotFound());
        return seen.room;
      },
      [&services](server::Call& answer, const store::Room& room) {
        services.announcer.MemberRemoved(room, answer.identity().user);
        AnswerNothing(answer);
      });
}

}  // namespace

void AddMemberRoutes(RouteList& routes, const Services& services) {
  using Object = server::Access::Object;
  constexpr std::string_view kAll = "/api/v1/rooms/{room}/members";
  constexpr std::string_view kOne = "/api/v1/rooms/{room}/members/{user}";
  constexpr std::string_view kMine = "/api/v1/rooms/{room}/membership";
  constexpr std::string_view kWrite = "rooms:write";
  const server::Access owner = UserAccess(Object::kOwner, kWrite);
  const server::Access own = UserAccess(Object::kMember, kWrite);
  AddRow(routes, services, {"POST", kAll, "inviteMember", owner, Invite});
  AddRow(routes, services,
         {"GET", kAll, "listMembers", UserAccess(Object::kMember, "rooms:read"), List});
  AddRow(routes, services, {"DELETE", kOne, "removeMember", owner, Remove});
  AddRow(routes, services, {"PUT", kMine, "joinRoom", own, Join});
  AddRow(routes, services, {"DELETE", kMine, "leaveRoom", own, Leave});
}

}  // namespace framewall::backend::api
