// From root to a worker: limits, groups, user, and no way back.
#pragma once

#include <sys/types.h>

#include <string>

#include "proxy/base/result.h"
#include "proxy/config/model/http.h"

namespace framewall::process {

// Whom workers run as. Only root changes user; others stay who they are.
struct Credentials {
  bool change = false;  // are we root, so that there is something to change?
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Looks up the `user` directive's names. Without root nothing is looked up.
Result<Credentials> ResolveCredentials(const config::MainConfig& main);

// In the worker: priority, limits, groups, user, working directory, no-new-privileges. What nginx
// only complains about is an [alert] here too; what must not be ignored is the error.
Status EnterWorker(const config::MainConfig& main, const Credentials& credentials);

}  // namespace framewall::process
