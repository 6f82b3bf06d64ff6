#include "proxy/redis/router.h"

#include <fmt/format.h>

#include <utility>

namespace framewall::redis {
namespace {

constexpr int kMaxDetours = 5;
constexpr std::chrono::milliseconds kPause{20};

}  // namespace

Router::Router(const RouterContext& context)
    : context_(context), pause_timer_(context.loop, [this] {
        std::deque<RequestPtr> paused;
        paused.swap(paused_);
        for (RequestPtr& request : paused) {
          if (!request->over()) RouteAgain(std::move(request));
        }
      }) {}

void Router::OnReply(Link& link, RequestPtr request, Reply reply) {
  if (reply.is_error() && !request->internal) {
    if (request->script != nullptr && !request->sends_whole_script() &&
        reply.error_code() == "NOSCRIPT") {
      SendWithScript(link, request);
      return;
    }
    if (TakeError(link, request, reply)) return;
  }
  context_.finish(std::move(request), std::move(reply));
}

// The first who hears NOSCRIPT sends the text; the others follow it in the same connection, where
// the server knows the script by then. Who hears it twice (SCRIPT FLUSH came between) sends the
// text too: that cannot fail so.
void Router::SendWithScript(Link& link, const RequestPtr& request) {
  if (link.BeginLoading(request->script) || request->unknown_before) {
    request->SendWholeScript();
    ++context_.counters.script_loads;
  }
  request->unknown_before = true;
  if (Status status = link.Send(request); !status.ok()) Fail(request, status.error());
}

void Router::OnUnanswered(Link& /*link*/, RequestPtr request, bool was_sent, const Error& error) {
  Error why = error;
  why.kind = was_sent ? ErrorKind::kClosed : ErrorKind::kUnavailable;
  Fail(std::move(request), why);
}

void Router::Ask(Link& link, std::initializer_list<std::string_view> words,
                 std::function<void(Result<Reply>)> done) {
  RequestPtr request = MakeInternalRequest(words, std::move(done));
  context_.deadlines.Add(request, context_.settings.connect_timeout);
  link.TryNowAndSend(std::move(request));
}

bool Router::CountDetour(Request& request) const { return ++request.detours <= kMaxDetours; }

void Router::RouteAgain(RequestPtr request) {
  if (Status status = Route(request); !status.ok()) Fail(std::move(request), status.error());
}

void Router::RouteAfterPause(RequestPtr request) {
  paused_.push_back(std::move(request));
  if (!pause_timer_.active()) pause_timer_.Set(kPause);
}

void Router::Fail(RequestPtr request, const Error& error) {
  if (!request->over()) context_.finish(std::move(request), error);
}

void Router::FailAll(std::deque<RequestPtr>& requests, const Error& error) {
  std::deque<RequestPtr> all;
  all.swap(requests);
  for (RequestPtr& request : all) Fail(std::move(request), error);
}

Greeting Router::MakeGreeting() const {
  const Settings& settings = context_.settings;
  return Greeting{.user = settings.user,
                  .password = settings.password,
                  .database = settings.database,
                  .must_be_master = false,
                  .tls = settings.tls};
}

Error Router::Unavailable(std::string_view what) const {
  return Error{ErrorKind::kUnavailable, ErrorSource::kUpstream,
               fmt::format("redis \"{}\": {}", context_.settings.name, what), 0};
}

}  // namespace framewall::redis
