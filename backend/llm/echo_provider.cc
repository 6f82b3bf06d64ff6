#include "backend/llm/echo_provider.h"

#include <string>
#include <utility>

#include "proxy/event/timer.h"

namespace framewall::backend::llm {
namespace {

class EchoCompletion final : public Completion {
 public:
  EchoCompletion(event::EventLoop& loop, std::chrono::milliseconds pause,
                 const CompletionRequest& request, CompletionEvents* events)
      : pause_(pause),
        events_(events),
        text_(kEchoPreamble),
        prompt_tokens_(EstimateTokens(request)),
        max_tokens_(request.max_tokens),
        timer_(loop, [this] { Say(); }) {
    for (auto turn = request.turns.rbegin(); turn != request.turns.rend(); ++turn) {
      if (turn->role != "user") continue;
      text_ += turn->text;
      break;
    }
    timer_.Set(pause_);
  }

  void Pause() override {
    if (pauses_++ == 0) timer_.Cancel();
  }
  void Resume() override {
    if (--pauses_ == 0 && !done_) timer_.Set(pause_);
  }

 private:
  // The next word with the white space behind it.
  std::string_view TakeWord() {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::string_view rest = std::string_view(text_).substr(said_);
    size_t end = rest.find_first_of(kSpace);
    if (end != rest.npos) end = rest.find_first_not_of(kSpace, end);
    const std::string_view word = rest.substr(0, end);
    said_ += word.size();
    return word;
  }

  void Say() {
    if (said_ == text_.size()) return End(FinishReason::kStop);
    if (max_tokens_.has_value() && tokens_ >= *max_tokens_) return End(FinishReason::kLength);
    const std::string_view word = TakeWord();
    tokens_ += EstimateTokens(word);
    timer_.Set(pause_);
    events_->OnText(word);
  }

  void End(FinishReason reason) {
    done_ = true;
    events_->OnEnd(reason, Usage{prompt_tokens_, tokens_, true});
  }

  const std::chrono::milliseconds pause_;
  CompletionEvents* const events_;
  std::string text_;
  size_t said_ = 0;
  int64_t tokens_ = 0;
  const int64_t prompt_tokens_;
  const std::optional<int64_t> max_tokens_;
  int pauses_ = 0;
  bool done_ = false;
  event::Timer timer_;
};

}  // namespace

std::unique_ptr<Completion> EchoProvider::Complete(const CompletionRequest& request,
                                                   CompletionEvents* events) {
  return std::make_unique<EchoCompletion>(loop_, pause_, request, events);
}

}  // namespace framewall::backend::llm
