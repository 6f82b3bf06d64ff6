// Rooms and conversations as the one who asks may see them. What is not for him is not there (404);
// what he sees but may not do is refused (403).
#pragma once

#include <string>
#include <string_view>

#include "backend/api/outcome.h"
#include "backend/store/rooms.h"

namespace framewall::backend::api {

using store::RoomKind;
using store::SeenRoom;

enum class Needs : uint8_t {
  kSight,   // he may know of it: members, the invited, and everybody of a public room
  kMember,  // members and the owner
  kOwner,
};

// A conversation is seen by its owner alone. Works run in a thread of the store.
Outcome<SeenRoom> FindPlace(store::Connection& db, RoomKind kind, std::string_view id,
                            std::string_view user, Needs needs);

// Where requests name it: "/api/v1/rooms/{room}…", "/api/v1/conversations/{conversation}…".
std::string_view ParameterOf(RoomKind kind);
std::string PathOf(RoomKind kind, std::string_view id);

}  // namespace framewall::backend::api
