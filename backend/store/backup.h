// A copy of the database while it is in use.
#pragma once

#include <functional>
#include <string>

#include "backend/store/sqlite_connection.h"
#include "proxy/base/result.h"

namespace framewall::backend::store {

// Copies the database as of one moment to `target` (mode 0600), which must not exist: it appears
// there once all of it is on the disk (TARGET.partial until then). Asked now and then whether to go
// on.
Status BackUp(SqliteConnection& db, const std::string& target, const std::function<bool()>& go_on);

// The same for whoever has no Database open, say another process. `database` must be there.
Status BackUp(const std::string& database, const std::string& target);

}  // namespace framewall::backend::store
