// The file of the database before anybody uses it: made, locked, brought to today's schema.
#pragma once

#include <span>
#include <string>

#include "backend/store/migrations.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend::store {

// Makes the file (mode 0600) where it is missing; of one that others may read, takes that away.
// The directory must be there. A new file's name is on the disk when this returns.
Status MakePrivateFile(const std::string& path);
// The directory entries of what was made or renamed in `path`'s directory, to the disk.
Status SyncDirectoryOf(const std::string& path);

// Brings the schema of the file up to the last of `migrations`, all that is missing in one
// transaction. Who comes second waits for who came first (a lock on PATH.lock, up to a minute; it
// ends with its process). Refused: a schema newer than ours, a file of another program.
Status Migrate(const std::string& path, std::span<const Migration> migrations);

}  // namespace framewall::backend::store
