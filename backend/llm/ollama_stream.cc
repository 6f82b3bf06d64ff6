#include <string>
#include <utility>
#include <vector>

#include "backend/base/id.h"
#include "backend/llm/fault.h"
#include "backend/llm/ndjson.h"
#include "backend/llm/provider_stream.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;

class OllamaStream final : public ProviderStream {
 public:
  explicit OllamaStream(CompletionEvents* to) : ProviderStream(to) {}

  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view line) {
      if (!over() && status.ok()) status = ReadLine(line);
    }));
    return status;
  }

  void Finish() override {
    // A last line that is cut is no JSON, and the end mark is missing either way.
    reader_.Finish([&](std::string_view line) {
      if (!over()) (void)ReadLine(line).ok();
    });
  }

 private:
  Status ReadLine(std::string_view line) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(line, kPieceLimits));
    const json::Value root = document.root();
    if (HasError(root)) {
      Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
      return OkStatus();
    }
    // /api/generate
    if (const auto text = TextMember(root, "thinking"); !text.empty()) events().OnReasoning(text);
    if (const auto text = TextMember(root, "response"); !text.empty()) events().OnText(text);
    if (const auto message = root.Find("message")) ReadMessage(*message);
    const auto done = root.Find("done");
    if (done.has_value() && done->kind() == Kind::kBoolean && done->AsBoolean()) ReadDone(root);
    return OkStatus();
  }

  void ReadMessage(const json::Value& message) {
    if (const auto text = TextMember(message, "thinking"); !text.empty()) {
      events().OnReasoning(text);
    }
    if (const auto text = TextMember(message, "content"); !text.empty()) events().OnText(text);
    const auto calls = message.Find("tool_calls");
    if (!calls.has_value() || calls->kind() != Kind::kArray) return;
    for (size_t i = 0; i < calls->size(); ++i) {
      const auto function = calls->At(i).Find("function");
      if (!function.has_value()) continue;
      const auto arguments = function->Find("arguments");
      const std::string text = arguments.has_value() ? arguments->Text() : "{}";
      const std::string id = "call_" + NewId();
      events().OnToolCall(
          {.index = calls_++, .id = id, .name = TextMember(*function, "name"), .arguments = text});
    }
  }

  void ReadDone(const json::Value& root) {
    Usage usage{IntegerMember(root, "prompt_eval_count"), IntegerMember(root, "eval_count"), false};
    usage.estimated = !root.Find("eval_count").has_value();
    FinishReason reason = FinishReason::kStop;
    if (TextMember(root, "done_reason") == "length") reason = FinishReason::kLength;
    if (calls_ > 0 && reason == FinishReason::kStop) reason = FinishReason::kToolCalls;
    Complete(reason, usage);
  }

  LineReader reader_;
  size_t calls_ = 0;
};

}  // namespace

std::unique_ptr<ProviderStream> MakeOllamaStream(CompletionEvents* to) {
  return std::make_unique<OllamaStream>(to);
}

}  // namespace framewall::backend::llm
