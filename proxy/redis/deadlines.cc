#include "proxy/redis/deadlines.h"

#include <utility>

#include "proxy/base/clock.h"

namespace framewall::redis {

Deadlines::Deadlines(event::EventLoop& loop, std::function<void(RequestPtr)> expired)
    : expired_(std::move(expired)), timer_(loop, [this] { Expire(); }) {}

Deadlines::~Deadlines() {
  for (const RequestPtr& request : soonest_first_) {
    request->deadlines = nullptr;
    request->on_reply = nullptr;
  }
}

void Deadlines::Add(RequestPtr request, std::chrono::milliseconds after) {
  request->patience = after;
  // Not the turn's time: what else was done in this turn (rules, hashes) is not the server's delay.
  request->deadline = std::chrono::steady_clock::now() + after;
  request->deadlines = this;
  // Nearly always the last place: all have the same time to live.
  auto place = soonest_first_.end();
  while (place != soonest_first_.begin() && (*std::prev(place))->deadline > request->deadline) {
    --place;
  }
  const bool is_first = place == soonest_first_.begin();
  Request& added = *request;
  added.place = soonest_first_.insert(place, std::move(request));
  if (is_first) Watch();
}

void Deadlines::Remove(Request& request) {
  if (request.deadlines != this) return;
  request.deadlines = nullptr;
  // The timer stays as it is: most often it is only pushed forward when it fires.
  soonest_first_.erase(request.place);
}

void Deadlines::Cancel(Request& request) {
  ++cancelled_;
  const RequestPtr keep = *request.place;
  Remove(request);
  request.on_reply = nullptr;
  if (on_cancelled) on_cancelled(request);
}

void Deadlines::Expire() {
  while (!soonest_first_.empty() && soonest_first_.front()->deadline <= CachedNow().steady) {
    const RequestPtr request = soonest_first_.front();
    Remove(*request);
    expired_(request);
  }
  Watch();
}

void Deadlines::Watch() {
  if (soonest_first_.empty()) return;
  // The kernel's wait begins now, not when the turn began. Early, it would only be set again.
  const auto left = soonest_first_.front()->deadline - std::chrono::steady_clock::now();
  timer_.Set(std::chrono::ceil<std::chrono::milliseconds>(left));
}

}  // namespace framewall::redis
