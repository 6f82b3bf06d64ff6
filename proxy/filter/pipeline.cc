#include "proxy/filter/pipeline.h"

#include <iterator>

#include "proxy/filter/access.h"
#include "proxy/filter/auth_basic.h"
#include "proxy/filter/auth_jwt.h"
#include "proxy/filter/auth_request.h"
#include "proxy/filter/limit_conn.h"
#include "proxy/filter/limit_req.h"
#include "proxy/filter/realip.h"
#include "proxy/filter/waf_filter.h"
#include "proxy/filter/websocket_policy.h"

namespace framewall::filter {
namespace {

constexpr PipelineRow kPipeline[] = {
    {Phase::kPostRead, "realip", ApplyRealIp, nullptr,
     "every later row and log line trusts the client's address"},
    {Phase::kBeforeRewrite, "waf, connector order", nullptr, MakeWafConnectorOrder,
     "as the nginx connector: rules see the head before a location's rewrite and return, and the "
     "body before limits and access"},
    {Phase::kPreAccess, "realip", ApplyRealIp, nullptr,
     "a location may trust other hops than its server", true},
    {Phase::kPreAccess, "limit_req", nullptr, MakeLimitReq,
     "the limits come before passwords are tried, and after the address that they count is known",
     true},
    {Phase::kPreAccess, "limit_conn", nullptr, MakeLimitConn,
     "as nginx: who waits for limit_req does not count as a connection yet", true},
    {Phase::kPreAccess, "token of a sub-protocol", TakeSubprotocolToken, nullptr,
     "what follows sees a handshake without the token, and so does the upstream"},
    {Phase::kPreAccess, "websocket policy", nullptr, MakeWebSocketPolicy,
     "what is no handshake costs no password and no upstream; its client counts behind the limits"},
    {Phase::kAccess, "access", CheckAccess, nullptr, "the cheapest verdict first"},
    {Phase::kAccess, "auth_jwt", nullptr, MakeAuthJwt,
     "a signature costs more than comparing addresses and less than hashing a password"},
    {Phase::kAccess, "auth_basic", nullptr, MakeAuthBasic,
     "hashing a password costs more than comparing addresses"},
    {Phase::kAccess, "auth_request", nullptr, MakeAuthRequest,
     "asking somebody else takes longest, and only who may not come in otherwise need be asked "
     "about"},
    {Phase::kPreContent, "limit_req by identity", nullptr, MakeIdentityLimitReq,
     "whom a token names is known only now; one that is forged spends nobody's budget"},
    {Phase::kPreContent, "limit_conn by identity", nullptr, MakeIdentityLimitConn,
     "as its twin before the access phase, for the same reason"},
    {Phase::kPreContent, "waf, late order", nullptr, MakeWafLateOrder,
     "the dearest check, so after every cheap refusal"},
};

constexpr bool PhasesAscend(const PipelineRow* rows, size_t count) {
  for (size_t i = 1; i < count; ++i) {
    if (rows[i].phase < rows[i - 1].phase) return false;
  }
  return true;
}
static_assert(PhasesAscend(kPipeline, std::size(kPipeline)));

}  // namespace

std::span<const PipelineRow> Pipeline() { return kPipeline; }

}  // namespace framewall::filter
