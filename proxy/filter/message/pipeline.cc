#include "proxy/filter/message/pipeline.h"

#include "proxy/filter/message/schema.h"
#include "proxy/filter/message/token.h"
#include "proxy/filter/message/waf.h"

namespace framewall::filter {
namespace {

using MakeMessageFilter = std::unique_ptr<MessageFilter> (*)(Exchange&, FilterServices&,
                                                             std::string_view subprotocol);

// Cheap checks first; the rules see only what those let through.
constexpr MakeMessageFilter kMessagePipeline[] = {
    MakeMessageToken,
    MakeMessageSchema,
    MakeMessageWaf,
};

}  // namespace

std::vector<std::unique_ptr<MessageFilter>> MakeMessageFilters(Exchange& exchange,
                                                               FilterServices& services,
                                                               std::string_view subprotocol) {
  std::vector<std::unique_ptr<MessageFilter>> filters;
  for (const MakeMessageFilter make : kMessagePipeline) {
    if (auto one = make(exchange, services, subprotocol)) filters.push_back(std::move(one));
  }
  return filters;
}

}  // namespace framewall::filter
