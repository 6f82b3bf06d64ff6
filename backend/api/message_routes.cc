// Messages of rooms and conversations, which are the same to them: create, list, get, edit, delete;
// and the search. What is written here is told to the sockets of the room, and the assistant is
// asked, as if it had come over /ws/chat.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backend/api/answer_wait.h"
#include "backend/api/handlers.h"
#include "backend/api/nodes.h"
#include "backend/api/once.h"
#include "backend/api/places.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/chat/answers.h"
#include "backend/store/message_search.h"
#include "backend/store/messages.h"
#include "proxy/base/parse.h"

namespace framewall::backend::api {
namespace {

std::string PlaceId(const server::Call& call, RoomKind kind) {
  return std::string(call.Parameter(ParameterOf(kind)));
}

using Found = std::vector<store::Message>;

// Made in the thread that read, so that the loop only sends it.
void AnswerText(server::Call& call, std::string json) {
  call.Answer(server::Reply{.status = 200, .body = std::move(json)});
}

// 0 where it is no number of a message.
int64_t NumberOf(const server::Call& call) {
  const std::optional<uint64_t> number = ParseUnsigned(call.Parameter("number"));
  return number && *number <= INT64_MAX ? static_cast<int64_t>(*number) : 0;
}

// Why nobody would answer; nothing: somebody does.
std::optional<Refused> WhyNoAnswer(const store::Room& room, const std::string& text) {
  if (room.assistant.empty()) {
    return Refused({.status = 409,
                    .code = "no_assistant",
                    .detail = "No model answers here; give it an assistant first.",
                    .fields = {}});
  }
  if (room.kind == RoomKind::kRoom && !chat::AddressesAssistant(text, room.assistant)) {
    return Refused(Invalid({{"/wait_for_answer", "expected a text that addresses @assistant"}}));
  }
  return std::nullopt;
}

struct Added {
  store::Room room;
  store::Message message;
  bool repeated = false;  // by its client_id
};

Outcome<MadeWith<Added>> Add(store::Connection& db, RoomKind kind, const std::string& id,
                             const std::string& user, const NewMessage& asked) {
  FW_ACCEPT(const SeenRoom seen, FindPlace(db, kind, id, user, Needs::kMember));
  if (asked.wait_for_answer) {
    if (std::optional<Refused> refused = WhyNoAnswer(seen.room, asked.text)) {
      return *std::move(refused);
    }
  }
  store::NewMessage message;
  message.room = id;
  message.author = user;
  message.client_id = asked.client_id;
  message.text = asked.text;
  message.created = UnixMilliseconds();
  FW_ASSIGN(store::Appended appended, store::AppendMessage(db, message));
  const Made made{.status = appended.repeated ? 200 : 201, .body = MessageText(appended.message)};
  return MadeWith<Added>{made, Added{seen.room, appended.message, appended.repeated}};
}

void Announce(const Services& services, const server::CallRef& call, const Added& added,
              bool wait) {
  const std::string& user = call->identity().user;
  if (wait) services.waits.Begin(call, added.message);
  const std::optional<Problem> problem = services.announcer.MessageAdded(added.room, added.message);
  if (wait && problem) services.waits.Fail(added.room.id, user, *problem);
}

template <RoomKind kKind>
void Create(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<NewMessage>(
      call, [&services](Body& body) { return ReadNewMessage(body, services.settings); });
  if (!asked) return;
  const std::string id = PlaceId(*call, kKind);
  const std::string& user = call->identity().user;
  if (asked->wait_for_answer && services.waits.waits(id, user)) {
    return call->Fail(Problem{.status = 409,
                              .code = "answer_under_way",
                              .detail = "Another request waits for an answer here.",
                              .fields = {}});
  }
  constexpr std::string_view kOperation =
      kKind == RoomKind::kRoom ? "createRoomMessage" : "createConversationMessage";
  MakeOnce<Added>(
      services, call, kOperation,
      [id, user, asked = *asked](store::Connection& db) { return Add(db, kKind, id, user, asked); },
      [&services, call, wait = asked->wait_for_answer](server::Call& answer, MadeWith<Added> made) {
        const bool is_new = made.extra && !made.extra->repeated;
        // Somebody may have begun to wait meanwhile.
        const bool waits =
            is_new && wait && !services.waits.waits(made.extra->room.id, answer.identity().user);
        if (is_new) Announce(services, call, *made.extra, waits);
        if (!waits) AnswerMade(answer, std::move(made.made), "number");
      });
}

template <RoomKind kKind>
void List(const Services& services, const server::CallRef& call) {
  const std::string id = PlaceId(*call, kKind);
  Query query(*call);
  const std::optional<int64_t> after = query.Integer("after", 0, INT64_MAX);
  const std::string list = (after ? "messages-after/" : "messages/") + id;
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  const int64_t behind = NumberBehind(query, page).value_or(0);
  if (!Accepted(*call, query)) return;
  Read<std::string>(
      services, call,
      [id, page, after, behind, list,
       user = call->identity().user](store::Connection& db) -> Outcome<std::string> {
        FW_ACCEPT([[maybe_unused]] const SeenRoom seen,
                  FindPlace(db, kKind, id, user, Needs::kMember));
        const store::MessageLimit limit{.messages = RowsFor(page)};
        FW_ASSIGN(const Found found,
                  after ? store::MessagesAfter(db, id, behind > 0 ? behind : *after, limit)
                        : store::MessagesBefore(db, id, behind, limit));
        return ToPageText(found, page, list, AppendMessage, [](const store::Message& message) {
          return std::to_string(message.number);
        });
      },
      AnswerText);
}

template <RoomKind kKind>
void Get(const Services& services, const server::CallRef& call) {
  Read<store::Message>(
      services, call,
      [id = PlaceId(*call, kKind), number = NumberOf(*call),
       user = call->identity().user](store::Connection& db) -> Outcome<store::Message> {
        FW_ACCEPT([[maybe_unused]] const SeenRoom seen,
                  FindPlace(db, kKind, id, user, Needs::kMember));
        FW_ASSIGN(std::optional<store::Message> message, store::FindMessage(db, id, number));
        if (!message) return Refused(NotFound());
        return *std::move(message);
      },
      [](server::Call& answer, const store::Message& message) {
        AnswerText(answer, MessageText(message));
      });
}

Outcome<store::Message> MessageOrRefusal(store::ChangedMessage changed) {
  switch (changed.outcome) {
    case store::MessageOutcome::kDone:
      return std::move(changed.message);
    case store::MessageOutcome::kForbidden:
      return Refused({.status = 403,
                      .code = "forbidden",
                      .detail = "The message is somebody else's.",
                      .fields = {}});
    case store::MessageOutcome::kGone:
      return Refused(
          {.status = 410, .code = "gone", .detail = "The message was deleted.", .fields = {}});
    case store::MessageOutcome::kNotFound:
      break;
  }
  return Refused(NotFound());
}

template <RoomKind kKind>
void Edit(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<MessageChange>(
      call, [&services](Body& body) { return ReadMessageChange(body, services.settings); });
  if (!asked) return;
  Write<store::Message>(
      services, call,
      [id = PlaceId(*call, kKind), number = NumberOf(*call), user = call->identity().user,
       text = asked->text](store::Connection& db) -> Outcome<store::Message> {
        FW_ACCEPT([[maybe_unused]] const SeenRoom seen,
                  FindPlace(db, kKind, id, user, Needs::kMember));
        FW_ASSIGN(store::ChangedMessage changed,
                  store::EditMessage(db, id, number, user, text, UnixMilliseconds()));
        return MessageOrRefusal(std::move(changed));
      },
      [&services](server::Call& answer, const store::Message& message) {
        services.announcer.MessageEdited(message);
        AnswerText(answer, MessageText(message));
      });
}

// What is deleted already is as it should be.
struct Deletion {
  store::Message message;
  bool is_new = false;
};

template <RoomKind kKind>
void Delete(const Services& services, const server::CallRef& call) {
  Write<Deletion>(
      services, call,
      [id = PlaceId(*call, kKind), number = NumberOf(*call),
       user = call->identity().user](store::Connection& db) -> Outcome<Deletion> {
        FW_ACCEPT(const SeenRoom seen, FindPlace(db, kKind, id, user, Needs::kMember));
        FW_ASSIGN(store::ChangedMessage changed,
                  store::DeleteMessage(db, id, number, user, seen.is_owner(), UnixMilliseconds()));
        if (changed.outcome == store::MessageOutcome::kGone) {
          return Deletion{std::move(changed.message), false};
        }
        FW_ACCEPT(store::Message message, MessageOrRefusal(std::move(changed)));
        return Deletion{std::move(message), true};
      },
      [&services](server::Call& answer, const Deletion& deletion) {
        if (deletion.is_new) services.announcer.MessageDeleted(deletion.message);
        AnswerNothing(answer);
      });
}

void Search(const Services& services, const server::CallRef& call) {
  Query query(*call);
  store::MessageSearch search;
  const std::optional<std::string> text = query.Text("q", kSearchText);
  if (!text && !query.Raw("q")) query.Refuse("q", "is missing");
  search.text = text.value_or("");
  search.room = query.Id("room").value_or("");
  const Identity& identity = call->identity();
  search.user = identity.user;
  search.conversations = identity.HasScope("conversations:read");
  const std::string list = "search/" + search.room + "/" + search.text;
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  search.behind = NumberBehind(query, page).value_or(0);
  search.limit = RowsFor(page);
  if (!Accepted(*call, query)) return;
  Read<std::string>(
      services, call,
      [search, page, list](store::Connection& db) -> Outcome<std::string> {
        FW_ASSIGN(const Found found, store::SearchMessages(db, search));
        return ToPageText(found, page, list, AppendMessage, [](const store::Message& message) {
          return std::to_string(message.position);
        });
      },
      AnswerText);
}

struct Names {
  std::string_view all, one;
  std::string_view create, list, get, edit, remove;
  std::string_view read, write;  // scopes
};

constexpr Names kRoomNames = {"/api/v1/rooms/{room}/messages",
                              "/api/v1/rooms/{room}/messages/{number}",
                              "createRoomMessage",
                              "listRoomMessages",
                              "getRoomMessage",
                              "editRoomMessage",
                              "deleteRoomMessage",
                              "rooms:read",
                              "rooms:write"};
constexpr Names kConversationNames = {"/api/v1/conversations/{conversation}/messages",
                                      "/api/v1/conversations/{conversation}/messages/{number}",
                                      "createConversationMessage",
                                      "listConversationMessages",
                                      "getConversationMessage",
                                      "editConversationMessage",
                                      "deleteConversationMessage",
                                      "conversations:read",
                                      "conversations:write"};

template <RoomKind kKind>
void AddOf(RouteList& routes, const Services& services, const Names& names) {
  using Object = server::Access::Object;
  const server::Access read = UserAccess(Object::kMember, names.read);
  const server::Access write = UserAccess(Object::kMember, names.write);
  AddRow(routes, services, {"POST", names.all, names.create, write, Create<kKind>});
  AddRow(routes, services, {"GET", names.all, names.list, read, List<kKind>});
  AddRow(routes, services, {"GET", names.one, names.get, read, Get<kKind>});
  AddRow(routes, services, {"PATCH", names.one, names.edit, write, Edit<kKind>});
  AddRow(routes, services, {"DELETE", names.one, names.remove, write, Delete<kKind>});
}

}  // namespace

void AddMessageRoutes(RouteList& routes, const Services& services) {
  AddOf<RoomKind::kRoom>(routes, services, kRoomNames);
  AddOf<RoomKind::kConversation>(routes, services, kConversationNames);
  AddRow(routes, services,
         {"GET", "/api/v1/messages", "searchMessages",
          UserAccess(server::Access::Object::kMember, "rooms:read"), Search});
}

}  // namespace framewall::backend::api
