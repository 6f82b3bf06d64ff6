// What was used: requests and tokens by user, day and model.
#include <string>
#include <vector>

#include "backend/api/handlers.h"
#include "backend/api/outcome.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/usage.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

constexpr int64_t kDay = int64_t{86'400'000};  // milliseconds
constexpr int64_t kDaysUnlessSet = 30;

json::Node UsageNode(const store::Usage& usage) {
  return json::Node::Object()
      .Set("user", usage.user)
      .Set("day", usage.day)
      .Set("model", usage.model)
      .Set("requests", usage.requests)
      .Set("prompt_tokens", usage.prompt_tokens)
      .Set("completion_tokens", usage.completion_tokens);
}

// Whose: one's own id, another's, or empty for all. Nothing where the call is answered.
std::optional<std::string> WhoseUsage(server::Call& call, Query& query) {
  const std::string& me = call.identity().user;
  const std::optional<std::string> asked = query.Raw("user");
  if (!asked || *asked == me) return me;
  if (!call.identity().is_admin()) {
    call.Fail(Problem{.status = 403,
                      .code = "forbidden",
                      .detail = "Only administrators may see what others use.",
                      .fields = {}});
    return std::nullopt;
  }
  if (*asked == "all") return std::string();
  if (!IsId(*asked)) query.Refuse("user", "expected an id, or \"all\"");
  return asked;
}

void GetUsage(const Services& services, const server::CallRef& call) {
  Query query(*call);
  const std::optional<std::string> whose = WhoseUsage(*call, query);
  if (!whose) return;
  const int64_t now = UnixMilliseconds();
  store::UsageWish wish;
  wish.user = *whose;
  wish.to = query.Day("to").value_or(store::UtcDay(now));
  wish.from = query.Day("from").value_or(store::UtcDay(now - kDaysUnlessSet * kDay));
  const std::string list = "usage/" + *whose;
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  if (!Accepted(*call, query)) return;
  wish.behind = page.behind;
  wish.limit = RowsFor(page);
  using Found = std::vector<store::Usage>;
  Read<Found>(
      services, call,
      [wish](store::Connection& db) -> Outcome<Found> {
        FW_ASSIGN(Found found, store::ListUsage(db, wish));
        return found;
      },
      [page, list](server::Call& answer, const Found& found) {
        answer.Answer(200, ToPage(found, page, list, UsageNode, store::UsagePosition));
      });
}

}  // namespace

void AddUsageRoutes(RouteList& routes, const Services& services) {
  AddRow(routes, services,
         {"GET", "/api/v1/usage", "getUsage",
          UserAccess(server::Access::Object::kNone, "usage:read"), GetUsage});
}

}  // namespace framewall::backend::api
