#include "proxy/filter/jwt_keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "proxy/base/digest.h"
#include "proxy/base/unique_fd.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/services.h"

namespace framewall::filter {
namespace {

// As much as a key set may have and one octet more; nothing, and errno, where reading fails.
std::optional<std::string> ReadKeyFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string text;
  char buffer[16384];
  while (text.size() <= jwt::kMostSetOctets) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  OPENSSL_cleanse(buffer, sizeof buffer);
  return text;
}

void ForEachLocation(const config::LocationConfig& location,
                     const std::function<void(const config::LocationConfig&)>& use) {
  use(location);
  for (const auto& one : location.locations) ForEachLocation(*one, use);
  for (const auto& one : location.rewrite) {
    if (one.location != nullptr) ForEachLocation(*one.location, use);
  }
  if (location.limit_except != nullptr) ForEachLocation(*location.limit_except, use);
}

}  // namespace

std::unique_ptr<JwtKeyFiles> JwtKeyFiles::Load(const config::Config& config,
                                               config::Diagnostics& diagnostics) {
  auto made = std::make_unique<JwtKeyFiles>();
  std::map<std::string, bool> seen;
  const auto load = [&](const config::JwtKeySource& source) {
    if (source.kind != config::JwtKeySource::Kind::kFile) return;
    if (!seen.emplace(source.where, true).second) return;
    const auto error = [&](std::string_view what) {
      diagnostics.Error(source.at, fmt::format("auth_jwt_key_file \"{}\": {}", source.where, what));
    };
    auto text = ReadKeyFile(source.where);
    if (!text) return error(SystemError("open() failed", errno).message);
    auto set = jwt::KeySet::Parse(*text);
    OPENSSL_cleanse(text->data(), text->size());
    if (!set.ok()) return error(set.error().message);
    for (const std::string& key : set->skipped()) {
      diagnostics.Warn(source.at,
                       fmt::format("auth_jwt_key_file \"{}\": not used: {}", source.where, key));
    }
    if (set->keys().empty()) return error("no key in it can be used to verify");
    made->sets_.emplace(source.where, std::move(set).value());
  };
  for (const auto& server : config.http.servers) {
    ForEachLocation(server->root, [&](const config::LocationConfig& location) {
      const config::JwtSettings& jwt = location.settings.jwt;
      for (const config::JwtKeySource& source : jwt.keys) load(source);
    });
  }
  return made;
}

const jwt::KeySet* JwtKeyFiles::Find(const std::string& path) const {
  const auto found = sets_.find(path);
  return found == sets_.end() ? nullptr : &found->second;
}

// --- Fetched keys -------------------------------------------------------------------------------

FetchedKeys::FetchedKeys(FilterServices& services, const config::ServerConfig& server,
                         std::string uri, std::function<void()> on_change)
    : services_(services),
      server_(server),
      uri_(std::move(uri)),
      on_change_(std::move(on_change)) {}

bool FetchedKeys::IsOlderThan(Milliseconds age) const {
  return keys_ == nullptr || CachedNow().steady - fetched_ >= age;
}

bool FetchedKeys::Refresh() {
  if (subrequest_ != nullptr) return true;
  const SteadyTime now = CachedNow().steady;
  if ((has_begun_ && now - begun_ < kInterval) || services_.start_subrequest == nullptr) {
    return false;
  }
  has_begun_ = true;
  begun_ = now;
  exchange::SubrequestOptions options;
  options.uri = uri_;
  options.body_limit = jwt::kMostSetOctets;
  options.detached = true;
  subrequest_ = services_.start_subrequest(
      server_, options, [this](const exchange::SubrequestAnswer& answer) { OnAnswer(answer); });
  deadline_ = std::make_unique<event::Timer>(*services_.loop, [this] {
    Fail("it took too long");
    Done();
  });
  deadline_->Set(kLongest);
  return true;
}

std::shared_ptr<void> FetchedKeys::Await(std::function<void()> then) {
  auto waiter = std::make_shared<std::function<void()>>(std::move(then));
  waiting_.push_back(waiter);
  return waiter;
}

void FetchedKeys::Cancel() {
  waiting_.clear();
  subrequest_.reset();
  deadline_.reset();
  has_begun_ = true;
  begun_ = CachedNow().steady;
}

void FetchedKeys::OnAnswer(const exchange::SubrequestAnswer& answer) {
  if (!answer.whole()) {
    Fail(std::string(answer.failure));
  } else if (answer.status != 200) {
    Fail(fmt::format("status 200 was expected, {} came", answer.status));
  } else if (std::string digest = Sha256(answer.body); keys_ != nullptr && digest == digest_) {
    fetched_ = CachedNow().steady;
    failing_ = false;
  } else if (auto set = jwt::KeySet::Parse(answer.body); !set.ok()) {
    Fail(set.error().message);
  } else if (set->keys().empty()) {
    Fail(set->skipped().empty() ? std::string("it has no keys")
                                : "no key in it can be used to verify: " + set->skipped()[0]);
  } else {
    for (const std::string& key : set->skipped()) {
      MainLog().Write(LogLevel::kInfo,
                      fmt::format("auth_jwt_key_request \"{}\": not used: {}", uri_, key));
    }
    keys_ = std::make_unique<jwt::KeySet>(std::move(set).value());
    digest_ = std::move(digest);
    fetched_ = CachedNow().steady;
    if (failing_) {
      MainLog().Write(LogLevel::kNotice,
                      fmt::format("auth_jwt_key_request \"{}\": keys came again", uri_));
    }
    failing_ = false;
    on_change_();
  }
  Done();
}

void FetchedKeys::Fail(const std::string& why) {
  failing_ = true;
  MainLog().Write(LogLevel::kError,
                  fmt::format("auth_jwt_key_request \"{}\" failed: {}; {}", uri_, why,
                              keys_ == nullptr ? "there are no keys yet"
                                               : "the keys that are known stay in use"));
}

void FetchedKeys::Done() {
  subrequest_.reset();
  services_.loop->Retire(std::move(deadline_));
  // Who is called may begin to wait anew, or make others end their waiting.
  for (const auto& one : std::exchange(waiting_, {})) {
    if (const auto waiter = one.lock()) (*waiter)();
  }
}

// --- A worker's
// -----------------------------------------------------------------------------------

JwtKeys::JwtKeys(const JwtKeyFiles& files, FilterServices& services)
    : files_(files), services_(services) {}

JwtKeys::Location& JwtKeys::Of(const config::ServerConfig& server,
                               const config::JwtSettings& settings) {
  const auto [found, is_new] = locations_.try_emplace(&settings);
  Location& location = found->second;
  if (!is_new) return location;
  for (const config::JwtKeySource& source : settings.keys) {
    if (source.kind == config::JwtKeySource::Kind::kFile) {
      if (const jwt::KeySet* set = files_.Find(source.where)) location.files.push_back(set);
      continue;
    }
    auto& fetched = fetched_[{server.index, source.where}];
    if (fetched == nullptr) {
      // Tokens verified with what was known before are found no more; their room is freed at once.
      fetched = std::make_unique<FetchedKeys>(services_, server, source.where,
                                              [this] { cache_.Clear(); });
    }
    location.fetched.push_back(fetched.get());
  }
  return location;
}

jwt::Verification JwtKeys::Verify(Location& location, const config::JwtSettings& settings,
                                  std::string_view token) {
  const jwt::KeySet* some[16];
  size_t count = 0;
  for (const jwt::KeySet* set : location.files) some[count++] = set;
  for (FetchedKeys* fetched : location.fetched) {
    if (fetched->IsOlderThan(std::max(settings.key_cache, FetchedKeys::kInterval))) {
      fetched->Refresh();
    }
    if (fetched->keys() != nullptr) some[count++] = fetched->keys();
  }
  const std::span<const jwt::KeySet* const> sets(some, count);
  const int64_t now = CachedNow().unix_milliseconds;
  const int64_t leeway = settings.leeway.count();
  if (!settings.token_cache) return jwt::Verify(token, sets, now, leeway);
  const std::string digest = cache_.Digest(token, sets);
  if (auto known = cache_.Find(digest)) {
    if (jwt::CheckTimes(*known, now, leeway) == jwt::Failure::kNone) {
      return {std::move(known), jwt::Failure::kNone, {}};
    }
    cache_.Remove(digest);
  }
  jwt::Verification verification = jwt::Verify(token, sets, now, leeway);
  if (verification.token != nullptr) cache_.Put(digest, verification.token, token.size());
  return verification;
}

void JwtKeys::Cancel() {
  for (auto& [name, fetched] : fetched_) fetched->Cancel();
}

}  // namespace framewall::filter
