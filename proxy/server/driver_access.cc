// ExchangeDriver's access phase. With `satisfy all` each row must not refuse; with `satisfy any`
// the first that grants access ends the phase, and refusals count only when none does. A row that
// waits is asked for its verdict when it resumes.
#include "proxy/server/exchange_driver.h"

namespace framewall::server {

using filter::Phase;
using filter::Verdict;
using http::FieldId;

Verdict ExchangeDriver::AskAccessRow(size_t index) {
  const filter::PipelineRow& row = filter::Pipeline()[index];
  if (paused_row_ == index) {
    paused_row_.reset();
    if (filter_list_[index] == nullptr) return Verdict::Continue();
    return filter_list_[index]->OnResumed(exchange_);
  }
  if (row.check != nullptr) return row.check(exchange_);
  // One of an earlier location, before an internal redirect.
  services_.loop->Retire(std::move(filter_list_[index]));
  filter_list_[index] = row.make(exchange_, services_.filters);
  filter_saw_body_[index] = false;
  if (filter_list_[index] == nullptr) return Verdict::Continue();
  return filter_list_[index]->OnRequestHead(exchange_);
}

ExchangeDriver::Flow ExchangeDriver::RunAccessPhase() {
  const bool any = exchange_.settings().core.satisfy == config::Satisfy::kAny;
  const auto pipeline = filter::Pipeline();
  if (row_ == 0) access_status_ = 0;
  for (; row_ < pipeline.size(); ++row_) {
    if (pipeline[row_].phase != Phase::kAccess) continue;
    const Verdict verdict = AskAccessRow(row_);
    if (verdict.kind == Verdict::Kind::kSatisfied && any) {
      access_status_ = 0;
      exchange_.response.fields.Remove(FieldId::kWwwAuthenticate);
      return Flow::kNext;
    }
    const bool refused =
        verdict.kind == Verdict::Kind::kRespond && (verdict.status == 401 || verdict.status == 403);
    if (refused && any) {
      if (access_status_ != 401) access_status_ = verdict.status;
      continue;
    }
    if (refused) return RefuseAccess(verdict.status);
    const Flow flow = Apply(verdict);
    if (flow == Flow::kWait) paused_row_ = row_;
    if (flow != Flow::kNext) return flow;
  }
  if (access_status_ == 0) return Flow::kNext;
  if (access_status_ == 403) exchange_.LogError(LogLevel::kError, "access forbidden by rule");
  return RefuseAccess(std::exchange(access_status_, 0));
}

// auth_delay: 401 comes late, so that guessing is slow.
ExchangeDriver::Flow ExchangeDriver::RefuseAccess(int status) {
  const Milliseconds delay = exchange_.settings().access.auth_delay;
  if (status != 401 || delay.count() == 0) {
    RespondWith(status);
    return Flow::kOver;
  }
  exchange_.LogError(LogLevel::kInfo, "delaying unauthorized request");
  auth_delay_ = std::make_unique<event::Timer>(*services_.loop, [this] {
    services_.loop->Retire(std::move(auth_delay_));
    if (!complete_) RespondWith(401);
  });
  auth_delay_->Set(delay);
  step_ = Step::kDone;  // nobody resumes the walk
  return Flow::kOver;
}

}  // namespace framewall::server
