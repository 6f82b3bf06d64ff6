#include "backend/llm/provider_stream.h"

#include <gtest/gtest.h>

#include "tests/unit/backend/llm/fake_call.h"

namespace framewall::backend::llm {
namespace {

// What a stream tells, in pieces of `step` octets; `bad` where it was no such stream.
Told Read(MakeStream make, std::string_view text, size_t step, bool* bad = nullptr) {
  Told told;
  const auto stream = make(&told);
  for (size_t at = 0; at < text.size(); at += step) {
    if (stream->Read(text.substr(at, step)).ok()) continue;
    if (bad != nullptr) *bad = true;
    return told;
  }
  stream->Finish();
  return told;
}

template <class Check>
void Expect(MakeStream make, std::string_view text, Check check) {
  for (const size_t step : {size_t{1}, size_t{7}, text.size() + 1}) check(Read(make, text, step));
}

TEST(OpenAiStream, ReadsChunks) {
  Expect(MakeOpenAiStream,
         "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
         ": waiting\n\n"
         "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n\n"
         "data: {\"choices\":[{\"delta\":{\"content\":\"Привет\"}}],\"error\":null}\n\n"
         "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
         "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n"
         "data: [DONE]\n\n"
         "data: {\"choices\":[{\"delta\":{\"content\":\"too late\"}}]}\n\n",
         [](const Told& told) {
           EXPECT_EQ(told.text, "Привет");
           EXPECT_EQ(told.reasoning, "Hm");
           EXPECT_EQ(told.ends, 1);
           EXPECT_EQ(told.reason, FinishReason::kLength);
           EXPECT_EQ(told.usage.prompt_tokens, 3);
           EXPECT_EQ(told.usage.completion_tokens, 4);
           EXPECT_FALSE(told.usage.estimated);
         });
}

TEST(OpenAiStream, HasNoEndWithoutItsMark) {
  Expect(MakeOpenAiStream,
         "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n",
         [](const Told& told) { EXPECT_FALSE(told.over()); });
}

TEST(OpenAiStream, TellsCallsApart) {
  Expect(
      MakeOpenAiStream,
      // Numbered as they should be, then two with the same number.
      R"(data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]})"
      "\n\n"
      R"(data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]})"
      "\n\n"
      R"(data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"[]"}}]}}]})"
      "\n\n"
      R"(data: {"choices":[{"delta":{"tool_calls":[{"id":"c","index":5,"function":{"name":"h","arguments":"1"}}]}}]})"
      "\n\ndata: [DONE]\n\n",
      [](const Told& told) {
        ASSERT_EQ(told.calls.size(), 3u);
        EXPECT_EQ(told.calls[0].id + told.calls[0].name + told.calls[0].arguments, "af{}");
        EXPECT_EQ(told.calls[1].id + told.calls[1].name + told.calls[1].arguments, "bg[]");
        EXPECT_EQ(told.calls[2].id + told.calls[2].name + told.calls[2].arguments, "ch1");
        EXPECT_TRUE(told.usage.estimated);
      });
}

TEST(OpenAiStream, AnErrorEndsIt) {
  Expect(MakeOpenAiStream, "data: {\"error\":{\"message\":\"secret words\"}}\n\ndata: [DONE]\n\n",
         [](const Told& told) {
           EXPECT_EQ(told.ends, 0);
           ASSERT_EQ(told.errors.size(), 1u);
           EXPECT_EQ(told.errors[0].code, "provider_error");
           EXPECT_EQ(told.errors[0].detail.find("secret"), std::string::npos);
         });
}

TEST(OpenAiStream, RefusesWhatIsNoJson) {
  bool bad = false;
  Read(MakeOpenAiStream, "data: {\"choices\":[\n\n", 5, &bad);
  EXPECT_TRUE(bad);
}

TEST(OllamaStream, ReadsLines) {
  Expect(
      MakeOllamaStream,
      "{\"message\":{\"content\":\"\",\"thinking\":\"Hm\"},\"done\":false}\n"
      "{\"message\":{\"content\":\"a\"},\"done\":false}\r\n"
      "{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]}}\n"
      "{\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":4}",
      [](const Told& told) {
        EXPECT_EQ(told.text, "a");
        EXPECT_EQ(told.reasoning, "Hm");
        ASSERT_EQ(told.calls.size(), 1u);
        EXPECT_EQ(told.calls[0].arguments, "{\"a\":1}");
        EXPECT_TRUE(told.calls[0].id.starts_with("call_"));
        EXPECT_EQ(told.ends, 1);
        EXPECT_EQ(told.reason, FinishReason::kToolCalls);
        EXPECT_EQ(told.usage.completion_tokens, 4);
      });
  Expect(MakeOllamaStream, "{\"response\":\"a\"}\n{\"response\":\"\",\"done\":true}\n",
         [](const Told& told) {
           EXPECT_EQ(told.text, "a");
           EXPECT_EQ(told.ends, 1);
           EXPECT_TRUE(told.usage.estimated);
         });
}

TEST(OllamaStream, HasNoEndWithoutItsMark) {
  for (const char* cut :
       {"{\"response\":\"a\",\"done\":false}\n", "{\"response\":\"a\"}\n{\"done\":tr"}) {
    Expect(MakeOllamaStream, cut, [](const Told& told) {
      EXPECT_EQ(told.text, "a");
      EXPECT_FALSE(told.over());
    });
  }
  Expect(MakeOllamaStream, "{\"error\":\"no\"}\n{\"done\":true}\n", [](const Told& told) {
    EXPECT_EQ(told.ends, 0);
    EXPECT_EQ(told.errors.size(), 1u);
  });
}

TEST(AnthropicStream, ReadsEvents) {
  Expect(
      MakeAnthropicStream,
      R"(data: {"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":2,"output_tokens":1}}})"
      "\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}})"
      "\n\n"
      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}})"
      "\n\n"
      R"(data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a"}})"
      "\n\n"
      R"(data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f"}})"
      "\n\n"
      R"(data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}})"
      "\n\n"
      R"(data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}})"
      "\n\ndata: {\"type\":\"message_stop\"}\n\n",
      [](const Told& told) {
        EXPECT_EQ(told.text, "a");
        EXPECT_EQ(told.reasoning, "Hm");
        ASSERT_EQ(told.calls.size(), 1u);
        EXPECT_EQ(told.calls[0].id + told.calls[0].name + told.calls[0].arguments, "tf{}");
        EXPECT_EQ(told.ends, 1);
        EXPECT_EQ(told.reason, FinishReason::kToolCalls);
        EXPECT_EQ(told.usage.prompt_tokens, 5);
        EXPECT_EQ(told.usage.completion_tokens, 9);
      });
}

TEST(AnthropicStream, KnowsAllReasons) {
  const std::pair<const char*, FinishReason> reasons[] = {
      {"end_turn", FinishReason::kStop},
      {"stop_sequence", FinishReason::kStop},
      {"pause_turn", FinishReason::kStop},
      {"max_tokens", FinishReason::kLength},
      {"model_context_window_exceeded", FinishReason::kLength},
      {"tool_use", FinishReason::kToolCalls},
      {"refusal", FinishReason::kContentFilter},
  };
  for (const auto& [name, reason] : reasons) {
    const Told told =
        Read(MakeAnthropicStream,
             std::string(R"(data: {"type":"message_delta","delta":{"stop_reason":")") + name +
                 "\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
             1000);
    EXPECT_EQ(told.reason, reason) << name;
    EXPECT_EQ(told.ends, 1);
  }
}

TEST(AnthropicStream, ErrorsAndCuts) {
  Expect(MakeAnthropicStream,
         R"(data: {"type":"error","error":{"type":"overloaded_error","message":"x"}})"
         "\n\ndata: {\"type\":\"message_stop\"}\n\n",
         [](const Told& told) {
           EXPECT_EQ(told.ends, 0);
           ASSERT_EQ(told.errors.size(), 1u);
           EXPECT_EQ(told.errors[0].status, 503);
         });
  Expect(MakeAnthropicStream,
         "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
         [](const Told& told) { EXPECT_FALSE(told.over()); });
}

}  // namespace
}  // namespace framewall::backend::llm
