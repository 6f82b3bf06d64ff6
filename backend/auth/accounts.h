// Accounts and tokens of the whole program: what this room gives to the others, in one object.
//
//   FW_ASSIGN(auto accounts, auth::Accounts::Make(loop, settings, database, {}));
//   accounts->Prepare([](Status status) { ... listen ... });
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "backend/auth/authenticator.h"
#include "backend/auth/services.h"
#include "backend/auth/session_events.h"
#include "backend/auth/tickets.h"
#include "backend/auth/token_verifier.h"
#include "backend/server/router.h"
#include "proxy/event/timer.h"
#include "proxy/event/worker_threads.h"

namespace framewall::backend::auth {

class Accounts {
 public:
  // Keys are read, and made at the first start. All that is given outlives it, and the database may
  // be destroyed after it with work of ours in its queue.
  static Result<std::unique_ptr<Accounts>> Make(event::EventLoop& loop, const Settings& settings,
                                                store::Database& database, LiveAnswers live);
  ~Accounts();

  // Remembers what ended a short while ago, and makes the first administrator. Nobody may be served
  // before `done`, which is called from the loop.
  void Prepare(std::function<void(Status)> done);

  std::vector<server::Route> Routes();
  server::Authenticator& authenticator() { return authenticator_; }
  SessionEvents& session_events() { return services_->ended; }
  Tickets& tickets() { return services_->tickets; }
  TokenVerifier& token_verifier() { return services_->tokens; }

  // Password hashes that run or wait, for metrics.
  size_t hashes_under_way() const { return services_->hasher.under_way(); }

  // SIGHUP: reads the signing keys again. The old ones stay where that fails.
  Status Reload();

 private:
  Accounts(ServicesRef services, event::EventLoop& loop);
  void Remember(std::function<void(Status)> done);
  void EveryMinute();
  void MakeKey();
  void CleanUp();

  ServicesRef services_;
  Authenticator authenticator_;
  event::Timer timer_;
  int minutes_ = 0;
  event::WorkerThreads threads_;  // for making keys
  std::unique_ptr<event::WorkerThreads::Ticket> key_ticket_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace framewall::backend::auth
