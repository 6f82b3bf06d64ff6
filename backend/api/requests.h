// The bodies of all requests under /api/v1/ that this room answers, as typed things.
#pragma once

#include <optional>
#include <string>

#include "backend/server/body.h"
#include "backend/settings/settings.h"

namespace framewall::backend::api {

using server::Body;
using server::TextRule;

// openapi/*.json says the same numbers; a test holds them together.
inline constexpr TextRule kDisplayName = {.max = 64};
inline constexpr TextRule kRoomName = {.max = 80};
inline constexpr TextRule kUserName = {.max = 64};
inline constexpr TextRule kModelName = {.max = 200};
inline constexpr TextRule kClientId = {.max = 64};
inline constexpr TextRule kSearchText = {.max = 200};
// Of what a message may hold.
TextRule MessageText(const Settings& settings);

// A member that may be missing; null means none.
using Assistant = std::optional<std::optional<std::string>>;

struct MeChange {
  std::string display_name;
};
MeChange ReadMeChange(Body& body);

struct NewConversation {
  std::string name;  // empty: not named
  Assistant assistant;
};
NewConversation ReadNewConversation(Body& body);

struct NewRoom {
  std::string name;
  bool is_public = false;
  Assistant assistant;
};
NewRoom ReadNewRoom(Body& body);

// Of a room or a conversation. What is missing stays as it is.
struct RoomChange {
  std::optional<std::string> name;
  std::optional<bool> is_public;  // never of a conversation
  Assistant assistant;
};
RoomChange ReadRoomChange(Body& body);
RoomChange ReadConversationChange(Body& body);

struct NewMessage {
  std::string text;
  std::string client_id;  // empty: none
  bool wait_for_answer = false;
};
NewMessage ReadNewMessage(Body& body, const Settings& settings);

struct MessageChange {
  std::string text;
};
MessageChange ReadMessageChange(Body& body, const Settings& settings);

struct Invitation {
  std::string user;  // a name
};
Invitation ReadInvitation(Body& body);

}  // namespace framewall::backend::api
