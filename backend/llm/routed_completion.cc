#include "backend/llm/routed_completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backend/llm/fault.h"
#include "backend/llm/openai_request.h"
#include "proxy/base/log.h"
#include "proxy/event/timer.h"

namespace framewall::backend::llm {
namespace {

constexpr std::chrono::milliseconds kBetweenRounds{300};

bool HasImageAddress(const CompletionRequest& request) {
  for (const Turn& turn : request.turns) {
    if (std::any_of(turn.images.begin(), turn.images.end(),
                    [](const std::string& image) { return IsImageAddress(image); })) {
      return true;
    }
  }
  return false;
}

class RoutedCompletion final : public Completion, private CompletionEvents {
 public:
  RoutedCompletion(event::EventLoop& loop, std::vector<const Target*> targets,
                   const Patience& patience, CompletionRequest request, CompletionEvents* events)
      : loop_(loop),
        targets_(std::move(targets)),
        patience_(patience),
        request_(std::move(request)),
        events_(events),
        has_image_address_(HasImageAddress(request_)),
        silence_(loop, [this] { OnSilence(); }),
        retry_(loop, [this] { Ask(); }) {
    // Where nobody can be asked that is told from the loop.
    if (!AskNext()) retry_.Set(std::chrono::milliseconds(0));
  }

  ~RoutedCompletion() override {
    if (current_ != nullptr) current_->breaker->Undecided();
  }

  void Pause() override {
    if (pauses_++ > 0) return;
    silence_.Cancel();
    if (completion_ != nullptr) completion_->Pause();
  }
  void Resume() override {
    if (--pauses_ > 0) return;
    if (completion_ == nullptr) return;
    WatchSilence();
    completion_->Resume();
  }

 private:
  void Ask() {
    if (AskNext()) return;
    const bool again = may_go_around_ && rounds_++ < patience_.more_rounds;
    may_go_around_ = false;
    if (!again) return Fail(last_);
    next_ = 0;
    retry_.Set(kBetweenRounds);
  }

  // The next target that may be asked; false: there is none.
  bool AskNext() {
    while (next_ < targets_.size()) {
      const Target* target = targets_[next_++];
      if (has_image_address_ && !target->provider->takes_image_addresses()) {
        last_ = Fault(400, "invalid_image_url",
                      "Images at addresses are not fetched here: send them as data: URLs.");
        continue;
      }
      const SteadyTime now = CachedNow().steady;
      if (!target->breaker->Admit(now)) {
        // What another said before is worth more than that this one is left alone.
        if (last_.code.empty()) {
          const auto left = std::chrono::ceil<std::chrono::seconds>(target->breaker->left(now));
          last_ = Fault(503, "provider_unavailable",
                        "The model's provider has failed lately and is left alone for a while.",
                        std::max(1, static_cast<int>(left.count())));
        }
        continue;
      }
      current_ = target;
      request_.model = target->model;
      completion_ = target->provider->Complete(request_, this);
      if (pauses_ > 0) {
        completion_->Pause();
      } else {
        WatchSilence();
      }
      return true;
    }
    return false;
  }

  void WatchSilence() { silence_.Set(started_ ? patience_.between_pieces : patience_.first_piece); }

  void OnPiece() {
    started_ = true;
    if (pauses_ == 0) WatchSilence();
  }
  void OnText(std::string_view piece) override {
    if (current_ == nullptr) return;
    OnPiece();
    events_->OnText(piece);
  }
  void OnReasoning(std::string_view piece) override {
    if (current_ == nullptr) return;
    OnPiece();
    events_->OnReasoning(piece);
  }
  void OnToolCall(const ToolCallPiece& piece) override {
    if (current_ == nullptr) return;
    OnPiece();
    events_->OnToolCall(piece);
  }
  void OnEnd(FinishReason reason, const Usage& usage) override {
    if (current_ == nullptr) return;
    std::exchange(current_, nullptr)->breaker->Succeeded();
    LetGo();
    events_->OnEnd(reason, usage);
  }
  void OnError(const Problem& problem) override {
    if (current_ == nullptr) return;
    TargetFailed(problem);
  }

  void OnSilence() {
    if (current_ == nullptr) return;
    TargetFailed(Fault(504, "provider_timeout",
                       started_ ? "The model's provider fell silent in the middle of its answer."
                                : "The model's provider did not begin to answer in time."));
  }

  void TargetFailed(const Problem& problem) {
    const Target* target = std::exchange(current_, nullptr);
    if (IsProvidersFault(problem)) {
      target->breaker->Failed(CachedNow().steady);
      MainLog().Write(LogLevel::kWarn,
                      fmt::format("provider \"{}\": {} ({})", target->provider_name, problem.detail,
                                  problem.code));
    } else {
      // It answered, though not what was hoped for.
      target->breaker->Succeeded();
    }
    LetGo();
    if (started_ || !IsWorthAnother(problem)) return Fail(problem);
    last_ = problem;
    may_go_around_ =
        may_go_around_ || (IsProvidersFault(problem) && problem.code != "provider_timeout" &&
                           problem.code != "provider_refused");
    retry_.Set(std::chrono::milliseconds(0));
  }

  void LetGo() {
    silence_.Cancel();
    loop_.Retire(std::move(completion_));
  }

  void Fail(const Problem& problem) {
    const Problem copy = problem;  // may be of what goes away
    events_->OnError(copy);
  }

  event::EventLoop& loop_;
  const std::vector<const Target*> targets_;
  const Patience patience_;
  CompletionRequest request_;
  CompletionEvents* const events_;
  const bool has_image_address_;

  size_t next_ = 0;
  int rounds_ = 0;
  bool may_go_around_ = false;
  const Target* current_ = nullptr;  // who is being asked
  std::unique_ptr<Completion> completion_;
  Problem last_ = Fault(503, "", "No provider of this model can be asked now.");
  bool started_ = false;
  int pauses_ = 0;
  event::Timer silence_;
  event::Timer retry_;
};

class FailingCompletion final : public Completion {
 public:
  FailingCompletion(event::EventLoop& loop, Problem problem, CompletionEvents* events)
      : problem_(std::move(problem)), timer_(loop, [this, events] { events->OnError(problem_); }) {
    timer_.Set(std::chrono::milliseconds(0));
  }
  void Pause() override {}
  void Resume() override {}

 private:
  const Problem problem_;
  event::Timer timer_;
};

}  // namespace

bool IsProvidersFault(const Problem& problem) {
  return problem.code == "provider_error" || problem.code == "provider_broken" ||
         problem.code == "provider_unavailable" || problem.code == "provider_timeout" ||
         problem.code == "provider_refused";
}

bool IsWorthAnother(const Problem& problem) {
  return IsProvidersFault(problem) || problem.code == "provider_busy";
}

std::unique_ptr<Completion> CompleteRouted(event::EventLoop& loop,
                                           std::vector<const Target*> targets,
                                           const Patience& patience, CompletionRequest request,
                                           CompletionEvents* events) {
  return std::make_unique<RoutedCompletion>(loop, std::move(targets), patience, std::move(request),
                                            events);
}

std::unique_ptr<Completion> CompleteWithError(event::EventLoop& loop, Problem problem,
                                              CompletionEvents* events) {
  return std::make_unique<FailingCompletion>(loop, std::move(problem), events);
}

}  // namespace framewall::backend::llm
