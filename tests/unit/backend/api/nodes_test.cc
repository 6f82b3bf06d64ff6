#include "backend/api/nodes.h"

#include <gtest/gtest.h>

#include "backend/server/page.h"
#include "proxy/json/document.h"

namespace framewall::backend::api {
namespace {

store::Message Whole() {
  store::Message message;
  message.id = "01a1ffe6-8041-7c5e-ba21-80a5c9c19556";
  message.room = "01a1ffe6-844e-7d30-ae3c-346c9f7f0c14";
  message.number = 42;
  message.role = "user";
  message.author = store::Person{"u1", "ann", "An\"n\\ \xE2\x80\xA8"};
  message.text = "a \"b\"\n\t\\ \x01 </script> ёж 👩\xE2\x80\x8D👧";
  message.state = "whole";
  message.created = 1'000;
  message.edited = 2'000;
  message.deleted = 3'000;
  message.client_id = "c\"1";
  return message;
}

TEST(Nodes, MessagesAreJsonWhateverTheySay) {
  const auto document = json::Document::Parse(MessageText(Whole()));
  ASSERT_TRUE(document.ok()) << MessageText(Whole());
  const json::Value root = document->root();
  EXPECT_EQ(root.size(), 11u);
  EXPECT_EQ(root.Find("text")->AsString(), Whole().text);
  EXPECT_EQ(root.Find("number")->AsInteger(), 42);
  EXPECT_EQ(root.Find("author")->Find("display_name")->AsString(), Whole().author->display_name);
  EXPECT_EQ(root.Find("created")->AsString(), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(root.Find("edited")->AsString(), "1970-01-01T00:00:02.000Z");
  EXPECT_EQ(root.Find("deleted")->AsString(), "1970-01-01T00:00:03.000Z");
  EXPECT_EQ(root.Find("client_id")->AsString(), "c\"1");
}

TEST(Nodes, WhatSaysNothingIsLeftOut) {
  store::Message message = Whole();
  message.role = "assistant";
  message.author.reset();
  message.asked_by = store::Person{"u1", "ann", "Ann"};
  message.model = "echo";
  message.edited = message.deleted = 0;
  message.client_id.clear();
  const auto document = json::Document::Parse(MessageText(message));
  ASSERT_TRUE(document.ok());
  for (const char* name : {"author", "edited", "deleted", "client_id"}) {
    EXPECT_FALSE(document->root().Find(name).has_value()) << name;
  }
  EXPECT_EQ(document->root().Find("asked_by")->Find("name")->AsString(), "ann");
  EXPECT_EQ(document->root().Find("model")->AsString(), "echo");
}

TEST(Nodes, PagesAsTextAreThoseOfTrees) {
  const auto append = [](std::string& text, int item) { text += std::to_string(item); };
  const auto node = [](int item) { return json::Node(item); };
  const auto position = [](int item) { return std::to_string(item); };
  const server::PageRequest two = {.limit = 2, .behind = {}};
  for (const std::vector<int>& found : {std::vector<int>{}, std::vector<int>{9},
                                        std::vector<int>{9, 8}, std::vector<int>{9, 8, 7}}) {
    EXPECT_EQ(ToPageText(found, two, "list", append, position),
              ToPage(found, two, "list", node, position).Text());
  }
}

}  // namespace
}  // namespace framewall::backend::api
