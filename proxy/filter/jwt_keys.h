// Keys of auth_jwt: files, read in the master; and sets that a location answers with, fetched in
// each worker and kept. With them, tokens that were verified a short while ago.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"
#include "proxy/event/timer.h"
#include "proxy/exchange/subrequest.h"
#include "proxy/jwt/key_set.h"
#include "proxy/jwt/token_cache.h"
#include "proxy/jwt/verifier.h"

namespace framewall::filter {

class FilterServices;

// All files of auth_jwt_key_file.
class JwtKeyFiles {
 public:
  // Each problem is an error in `diagnostics`; keys that cannot be used are warnings, a file
  // without any that can is an error.
  static std::unique_ptr<JwtKeyFiles> Load(const config::Config& config,
                                           config::Diagnostics& diagnostics);
  // Null where it was not loaded.
  const jwt::KeySet* Find(const std::string& path) const;

 private:
  std::map<std::string, jwt::KeySet> sets_;
};

// The keys behind one URI of one server. At most one fetch in kInterval, whatever comes of it; what
// is known stays until a fetch brings something else.
class FetchedKeys {
 public:
  static constexpr Milliseconds kInterval{10000};
  // A fetch that takes longer has failed.
  static constexpr Milliseconds kLongest{30000};

  FetchedKeys(FilterServices& services, const config::ServerConfig& server, std::string uri,
              std::function<void()> on_change);

  // Null: none yet.
  const jwt::KeySet* keys() const { return keys_.get(); }
  bool IsOlderThan(Milliseconds age) const;
  // Begins a fetch where it is time for one. True: one is under way.
  bool Refresh();
  // `then` is called from the loop when the fetch that is under way is over, unless what it returns
  // is destroyed before.
  std::shared_ptr<void> Await(std::function<void()> then);
  // At the worker's end.
  void Cancel();

 private:
  void OnAnswer(const exchange::SubrequestAnswer& answer);
  void Fail(const std::string& why);
  void Done();

  FilterServices& services_;
  const config::ServerConfig& server_;
  const std::string uri_;
  const std::function<void()> on_change_;
  std::unique_ptr<jwt::KeySet> keys_;
  std::string digest_;  // of the text that keys_ were read from
  SteadyTime fetched_{};
  SteadyTime begun_{};
  bool has_begun_ = false;
  bool failing_ = false;
  std::unique_ptr<exchange::Subrequest> subrequest_;
  std::unique_ptr<event::Timer> deadline_;
  std::list<std::weak_ptr<std::function<void()>>> waiting_;
};

// What a worker knows.
class JwtKeys {
 public:
  JwtKeys(const JwtKeyFiles& files, FilterServices& services);

  // The keys of one location.
  struct Location {
    std::vector<const jwt::KeySet*> files;
    std::vector<FetchedKeys*> fetched;
  };
  Location& Of(const config::ServerConfig& server, const config::JwtSettings& settings);

  // Signature and times, by the keys that are known now; begins fetches that are due.
  jwt::Verification Verify(Location& location, const config::JwtSettings& settings,
                           std::string_view token);

  jwt::TokenCache& cache() { return cache_; }
  // At the worker's end: nothing is fetched any more.
  void Cancel();

 private:
  const JwtKeyFiles& files_;
  FilterServices& services_;
  std::unordered_map<const config::JwtSettings*, Location> locations_;
  std::map<std::pair<int, std::string>, std::unique_ptr<FetchedKeys>> fetched_;
  jwt::TokenCache cache_;
};

}  // namespace framewall::filter
