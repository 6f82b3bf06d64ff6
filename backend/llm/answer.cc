#include "backend/llm/answer.h"

#include <fmt/format.h>

#include <utility>

#include "backend/llm/fault.h"

namespace framewall::backend::llm {
namespace {

// Octets of one answer that are held at once.
constexpr size_t kMaxGathered = size_t{16} * 1024 * 1024;
constexpr size_t kMaxToolCalls = 512;

class Answering final : public CompletionEvents, public std::enable_shared_from_this<Answering> {
 public:
  Answering(server::CallRef call, bool stream, std::unique_ptr<AnswerFormat> format)
      : call_(std::move(call)), streams_(stream), format_(std::move(format)) {}

  void Start(Models& models, const CompletionRequest& request) {
    completion_ = models.Complete(request, this);
    if (completion_ == nullptr) {
      call_->Answer(format_->Refusal(ModelNotFound(request.model)));
      return;
    }
    self_ = shared_from_this();
    call_->OnGone([weak = weak_from_this()] {
      if (const auto answering = weak.lock()) answering->Finish();
    });
  }

 private:
  bool gathers_text() const { return !streams_ || format_->keeps_text(); }

  void OnText(std::string_view piece) override {
    if (done_ || piece.empty()) return;
    if (gathers_text() && !Keep(all_.text, piece)) return;
    if (!streams_) return;
    Begin();
    format_->Text(piece, out_);
    Send();
  }

  void OnReasoning(std::string_view piece) override {
    if (done_ || piece.empty()) return;
    if (gathers_text() && !Keep(all_.reasoning, piece)) return;
    if (!streams_) return;
    Begin();
    format_->Reasoning(piece, out_);
    Send();
  }

  void OnToolCall(const ToolCallPiece& piece) override {
    if (done_) return;
    if (piece.index > all_.tool_calls.size() || piece.index >= kMaxToolCalls) {
      return Fail(Fault(502, "provider_error", "The provider's tool calls are out of order."));
    }
    if (piece.index == all_.tool_calls.size()) all_.tool_calls.emplace_back();
    ToolCall& call = all_.tool_calls[piece.index];
    if (!Keep(call.id, piece.id) || !Keep(call.name, piece.name) ||
        !Keep(call.arguments, piece.arguments) || !streams_) {
      return;
    }
    Begin();
    format_->ToolCallPart(piece, out_);
    Send();
  }

  void OnEnd(FinishReason reason, const Usage& usage) override {
    if (done_) return;
    if (!streams_) {
      server::Reply reply;
      reply.body = format_->Whole(all_, reason, usage);
      call_->Answer(std::move(reply));
      return Finish();
    }
    Begin();
    format_->End(all_, reason, usage, out_);
    Send();
    stream_->End();
    Finish();
  }

  void OnError(const Problem& problem) override {
    if (!done_) Fail(problem);
  }

  void Fail(const Problem& problem) {
    if (stream_ == nullptr) {
      call_->Answer(format_->Refusal(problem));
    } else {
      format_->Broken(problem, out_);
      Send();
      stream_->End();
    }
    Finish();
  }

  bool Keep(std::string& to, std::string_view piece) {
    kept_ += piece.size();
    if (kept_ > kMaxGathered) {
      Fail(Fault(502, "answer_too_large",
                 fmt::format("The answer has more than {} octets.", kMaxGathered)));
      return false;
    }
    to += piece;
    return true;
  }

  void Begin() {
    if (stream_ != nullptr) return;
    stream_ = &call_->AnswerInPieces(200, std::string(format_->stream_type()), {},
                                     server::Afterwards::kClose);
    format_->Begin(out_);
  }

  void Send() {
    if (!out_.empty()) stream_->Write(out_);
    out_.clear();
    if (paused_ || !stream_->congested()) return;
    paused_ = true;
    completion_->Pause();
    stream_->OnDrained([weak = weak_from_this()] {
      const auto answering = weak.lock();
      if (answering == nullptr || answering->done_) return;
      answering->paused_ = false;
      answering->completion_->Resume();
    });
  }

  // We may be in an event of the completion.
  void Finish() {
    if (std::exchange(done_, true)) return;
    call_->loop().Retire(std::move(completion_));
    call_->loop().Retire(std::shared_ptr<void>(std::move(self_)));
  }

  const server::CallRef call_;
  const bool streams_;
  const std::unique_ptr<AnswerFormat> format_;
  std::unique_ptr<Completion> completion_;
  server::ReplyStream* stream_ = nullptr;  // of the call
  Gathered all_;
  size_t kept_ = 0;
  std::string out_;
  bool paused_ = false;
  bool done_ = false;
  std::shared_ptr<Answering> self_;  // until it is done
};

}  // namespace

Problem ModelNotFound(std::string_view model) {
  return Fault(404, "model_not_found",
               fmt::format("The model `{}` does not exist or you have no access to it.", model));
}

void AnswerWithModel(server::CallRef call, Models& models, const CompletionRequest& request,
                     bool stream, std::unique_ptr<AnswerFormat> format) {
  std::make_shared<Answering>(std::move(call), stream, std::move(format))->Start(models, request);
}

}  // namespace framewall::backend::llm
