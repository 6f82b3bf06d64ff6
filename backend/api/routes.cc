#include "backend/api/routes.h"

namespace framewall::backend::api {

std::vector<server::Route> Routes(const Services& services) {
  RouteList routes;
  AddMeRoutes(routes, services);
  AddConversationRoutes(routes, services);
  AddRoomRoutes(routes, services);
  AddMemberRoutes(routes, services);
  AddMessageRoutes(routes, services);
  AddUsageRoutes(routes, services);
  AddSettingRoutes(routes, services);
  AddSiteRoutes(routes, services);
  return routes;
}

}  // namespace framewall::backend::api
