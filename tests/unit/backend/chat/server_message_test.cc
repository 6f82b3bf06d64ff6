#include "backend/chat/server_message.h"

#include <gtest/gtest.h>

#include "support.h"

namespace framewall::backend::chat {
namespace {

store::Message Sample() {
  store::Message message;
  message.id = "m";
  message.room = "r";
  message.number = 42;
  message.role = "user";
  message.author = Person{"u", "ann", "Ann"};
  message.text = "<b>\"\n";
  message.state = "whole";
  message.created = 1'000;
  message.client_id = "c";
  return message;
}

TEST(ServerMessage, AMessageIsFlat) {
  EXPECT_EQ(MessageText("message", Sample()),
            R"({"type":"message","id":"m","room":"r","number":42,"role":"user",)"
            R"("author":{"id":"u","name":"ann","display_name":"Ann"},"text":"<b>\"\n",)"
            R"("state":"whole","created":"1970-01-01T00:00:01.000Z","client_id":"c"})");
}

TEST(ServerMessage, AnAnswerSaysWhoAsked) {
  store::Message answer = Sample();
  answer.role = "assistant";
  answer.author.reset();
  answer.asked_by = Person{"u", "ann", "Ann"};
  answer.model = "echo";
  answer.client_id.clear();
  const Problem problem{.status = 502, .code = "provider", .detail = "It broke.", .fields = {}};
  const llm::Usage usage{.prompt_tokens = 3, .completion_tokens = 5, .estimated = true};
  const Json end(AnswerEndText(answer, usage, problem));
  EXPECT_FALSE(end.Has("author"));
  EXPECT_EQ(end.At("asked_by").At("name").Text(), "ann");
  EXPECT_EQ(end.At("model").Text(), "echo");
  EXPECT_EQ(end.At("usage").At("completion_tokens").Number(), 5);
  EXPECT_EQ(end.At("problem").At("code").Text(), "provider");
}

TEST(ServerMessage, AnErrorIsTheApis) {
  const Problem problem{
      .status = 429, .code = "rate", .detail = "Slow.", .fields = {}, .retry_after = 2};
  EXPECT_EQ(ErrorText("x", "", problem),
            R"({"type":"error","in_reply_to":"x","problem":{"type":"urn:framewall:problem:rate",)"
            R"("title":"Too Many Requests","status":429,"code":"rate","detail":"Slow."},)"
            R"("retry_after":2})");
}

TEST(ServerMessage, AnAckOfAMessageSaysMoreThanThatOfAnEdit) {
  EXPECT_EQ(AckText("c", Sample(), true),
            R"({"type":"ack","in_reply_to":"c","room":"r","number":42,"id":"m","client_id":"c",)"
            R"("created":"1970-01-01T00:00:01.000Z","repeated":true})");
  EXPECT_EQ(AckText("", Sample(), std::nullopt),
            R"({"type":"ack","room":"r","number":42,"id":"m"})");
}

TEST(ServerMessage, WhatNeverEndsHasNoEnd) {
  EXPECT_EQ(AuthenticatedText("", 0), R"({"type":"authenticated"})");
  EXPECT_EQ(AuthenticatedText("r", 1),
            R"({"type":"authenticated","in_reply_to":"r","expires":"1970-01-01T00:00:00.001Z"})");
}

}  // namespace
}  // namespace framewall::backend::chat
