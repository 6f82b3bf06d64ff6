// Records in the database.
#pragma once

#include <memory>

#include "backend/chat/records.h"
#include "backend/store/database.h"

namespace framewall::backend::chat {

// `database` outlives it.
std::unique_ptr<Records> MakeDatabaseRecords(store::Database& database);

}  // namespace framewall::backend::chat
