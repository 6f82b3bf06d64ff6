// PATCH of a room or a conversation: name, assistant and, of a room, visibility.
#pragma once

#include "backend/api/places.h"
#include "backend/api/services.h"
#include "backend/server/call.h"

namespace framewall::backend::api {

// By its owner alone.
void ChangePlace(const Services& services, const server::CallRef& call, RoomKind kind);

}  // namespace framewall::backend::api
