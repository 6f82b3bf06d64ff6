// The routes of this room by subject; routes.cc joins them. `services` outlives all of them.
#pragma once

#include <vector>

#include "backend/api/services.h"
#include "backend/server/router.h"

namespace framewall::backend::api {

using RouteList = std::vector<server::Route>;

void AddMeRoutes(RouteList& routes, const Services& services);
void AddConversationRoutes(RouteList& routes, const Services& services);
void AddRoomRoutes(RouteList& routes, const Services& services);
void AddMemberRoutes(RouteList& routes, const Services& services);
// Of rooms and of conversations, and the search.
void AddMessageRoutes(RouteList& routes, const Services& services);
void AddUsageRoutes(RouteList& routes, const Services& services);
void AddSettingRoutes(RouteList& routes, const Services& services);
// What stands for itself: models, what everybody may know, the OpenAPI document.
void AddSiteRoutes(RouteList& routes, const Services& services);

}  // namespace framewall::backend::api
