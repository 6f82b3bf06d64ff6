// What nobody waits for: messages of deleted rooms and saved answers that are too old go, in small
// pieces between other writes.
#pragma once

#include <memory>

#include "backend/store/database.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::backend::store {

class Housekeeping {
 public:
  static constexpr std::chrono::milliseconds kPause{60'000};
  static constexpr std::chrono::milliseconds kPauseBetweenPieces{50};
  static constexpr int64_t kPiece = 500;  // rows

  // Both outlive it. Begins `first` after this; then again every kPause.
  Housekeeping(event::EventLoop& loop, Database& database,
               std::chrono::milliseconds first = kPause);

 private:
  void CleanPiece();

  Database& database_;
  event::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace framewall::backend::store
