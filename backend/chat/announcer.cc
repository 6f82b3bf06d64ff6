#include "backend/chat/announcer.h"

#include <utility>

namespace framewall::backend::chat {
namespace {

Event Of(Event::Kind kind, std::string_view room, std::string text, int64_t number = 0) {
  Event event;
  event.kind = kind;
  event.room = room;
  event.number = number;
  event.text = std::move(text);
  return event;
}

}  // namespace

std::optional<Problem> Announcer::MessageAdded(const store::Room& room,
                                               const store::Message& message) {
  fanout_.Publish(RoomTopic(message.room), Of(Event::Kind::kMessage, message.room,
                                              MessageText("message", message), message.number));
  return answers_.OnMessage(room, message);
}

void Announcer::MessageEdited(const store::Message& message) {
  fanout_.Publish(RoomTopic(message.room),
                  Of(Event::Kind::kChange, message.room, MessageText("edited", message)));
}

void Announcer::MessageDeleted(const store::Message& message) {
  answers_.OnMessageDeleted(message);
  fanout_.Publish(RoomTopic(message.room),
                  Of(Event::Kind::kChange, message.room, MessageText("deleted", message)));
}

void Announcer::RoomChanged(const store::Room& room) {
  fanout_.Publish(RoomTopic(room.id), Of(Event::Kind::kRoom, room.id, RoomText("changed", room)));
}

void Announcer::RoomDeleted(const store::Room& room, const std::vector<std::string>& members) {
  answers_.OnRoomGone(room.id);
  fanout_.Publish(RoomTopic(room.id), Of(Event::Kind::kRemoved, room.id, ""));
  for (const std::string& user : members) {
    fanout_.Publish(UserTopic(user), Of(Event::Kind::kRoom, room.id, RoomText("deleted", room)));
  }
}

void Announcer::MemberAdded(const store::Room& room, std::string_view user,
                            std::string_view event) {
  fanout_.Publish(UserTopic(user), Of(Event::Kind::kRoom, room.id, RoomText(event, room)));
}

void Announcer::MemberRemoved(const store::Room& room, std::string_view user) {
  fanout_.Publish(UserTopic(user), Of(Event::Kind::kRemoved, room.id, RoomText("removed", room)));
}

}  // namespace framewall::backend::chat
