#include "backend/llm/openai_api.h"

#include <gtest/gtest.h>

#include "backend/llm/echo_provider.h"
#include "backend/llm/model_routes.h"
#include "backend/llm/openai_error.h"
#include "proxy/json/pointer.h"
#include "tests/unit/backend/llm/fake_call.h"

namespace framewall::backend::llm {
namespace {

struct Recorded {
  Payer payer;
  std::string model;
  Usage usage;
};

class OpenAiApi : public testing::Test {
 protected:
  OpenAiApi() {
    Settings settings;
    settings.providers = {{"echo", "echo"}};
    settings.models = {{"echo", "echo"}, {"org/echo:1", "echo", "echo"}};
    auto made = MakeModels(
        loop_, settings, *meter_, [this](const Payer& payer, const std::string& model, const Usage& usage) {
          recorded_.push_back({payer, model, usage});
        });
    EXPECT_TRUE(made.ok());
    models_ = std::move(made).value();
    routes_ = OpenAiRoutes(*models_);
  }

  std::shared_ptr<FakeCall> Chat(std::string body) {
    return Ask(loop_, routes_, "POST", "/v1/chat/completions", std::move(body));
  }
  // A value of a JSON text; strings without quotes.
  static std::string At(const std::string& text, std::string_view pointer) {
    const auto document = json::Document::Parse(text);
    if (!document.ok()) return "no JSON: " + text;
    const auto value = json::Resolve(document->root(), *json::ParsePointer(pointer));
    if (!value.has_value()) return "nothing";
    return value->kind() == json::Kind::kString ? std::string(value->AsString()) : value->Text();
  }
  void ExpectInvalid(const std::string& body, const std::string& param, const std::string& code) {
    const auto call = Chat(body);
    ASSERT_TRUE(call->reply.has_value()) << body;
    EXPECT_EQ(call->reply->status, 400) << body;
    EXPECT_EQ(At(call->reply->body, "/error/type"), "invalid_request_error");
    EXPECT_EQ(At(call->reply->body, "/error/param"), param) << body;
    EXPECT_EQ(At(call->reply->body, "/error/code"), code) << body;
    EXPECT_NE(At(call->reply->body, "/error/message"), "");
  }

  event::EventLoop loop_;
  std::vector<Recorded> recorded_;
  const std::unique_ptr<Meter> meter_ = MakeLocalMeter({.concurrent = 16}, {});
  std::unique_ptr<Models> models_;
  std::vector<server::Route> routes_;
};

TEST_F(OpenAiApi, AnswersWhole) {
  const auto call = Chat(R"({"model":"echo","messages":[{"role":"user","content":"Hi \"you\""}]})");
  ASSERT_TRUE(call->reply.has_value());
  const std::string& body = call->reply->body;
  EXPECT_EQ(call->reply->status, 200);
  EXPECT_EQ(At(body, "/object"), "chat.completion");
  EXPECT_EQ(At(body, "/model"), "echo");
  EXPECT_EQ(At(body, "/choices/0/message/role"), "assistant");
  EXPECT_EQ(At(body, "/choices/0/message/content"), std::string(kEchoPreamble) + "Hi \"you\"");
  EXPECT_EQ(At(body, "/choices/0/finish_reason"), "stop");
  EXPECT_NE(At(body, "/usage/completion_tokens"), "0");
  EXPECT_TRUE(At(body, "/id").starts_with("chatcmpl-"));
  // What was told is what is written down.
  ASSERT_EQ(recorded_.size(), 1u);
  EXPECT_EQ(recorded_[0].payer.user, "anna");
  EXPECT_EQ(recorded_[0].payer.key, "");
  EXPECT_EQ(recorded_[0].model, "echo");
  EXPECT_TRUE(recorded_[0].usage.estimated);
  EXPECT_EQ(At(body, "/usage/completion_tokens"),
            std::to_string(recorded_[0].usage.completion_tokens));
  EXPECT_EQ(At(body, "/usage/prompt_tokens"), std::to_string(recorded_[0].usage.prompt_tokens));
}

TEST_F(OpenAiApi, Streams) {
  const auto call =
      Chat(R"({"model":"echo","stream":true,"messages":[{"role":"user","content":"one two"}]})");
  EXPECT_EQ(call->stream_status, 200);
  EXPECT_EQ(call->stream_type, "text/event-stream; charset=utf-8");
  EXPECT_TRUE(call->stream_ended);
  EXPECT_TRUE(call->stream_closes);
  std::string text;
  std::vector<std::string> chunks;
  for (size_t at = 0, end; (end = call->streamed.find("\n\n", at)) != std::string::npos;
       at = end + 2) {
    const std::string event = call->streamed.substr(at, end - at);
    ASSERT_TRUE(event.starts_with("data: ")) << event;
    chunks.push_back(event.substr(6));
  }
  ASSERT_GT(chunks.size(), 4u);  // word by word
  EXPECT_EQ(chunks.back(), "[DONE]");
  chunks.pop_back();
  EXPECT_EQ(At(chunks.front(), "/choices/0/delta/role"), "assistant");
  EXPECT_EQ(At(chunks.back(), "/choices/0/finish_reason"), "stop");
  for (const std::string& chunk : chunks) {
    EXPECT_EQ(At(chunk, "/object"), "chat.completion.chunk");
    EXPECT_EQ(At(chunk, "/id"), At(chunks.front(), "/id"));
    EXPECT_EQ(At(chunk, "/usage"), "nothing");
    const std::string piece = At(chunk, "/choices/0/delta/content");
    if (piece != "nothing") text += piece;
  }
  EXPECT_EQ(text, std::string(kEchoPreamble) + "one two");
}

TEST_F(OpenAiApi, TellsUsageInAStreamWhereAsked) {
  const auto call = Chat(R"({"model":"echo","stream":true,"stream_options":{"include_usage":true},)"
                         R"("messages":[{"role":"user","content":"one"}]})");
  const std::string& all = call->streamed;
  const size_t last = all.find(R"("choices":[],"usage":{)");
  ASSERT_NE(last, all.npos) << all;
  EXPECT_NE(all.find(R"("usage":null)"), all.npos);
  EXPECT_TRUE(all.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(recorded_.size(), 1u);
}

TEST_F(OpenAiApi, CutsAtMaxTokens) {
  const auto call = Chat(
      R"({"model":"echo","max_tokens":2,"messages":[{"role":"user","content":"one two three"}]})");
  EXPECT_EQ(At(call->reply->body, "/choices/0/finish_reason"), "length");
  EXPECT_EQ(At(call->reply->body, "/choices/0/message/content"), "This ");
}

TEST_F(OpenAiApi, RefusesUnknownModels) {
  const auto call = Chat(R"({"model":"gpt-9","messages":[{"role":"user","content":"Hi"}]})");
  ASSERT_TRUE(call->reply.has_value());
  EXPECT_EQ(call->reply->status, 404);
  EXPECT_EQ(At(call->reply->body, "/error/code"), "model_not_found");
  EXPECT_EQ(At(call->reply->body, "/error/type"), "invalid_request_error");
  EXPECT_TRUE(recorded_.empty());
}

TEST_F(OpenAiApi, NamesTheBadParameter) {
  ExpectInvalid("{", "null", "invalid_json");
  ExpectInvalid("[]", "null", "invalid_json");
  ExpectInvalid(R"({"messages":[{"role":"user","content":"a"}]})", "model",
                "missing_required_parameter");
  ExpectInvalid(R"({"model":"echo"})", "messages", "missing_required_parameter");
  ExpectInvalid(R"({"model":"echo","messages":[]})", "messages", "invalid_value");
  ExpectInvalid(R"({"model":"echo","messages":"Hi"})", "messages", "invalid_type");
  ExpectInvalid(R"({"model":"echo","messages":[{"role":"boss","content":"a"}]})",
                "messages[0].role", "invalid_value");
  ExpectInvalid(R"({"model":"echo","messages":[{"role":"user","content":"a"},{"role":"user"}]})",
                "messages[1].content", "missing_required_parameter");
  ExpectInvalid(R"({"model":"echo","messages":[{"role":"user","content":[{"type":"sound"}]}]})",
                "messages[0].content[0].type", "invalid_value");
  ExpectInvalid(R"({"model":"echo","temperature":3,"messages":[{"role":"user","content":"a"}]})",
                "temperature", "invalid_value");
  ExpectInvalid(R"({"model":"echo","n":2,"messages":[{"role":"user","content":"a"}]})", "n",
                "unsupported_parameter");
  ExpectInvalid(
      R"({"model":"echo","stream_options":{},"messages":[{"role":"user","content":"a"}]})",
      "stream_options", "invalid_value");
  ExpectInvalid(R"({"model":"echo","messages":[{"role":"user","content":[{"type":"image_url",)"
                R"("image_url":{"url":"file:///etc/passwd"}}]}]})",
                "messages[0].content[0].image_url.url", "invalid_image_url");
}

TEST_F(OpenAiApi, TakesBothSidesOfALimit) {
  const auto ask = [&](const std::string& member) {
    return Chat(R"({"model":"echo",)" + member + R"(,"messages":[{"role":"user","content":"a"}]})")
        ->reply->status;
  };
  EXPECT_EQ(ask(R"("temperature":2)"), 200);
  EXPECT_EQ(ask(R"("temperature":2.01)"), 400);
  EXPECT_EQ(ask(R"("temperature":0)"), 200);
  EXPECT_EQ(ask(R"("temperature":-0.01)"), 400);
  EXPECT_EQ(ask(R"("max_tokens":1)"), 200);
  EXPECT_EQ(ask(R"("max_tokens":0)"), 400);
  EXPECT_EQ(ask(R"("temperature":null)"), 200);
}

TEST_F(OpenAiApi, NeverFetchesImages) {
  const auto call =
      Chat(R"({"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"look"},)"
           R"({"type":"image_url","image_url":{"url":"http://10.0.0.1/secret"}}]}]})");
  EXPECT_EQ(call->reply->status, 400);
  EXPECT_EQ(At(call->reply->body, "/error/code"), "invalid_image_url");
}

TEST_F(OpenAiApi, ListsAndFindsModels) {
  const auto list = Ask(loop_, routes_, "GET", "/v1/models", "");
  EXPECT_EQ(At(list->reply->body, "/object"), "list");
  EXPECT_EQ(At(list->reply->body, "/data/1/id"), "org/echo:1");
  EXPECT_EQ(At(list->reply->body, "/data/1/owned_by"), "echo");
  const auto one = Ask(loop_, routes_, "GET", "/v1/models/{id...}", "", {{"id", "org/echo:1"}});
  EXPECT_EQ(At(one->reply->body, "/id"), "org/echo:1");
  const auto none = Ask(loop_, routes_, "GET", "/v1/models/{id...}", "", {{"id", "org/echo"}});
  EXPECT_EQ(none->reply->status, 404);
  EXPECT_EQ(At(none->reply->body, "/error/code"), "model_not_found");
}

TEST_F(OpenAiApi, StopsWhenTheClientIsGone) {
  auto call = std::make_shared<FakeCall>(
      loop_, R"({"model":"echo","stream":true,"messages":[{"role":"user","content":"a b c"}]})");
  const std::weak_ptr<FakeCall> watch = call;
  routes_[0].handler(call);
  while (call->streamed.empty()) loop_.RunOnce(std::chrono::milliseconds(5));
  call->GoAway();
  call.reset();
  loop_.RunOnce(std::chrono::milliseconds(0));
  loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_TRUE(watch.expired());
  // What was streamed until then is paid for.
  ASSERT_EQ(recorded_.size(), 1u);
  EXPECT_GT(recorded_[0].usage.completion_tokens, 0);
}

TEST(OpenAiError, SaysWhenWaitingHelps) {
  Problem soon{.status = 429, .code = "tokens_per_minute", .detail = "", .fields = {}};
  soon.retry_after = 60;
  EXPECT_EQ(RetryFields(soon), (server::Fields{{"retry-after", "60"}}));
  soon.retry_after = 61;
  EXPECT_EQ(RetryFields(soon),
            (server::Fields{{"retry-after", "61"}, {"x-should-retry", "false"}}));
  soon.retry_after = 0;
  EXPECT_EQ(RetryFields(soon), (server::Fields{{"x-should-retry", "false"}}));
}

}  // namespace
}  // namespace framewall::backend::llm
