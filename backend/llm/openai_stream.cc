#include <string>
#include <utility>
#include <vector>

#include "backend/llm/event_stream.h"
#include "backend/llm/fault.h"
#include "backend/llm/provider_stream.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;

FinishReason ReasonOf(std::string_view name) {
  if (name == "length") return FinishReason::kLength;
  if (name == "content_filter") return FinishReason::kContentFilter;
  if (name == "tool_calls" || name == "function_call") return FinishReason::kToolCalls;
  return FinishReason::kStop;
}

class OpenAiStream final : public ProviderStream {
 public:
  explicit OpenAiStream(CompletionEvents* to) : ProviderStream(to) { usage_.estimated = true; }

  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view, std::string_view data) {
      if (over() || !status.ok()) return;
      if (data == "[DONE]") return Complete(reason_, usage_);
      status = ReadChunk(data);
    }));
    return status;
  }

 private:
  Status ReadChunk(std::string_view data) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(data, kPieceLimits));
    const json::Value chunk = document.root();
    if (HasError(chunk)) {
      Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
      return OkStatus();
    }
    if (const auto usage = chunk.Find("usage");
        usage.has_value() && usage->kind() == Kind::kObject) {
      usage_ = {IntegerMember(*usage, "prompt_tokens"), IntegerMember(*usage, "completion_tokens"),
                false};
    }
    const auto choices = chunk.Find("choices");
    if (!choices.has_value() || choices->kind() != Kind::kArray || choices->size() == 0) {
      return OkStatus();
    }
    const json::Value choice = choices->At(0);
    if (const auto delta = choice.Find("delta")) ReadDelta(*delta);
    if (const std::string_view reason = TextMember(choice, "finish_reason"); !reason.empty()) {
      reason_ = ReasonOf(reason);
    }
    return OkStatus();
  }

  void ReadDelta(const json::Value& delta) {
    for (const std::string_view name : {"reasoning_content", "reasoning"}) {
      if (const auto text = TextMember(delta, name); !text.empty()) {
        events().OnReasoning(text);
        break;
      }
    }
    for (const std::string_view name : {"content", "refusal"}) {
      if (const auto text = TextMember(delta, name); !text.empty()) events().OnText(text);
    }
    const auto calls = delta.Find("tool_calls");
    if (!calls.has_value() || calls->kind() != Kind::kArray) return;
    for (size_t i = 0; i < calls->size(); ++i) ReadToolCall(calls->At(i));
  }

  void ReadToolCall(const json::Value& call) {
    const std::string_view id = TextMember(call, "id");
    const auto function = call.Find("function");
    ToolCallPiece piece;
    if (function.has_value()) {
      piece.name = TextMember(*function, "name");
      piece.arguments = TextMember(*function, "arguments");
    }
    // Numbers are the provider's; some number all of them 0, and another id tells them apart.
    const int64_t number = IntegerMember(call, "index");
    size_t known = calls_.size();
    for (size_t i = calls_.size(); i-- > 0;) {
      if (calls_[i].number != number) continue;
      if (id.empty() || id == calls_[i].id) known = i;
      break;
    }
    piece.index = known;
    if (known == calls_.size()) {
      calls_.push_back({number, std::string(id)});
      piece.id = id;
    } else {
      piece.name = {};
    }
    events().OnToolCall(piece);
  }

  struct Call {
    int64_t number;
    std::string id;
  };
  EventStreamReader reader_;
  std::vector<Call> calls_;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
};

}  // namespace

std::unique_ptr<ProviderStream> MakeOpenAiStream(CompletionEvents* to) {
  return std::make_unique<OpenAiStream>(to);
}

}  // namespace framewall::backend::llm
