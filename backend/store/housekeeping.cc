#include "backend/store/housekeeping.h"

#include <algorithm>

#include "backend/base/time.h"
#include "backend/store/idempotency.h"
#include "backend/store/rooms.h"
#include "proxy/base/log.h"

namespace framewall::backend::store {

Housekeeping::Housekeeping(event::EventLoop& loop, Database& database,
                           std::chrono::milliseconds first)
    : database_(database), timer_(loop, [this] { CleanPiece(); }) {
  timer_.Set(first);
}

void Housekeeping::CleanPiece() {
  database_.Write<bool>(
      [now = UnixMilliseconds()](Connection& db) -> Result<bool> {
        FW_ASSIGN(const int64_t rooms, PurgeDeletedRooms(db, kPiece));
        FW_ASSIGN(const int64_t answers,
                  ExpireSavedAnswers(db, now - kSavedAnswerMilliseconds, kPiece));
        return std::max(rooms, answers) >= kPiece;
      },
      [this, alive = std::weak_ptr<bool>(alive_)](Result<bool> more) {
        if (alive.expired()) return;
        if (!more.ok()) {
          MainLog().Write(LogLevel::kError, "cleaning the database: " + more.error().message);
        }
        timer_.Set(more.ok() && *more ? kPauseBetweenPieces : kPause);
      });
}

}  // namespace framewall::backend::store
