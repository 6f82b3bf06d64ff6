#include "backend/store/timely_probe.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/log.h"

namespace framewall::backend::store {

TimelyProbe::TimelyProbe(event::EventLoop& loop, Question question,
                         std::chrono::milliseconds patience)
    : question_(std::move(question)), patience_(patience), timer_(loop, [this] { OnLate(); }) {}

void TimelyProbe::Ask(Done done) {
  if (state_ == State::kLate) return done(Late());
  waiting_.push_back(std::move(done));
  if (state_ == State::kAsked) return;
  state_ = State::kAsked;
  timer_.Set(patience_);
  question_([this](const Status& answer) { OnAnswer(answer); });
}

void TimelyProbe::OnAnswer(const Status& answer) {
  timer_.Cancel();
  if (std::exchange(state_, State::kIdle) == State::kLate && answer.ok()) {
    MainLog().Write(LogLevel::kNotice, "the database answers again");
  }
  Tell(answer);
}

// Logged once for each question, not for each who waits.
void TimelyProbe::OnLate() {
  state_ = State::kLate;
  MainLog().Write(LogLevel::kError, Late().message + "; /ready answers 503 until it does");
  Tell(Late());
}

Error TimelyProbe::Late() const {
  return Error{ErrorKind::kTimeout, ErrorSource::kInternal,
               fmt::format("the database has not answered for {} ms", patience_.count()), 0};
}

void TimelyProbe::Tell(const Status& status) {
  for (const Done& done : std::exchange(waiting_, {})) done(status);
}

}  // namespace framewall::backend::store
