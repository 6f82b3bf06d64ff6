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
  if (name == "max_tokens" || name == "model_context_window_exceeded") return FinishReason::kLength;
  if (name == "tool_use") return FinishReason::kToolCalls;
  if (name == "refusal") return FinishReason::kContentFilter;
  return FinishReason::kStop;  // end_turn, stop_sequence, pause_turn
}

class AnthropicStream final : public ProviderStream {
 public:
  explicit AnthropicStream(CompletionEvents* to) : ProviderStream(to) { usage_.estimated = true; }

  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view, std::string_view data) {
      if (!over() && status.ok()) status = ReadEvent(data);
    }));
    return status;
  }

 private:
  // The type stands in the data too; ping and what is not known mean nothing to us.
  Status ReadEvent(std::string_view data) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(data, kPieceLimits));
    const json::Value event = document.root();
    const std::string_view type = TextMember(event, "type");
    if (type == "content_block_delta") {
      ReadDelta(event);
    } else if (type == "content_block_start") {
      ReadBlockStart(event);
    } else if (type == "message_start") {
      if (const auto message = event.Find("message")) ReadUsage(*message);
    } else if (type == "message_delta") {
      ReadUsage(event);
      if (const auto delta = event.Find("delta")) {
        const std::string_view reason = TextMember(*delta, "stop_reason");
        if (!reason.empty()) reason_ = ReasonOf(reason);
      }
    } else if (type == "message_stop") {
      Complete(reason_, usage_);
    } else if (type == "error") {
      ReadError(event);
    }
    return OkStatus();
  }

  void ReadError(const json::Value& event) {
    const auto error = event.Find("error");
    const std::string_view type = error.has_value() ? TextMember(*error, "type") : "";
    if (type == "overloaded_error") {
      return Fail(Fault(503, "provider_unavailable", "The model's provider is overloaded.", 5));
    }
    Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
  }

  void ReadUsage(const json::Value& holder) {
    const auto usage = holder.Find("usage");
    if (!usage.has_value() || usage->kind() != Kind::kObject) return;
    const int64_t input = IntegerMember(*usage, "input_tokens") +
                          IntegerMember(*usage, "cache_creation_input_tokens") +
                          IntegerMember(*usage, "cache_read_input_tokens");
    if (input > 0) usage_.prompt_tokens = input;
    if (usage->Find("output_tokens").has_value()) {
      usage_.completion_tokens = IntegerMember(*usage, "output_tokens");
      usage_.estimated = false;
    }
  }

  void ReadBlockStart(const json::Value& event) {
    const auto block = event.Find("content_block");
    if (!block.has_value()) return;
    if (TextMember(*block, "type") == "tool_use") {
      tool_block_ = IntegerMember(event, "index");
      events().OnToolCall(
          {.index = calls_++, .id = TextMember(*block, "id"), .name = TextMember(*block, "name")});
    } else if (const auto text = TextMember(*block, "text"); !text.empty()) {
      events().OnText(text);
    }
  }

  void ReadDelta(const json::Value& event) {
    const auto delta = event.Find("delta");
    if (!delta.has_value()) return;
    const std::string_view type = TextMember(*delta, "type");
    if (type == "text_delta") {
      if (const auto text = TextMember(*delta, "text"); !text.empty()) events().OnText(text);
    } else if (type == "thinking_delta") {
      const auto text = TextMember(*delta, "thinking");
      if (!text.empty()) events().OnReasoning(text);
    } else if (type == "input_json_delta" && calls_ > 0 &&
               IntegerMember(event, "index") == tool_block_) {
      const auto text = TextMember(*delta, "partial_json");
      if (!text.empty()) events().OnToolCall({.index = calls_ - 1, .arguments = text});
    }
  }

  EventStreamReader reader_;
  int64_t tool_block_ = -1;
  size_t calls_ = 0;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
};

}  // namespace

std::unique_ptr<ProviderStream> MakeAnthropicStream(CompletionEvents* to) {
  return std::make_unique<AnthropicStream>(to);
}

}  // namespace framewall::backend::llm
