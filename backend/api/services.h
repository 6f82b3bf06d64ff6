// What the handlers of the API stand on. All of it outlives them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/api/answer_wait.h"
#include "backend/chat/announcer.h"
#include "backend/llm/provider.h"
#include "backend/server/router.h"
#include "backend/settings/live_settings.h"
#include "backend/settings/settings.h"
#include "backend/store/database.h"

namespace framewall::backend::api {

struct Services {
  store::Database& database;
  const Settings& settings;
  LiveSettings& live;
  llm::Models& models;
  chat::Announcer& announcer;
  AnswerWaits& waits;
  std::string version;
  // For what comes back from threads.
  std::shared_ptr<const bool> alive = std::make_shared<const bool>(true);
};

// All routes of this room; `services` outlives them.
std::vector<server::Route> Routes(const Services& services);

// Reads the changed settings from the database into `services.live`. To be called before the first
// request; what is not valid any more is left at its default, with a line in the log.
void LoadLiveSettings(const Services& services, std::function<void(Status)> done);

}  // namespace framewall::backend::api
