#include "backend/llm/metered_completion.h"

#include <optional>
#include <utility>

#include "backend/llm/fault.h"
#include "proxy/event/timer.h"

namespace framewall::backend::llm {
namespace {

// What both kinds of work share: the way in, the count, the way out.
class Paid : public Completion {
 public:
  Paid(event::EventLoop& loop, Meter& meter, const RecordUsage& record, Payer payer,
       std::string model, int64_t prompt_tokens)
      : loop_(loop),
        meter_(meter),
        record_(record),
        payer_(std::move(payer)),
        model_(std::move(model)),
        entrance_(loop, [this] { Knock(); }) {
    counted_.prompt_tokens = prompt_tokens;
    counted_.estimated = true;
    entrance_.Set(std::chrono::milliseconds(0));
  }

  ~Paid() override {
    inner_ = nullptr;
    Settle(nullptr);
  }

  void Pause() override {
    if (pauses_++ == 0 && inner_ != nullptr) inner_->Pause();
  }
  void Resume() override {
    if (--pauses_ == 0 && inner_ != nullptr) inner_->Resume();
  }

 protected:
  virtual std::unique_ptr<Completion> Begin() = 0;
  virtual void Refuse(const Problem& problem) = 0;

  // False: the budget is over.
  bool Count(std::string_view piece) {
    const int64_t tokens = EstimateTokens(piece);
    counted_.completion_tokens += tokens;
    return meter_.Spend(payer_, tokens);
  }

  // Once: `reported` by the provider, or null.
  void Settle(const Usage* reported) {
    if (!std::exchange(is_in_, false)) return;
    loop_.Retire(std::move(inner_));
    Usage cost = counted_;
    if (reported != nullptr && !reported->estimated) {
      cost = *reported;
      meter_.Spend(payer_, cost.prompt_tokens + cost.completion_tokens - counted_.prompt_tokens -
                               counted_.completion_tokens);
    }
    meter_.Leave(payer_);
    record_(payer_, model_, cost);
    counted_ = cost;
  }
  // It has cost nothing but the request: no provider has worked for it.
  void SettleForNothing() {
    const Usage nothing;
    Settle(&nothing);
  }
  bool is_in() const { return is_in_; }
  const Usage& counted() const { return counted_; }

 private:
  void Knock() {
    const int64_t prompt = counted_.prompt_tokens;
    meter_.Enter(payer_, prompt,
                 [this, prompt, weak = std::weak_ptr<int>(alive_), &meter = meter_,
                  payer = payer_](const Problem* problem) {
                   if (weak.expired()) {
                     // Nobody waits any more.
                     if (problem != nullptr) return;
                     meter.Spend(payer, -prompt);
                     return meter.Leave(payer);
                   }
                   if (problem != nullptr) return Refuse(*problem);
                   is_in_ = true;
                   inner_ = Begin();
                   if (inner_ == nullptr) {
                     SettleForNothing();
                     return Refuse(Fault(400, "unsupported_model", "The model cannot do this."));
                   }
                   if (pauses_ > 0) inner_->Pause();
                 });
  }

  event::EventLoop& loop_;
  Meter& meter_;
  const RecordUsage& record_;
  const Payer payer_;
  const std::string model_;
  Usage counted_;
  std::unique_ptr<Completion> inner_;
  bool is_in_ = false;
  int pauses_ = 0;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  event::Timer entrance_;
};

class PaidCompletion final : public Paid, private CompletionEvents {
 public:
  PaidCompletion(event::EventLoop& loop, Meter& meter, const RecordUsage& record,
                 CompletionRequest request, StartCompletion start, CompletionEvents* events)
      : Paid(loop, meter, record, request.payer, request.model, EstimateTokens(request)),
        request_(std::move(request)),
        start_(std::move(start)),
        events_(events) {}

 private:
  std::unique_ptr<Completion> Begin() override { return start_(std::move(request_), this); }
  void Refuse(const Problem& problem) override { events_->OnError(problem); }

  // What exceeds the budget by its last piece is still told; then it is cut.
  void OnText(std::string_view piece) override {
    if (!is_in()) return;
    has_output_ = true;
    const bool within = Count(piece);
    events_->OnText(piece);
    if (!within) Cut();
  }
  void OnReasoning(std::string_view piece) override {
    if (!is_in()) return;
    has_output_ = true;
    const bool within = Count(piece);
    events_->OnReasoning(piece);
    if (!within) Cut();
  }
  void OnToolCall(const ToolCallPiece& piece) override {
    if (!is_in()) return;
    has_output_ = true;
    const bool within = Count(piece.name) && Count(piece.arguments);
    events_->OnToolCall(piece);
    if (!within) Cut();
  }
  void OnEnd(FinishReason reason, const Usage& usage) override {
    if (!is_in()) return;
    Settle(&usage);
    events_->OnEnd(reason, counted());
  }
  void OnError(const Problem& problem) override {
    if (!is_in()) return;
    const Problem copy = problem;
    if (has_output_) {
      Settle(nullptr);
    } else {
      SettleForNothing();
    }
    events_->OnError(copy);
  }
  void Cut() {
    if (!is_in()) return;
    Settle(nullptr);
    events_->OnError(TokenBudgetExceeded());
  }

  CompletionRequest request_;
  StartCompletion start_;
  CompletionEvents* const events_;
  bool has_output_ = false;
};

int64_t EstimateInputs(const EmbeddingRequest& request) {
  int64_t tokens = 0;
  for (const std::string& input : request.inputs) tokens += EstimateTokens(input);
  return tokens;
}

class PaidEmbedding final : public Paid {
 public:
  PaidEmbedding(event::EventLoop& loop, Meter& meter, const RecordUsage& record,
                EmbeddingRequest request, StartEmbedding start, EmbeddingDone done)
      : Paid(loop, meter, record, request.payer, request.model, EstimateInputs(request)),
        request_(std::move(request)),
        start_(std::move(start)),
        done_(std::move(done)) {}

 private:
  std::unique_ptr<Completion> Begin() override {
    return start_(std::move(request_), {[this](Embeddings embeddings) {
                                          if (!is_in()) return;
                                          Settle(&embeddings.usage);
                                          embeddings.usage = counted();
                                          done_.done(std::move(embeddings));
                                        },
                                        [this](const Problem& problem) {
                                          if (!is_in()) return;
                                          const Problem copy = problem;
                                          SettleForNothing();
                                          done_.failed(copy);
                                        }});
  }
  void Refuse(const Problem& problem) override { done_.failed(problem); }

  EmbeddingRequest request_;
  StartEmbedding start_;
  const EmbeddingDone done_;
};

}  // namespace

Problem TokenBudgetExceeded() {
  return Fault(429, "token_budget_exceeded", "Your budget of tokens has come to its end.");
}

std::unique_ptr<Completion> CompleteMetered(event::EventLoop& loop, Meter& meter,
                                            const RecordUsage& record, CompletionRequest request,
                                            StartCompletion start, CompletionEvents* events) {
  return std::make_unique<PaidCompletion>(loop, meter, record, std::move(request), std::move(start),
                                          events);
}

std::unique_ptr<Completion> EmbedMetered(event::EventLoop& loop, Meter& meter,
                                         const RecordUsage& record, EmbeddingRequest request,
                                         StartEmbedding start, EmbeddingDone done) {
  return std::make_unique<PaidEmbedding>(loop, meter, record, std::move(request), std::move(start),
                                         std::move(done));
}

}  // namespace framewall::backend::llm
