// A backup: a directory that can be the next server.data_dir, with the database as of one moment
// and the keys that go with it.
//
//   DIR/                 0700
//     backend.db         0600
//     keys/              what the data directory's keys/ holds: signing keys, the cookies' key
//     admin-password     while the first administrator has not changed it
#pragma once

#include <string>

#include "backend/settings/settings.h"
#include "proxy/base/result.h"

namespace framewall::backend {

// The database's file in the data directory.
std::string DatabasePath(const Settings& settings);

// Copies the data directory of `settings`, also while another process serves from it, to
// `directory`, which must not exist: it appears whole and on the disk (DIRECTORY.partial until
// then). Signing keys of a mounted directory are not ours and are left out. A sentence of what was
// done.
Result<std::string> MakeBackup(const Settings& settings, const std::string& directory);

}  // namespace framewall::backend
