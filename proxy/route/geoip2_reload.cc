#include "proxy/route/geoip2_reload.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <exception>
#include <future>
#include <string>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/event/timer.h"

namespace framewall::route {
namespace {

// How often a running check is asked whether it is over.
constexpr Milliseconds kPoll{20};

struct Outcome {
  FileIdentity seen;                               // all 0: there is no file
  std::shared_ptr<const Geoip2Database> database;  // null where there is nothing new
  std::string problem;
};

// In the thread. `known` is the file in use, `tried` the one that was looked at last.
Outcome LookAt(const std::string& path, const FileIdentity& known, const FileIdentity& tried) {
  Outcome outcome;
  outcome.seen = IdentityOf(path);
  if (outcome.seen == known || outcome.seen == tried) return outcome;
  auto opened = Geoip2Database::Open(path);
  if (opened.ok()) {
    outcome.database = std::move(opened).value();
  } else {
    outcome.problem = opened.error().message;
  }
  return outcome;
}

// Signals are the loop's; the thread is born with all of them blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

class Geoip2Reload::Watch {
 public:
  Watch(event::EventLoop& loop, const config::Geoip2Database& setting, size_t index, Geoip2& geoip2)
      : setting_(setting),
        index_(index),
        geoip2_(geoip2),
        tried_(geoip2.database(index).identity()),
        timer_(loop, [this] { OnTimer(); }) {
    timer_.Set(setting_.auto_reload);
  }

 private:
  void OnTimer() {
    if (!check_.valid()) return StartCheck();
    if (check_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      return timer_.Set(kPoll);
    }
    try {
      Take(check_.get());
    } catch (const std::exception& error) {
      MainLog().Write(LogLevel::kError,
                      "geoip2 database \"" + setting_.path + "\" is kept: " + error.what());
    }
    timer_.Set(setting_.auto_reload);
  }

  void StartCheck() {
    try {
      const SignalsBlocked blocked;
      check_ = std::async(std::launch::async, LookAt, setting_.path,
                          geoip2_.database(index_).identity(), tried_);
      timer_.Set(kPoll);
    } catch (const std::exception&) {  // no thread to be had: the next time
      timer_.Set(setting_.auto_reload);
    }
  }

  void Take(Outcome outcome) {
    geoip2_.SetChecked(index_, CachedNow().unix_seconds());
    tried_ = outcome.seen;
    if (outcome.database != nullptr) {
      geoip2_.Replace(index_, std::move(outcome.database));
      MainLog().Write(LogLevel::kNotice, "geoip2 database \"" + setting_.path + "\" is read anew");
    } else if (!outcome.problem.empty()) {
      MainLog().Write(LogLevel::kError, outcome.problem + "; the one before is kept");
    }
  }

  const config::Geoip2Database& setting_;
  const size_t index_;
  Geoip2& geoip2_;
  FileIdentity tried_;
  event::Timer timer_;
  std::future<Outcome> check_;
};

Geoip2Reload::Geoip2Reload(event::EventLoop& loop, const config::Config& config, Geoip2& geoip2) {
  const auto& databases = config.http.geoip2_databases;
  for (size_t i = 0; i < databases.size(); ++i) {
    if (databases[i].auto_reload.count() == 0) continue;
    watches_.push_back(std::make_unique<Watch>(loop, databases[i], i, geoip2));
  }
}

Geoip2Reload::~Geoip2Reload() = default;

}  // namespace framewall::route
