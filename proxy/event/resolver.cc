// The cache of names and who waits for them; dns_query.h does the asking.
#include "proxy/event/resolver.h"

#include <netdb.h>

#include <list>
#include <unordered_map>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/base/text.h"
#include "proxy/event/dns_query.h"
#include "proxy/event/timer.h"

namespace framewall::event {
namespace {

constexpr int kMaxAliases = 50;  // CNAMEs in a row
// A name that nobody asked for in this time is forgotten.
constexpr std::chrono::seconds kForgetAfter{30};
// Cached names looked at for that, per new name.
constexpr int kForgetAtOnce = 4;

Error ResolveError(int code) {
  constexpr std::string_view kTexts[] = {"Format error", "Server failure", "Host not found",
                                         "Unimplemented", "Operation refused"};
  const std::string_view text =
      code >= 1 && code <= 5 ? kTexts[static_cast<size_t>(code) - 1] : "Unknown error";
  return Error{code == kDnsNameError ? ErrorKind::kNotFound : ErrorKind::kUnavailable,
               ErrorSource::kUpstream, std::to_string(code) + ": " + std::string(text), 0};
}

Error ResolveTimeout() {
  return Error{ErrorKind::kTimeout, ErrorSource::kUpstream, "110: Operation timed out", 0};
}

}  // namespace

class Resolver::State {
 public:
  State(EventLoop& loop, const ResolverOptions& options) : loop_(loop), options_(options) {}
  ~State();

  std::unique_ptr<Query> Resolve(std::string_view name, std::chrono::milliseconds timeout,
                                 OnAnswer answer);

 private:
  struct Waiter;
  using Waiters = std::list<Waiter*>;

  // One name: known until `valid_until`, or being asked for, or both no longer.
  struct Name {
    explicit Name(std::string name) : text(std::move(name)) {}
    const std::string text;
    std::vector<IpAddress> v4, v6;
    std::string cname;
    SteadyTime valid_until{};
    SteadyTime forget_at{};
    size_t rotation = 0;
    std::unique_ptr<DnsQuery> query;
    Waiters waiters;
    std::list<Name*>::iterator recent;  // where in recent_
  };

  struct Waiter : Query {
    Waiter(EventLoop& loop, OnAnswer done)
        : answer(std::move(done)), timer(loop, [this] { Finish(ResolveTimeout()); }) {}
    ~Waiter() override { Leave(); }
    void Join(Waiters& list) {
      in = &list;
      place = list.insert(list.end(), this);
    }
    void Leave() {
      if (in != nullptr) std::exchange(in, nullptr)->erase(place);
    }
    // The last thing done here: the callee may destroy this.
    void Finish(Result<std::vector<IpAddress>> result) {
      Leave();
      timer.Cancel();
      const OnAnswer callback = std::move(answer);
      callback(std::move(result));
    }
    OnAnswer answer;
    Timer timer;
    int aliases = 0;
    Waiters* in = nullptr;
    Waiters::iterator place;
  };

  // What is known of `name` now, through cached aliases: addresses or an error, or nothing, and
  // `name` is then the one to ask for.
  std::optional<Result<std::vector<IpAddress>>> Lookup(std::string& name, int* aliases);
  // Lets `waiter` wait for `name`; false where that is no name.
  bool Ask(Waiter& waiter, const std::string& name);
  void Answered(Name& name, const DnsQuery::Outcome& outcome);
  static std::vector<IpAddress> Rotated(Name& name);
  void ForgetOld();

  EventLoop& loop_;
  ResolverOptions options_;
  std::unordered_map<std::string, std::unique_ptr<Name>> names_;
  std::list<Name*> recent_;  // most recently asked for first
  size_t next_server_ = 0;
};

Resolver::State::~State() {
  for (auto& [text, name] : names_) {
    for (Waiter* waiter : name->waiters) {
      waiter->in = nullptr;
      waiter->timer.Cancel();
    }
  }
}

std::unique_ptr<Resolver::Query> Resolver::State::Resolve(std::string_view name,
                                                          std::chrono::milliseconds timeout,
                                                          OnAnswer answer) {
  if (const auto literal = IpAddress::Parse(name)) {
    answer(std::vector<IpAddress>{*literal});
    return nullptr;
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string wanted = ToLower(name);
  int aliases = 0;
  if (auto known = Lookup(wanted, &aliases)) {
    answer(std::move(*known));
    return nullptr;
  }
  auto waiter = std::make_unique<Waiter>(loop_, std::move(answer));
  waiter->aliases = aliases;
  if (!Ask(*waiter, wanted)) {
    waiter->Finish(ResolveError(kDnsNameError));
    return nullptr;
  }
  waiter->timer.Set(timeout);
  return waiter;
}

std::optional<Result<std::vector<IpAddress>>> Resolver::State::Lookup(std::string& name,
                                                                      int* aliases) {
  for (;;) {
    const auto found = names_.find(name);
    if (found == names_.end() || found->second->valid_until <= CachedNow().steady) {
      return std::nullopt;
    }
    Name& known = *found->second;
    known.forget_at = CachedNow().steady + kForgetAfter;
    recent_.splice(recent_.begin(), recent_, known.recent);
    if (!known.v4.empty() || !known.v6.empty()) return Rotated(known);
    if ((*aliases)++ >= kMaxAliases) return ResolveError(kDnsNameError);
    name = known.cname;
  }
}

// IPv4 first; within a family a different one leads each time, so that all get their share.
std::vector<IpAddress> Resolver::State::Rotated(Name& name) {
  const size_t turn = name.rotation++;
  std::vector<IpAddress> addresses;
  addresses.reserve(name.v4.size() + name.v6.size());
  for (const std::vector<IpAddress>* family : {&name.v4, &name.v6}) {
    for (size_t i = 0; i < family->size(); ++i) {
      addresses.push_back((*family)[(i + turn) % family->size()]);
    }
  }
  return addresses;
}

bool Resolver::State::Ask(Waiter& waiter, const std::string& name) {
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (!EncodeDnsQuery(0, name, DnsType::kA).has_value()) return false;
    ForgetOld();
    found = names_.emplace(name, std::make_unique<Name>(name)).first;
    recent_.push_front(found->second.get());
    found->second->recent = recent_.begin();
  } else {
    recent_.splice(recent_.begin(), recent_, found->second->recent);
  }
  Name& asked = *found->second;
  asked.forget_at = CachedNow().steady + kForgetAfter;
  waiter.Join(asked.waiters);
  if (!asked.query) {
    DnsQuery::Options options;
    options.servers = options_.servers;
    options.first_server = next_server_++;
    options.ipv4 = options_.ipv4;
    options.ipv6 = options_.ipv6;
    options.ask_again = options_.ask_again;
    asked.query = std::make_unique<DnsQuery>(
        loop_, name, options,
        [this, &asked](const DnsQuery::Outcome& outcome) { Answered(asked, outcome); },
        [&asked] { return !asked.waiters.empty(); });
  }
  return true;
}

void Resolver::State::Answered(Name& name, const DnsQuery::Outcome& outcome) {
  loop_.Retire(std::move(name.query));  // it is the one that calls
  Waiters batch;
  batch.splice(batch.end(), name.waiters);
  for (Waiter* waiter : batch) waiter->in = &batch;

  if (outcome.code != kDnsNoError) {
    // Errors are not kept: the next one asks again.
    name.valid_until = {};
    while (!batch.empty()) batch.front()->Finish(ResolveError(outcome.code));
    return;
  }
  const std::chrono::seconds life = options_.valid.value_or(std::chrono::seconds(outcome.ttl));
  name.valid_until = CachedNow().steady + life;
  name.v4 = outcome.v4;
  name.v6 = outcome.v6;
  name.cname = outcome.cname;
  if (!name.v4.empty() || !name.v6.empty()) {
    const std::vector<IpAddress> addresses = Rotated(name);
    while (!batch.empty()) batch.front()->Finish(addresses);
    return;
  }
  const std::string alias = name.cname;  // `name` may be forgotten on the way
  while (!batch.empty()) {
    Waiter& waiter = *batch.front();
    waiter.Leave();
    if (waiter.aliases++ >= kMaxAliases) {
      waiter.Finish(ResolveError(kDnsNameError));
      continue;
    }
    std::string next = alias;
    if (auto known = Lookup(next, &waiter.aliases)) {
      waiter.Finish(std::move(*known));
    } else if (!Ask(waiter, next)) {
      waiter.Finish(ResolveError(kDnsNameError));
    }
  }
}

// Clients may make us ask for any number of names (proxy_pass to $host): the unused ones go.
void Resolver::State::ForgetOld() {
  for (int i = 0; i < kForgetAtOnce && !recent_.empty(); ++i) {
    Name& oldest = *recent_.back();
    if (oldest.query || !oldest.waiters.empty() || oldest.forget_at > CachedNow().steady) return;
    recent_.pop_back();
    const auto found = names_.find(oldest.text);
    loop_.Retire(std::move(found->second));
    names_.erase(found);
  }
}

Resolver::Resolver(EventLoop& loop, const ResolverOptions& options)
    : state_(std::make_unique<State>(loop, options)) {}
Resolver::~Resolver() = default;

std::unique_ptr<Resolver::Query> Resolver::Resolve(std::string_view name,
                                                   std::chrono::milliseconds timeout,
                                                   OnAnswer answer) {
  return state_->Resolve(name, timeout, std::move(answer));
}

Result<std::vector<IpAddress>> ResolveBlocking(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    return Error{ErrorKind::kNotFound, ErrorSource::kOperator,
                 std::string("host not found (") + ::gai_strerror(code) + ")", 0};
  }
  std::vector<IpAddress> v4, v6;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    const IpAddress ip = SocketAddress::FromSockaddr(one->ai_addr, one->ai_addrlen).ip();
    if (ip.is_v4()) v4.push_back(ip);
    if (ip.is_v6()) v6.push_back(ip);
  }
  ::freeaddrinfo(list);
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

}  // namespace framewall::event
