#include <gtest/gtest.h>

#include "backend/chat/answers.h"

namespace framewall::backend::chat {
namespace {

TEST(AddressesAssistant, ByItsOfficeOrItsName) {
  for (const char* text : {
           "@assistant what is this?",
           "what is this, @assistant?",
           "@Assistant",
           "please (@ASSISTANT)",
           "first line\n@assistant second",
           "@assistant.",
           "@assistant: go on",
           "@llama3.1:8b hello",
           "so, @Llama3.1:8B!",
           "привет @assistant, ты здесь?",
       }) {
    EXPECT_TRUE(AddressesAssistant(text, "llama3.1:8b")) << text;
  }
}

TEST(AddressesAssistant, NotByPartsOfWords) {
  for (const char* text : {
           "assistant, are you there?",
           "@assistants are many",
           "mail me@assistant.example",
           "@assistant.example is a host",
           "@assistant-2",
           "@assistantа",  // a Cyrillic letter behind it
           "ы@assistant",
           "@@assistant",
           "@assist",
           "@llama3",
           "@llama3.1:8bit",
           "@",
           "",
       }) {
    EXPECT_FALSE(AddressesAssistant(text, "llama3.1:8b")) << text;
  }
}

TEST(AddressesAssistant, ARoomWithoutAModelNameIsAddressedByOfficeAlone) {
  EXPECT_TRUE(AddressesAssistant("@assistant", ""));
  EXPECT_FALSE(AddressesAssistant("@ hello", ""));
}

}  // namespace
}  // namespace framewall::backend::chat
