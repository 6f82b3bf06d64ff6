// People who lose their connection while others talk, and programs that others wrote: nobody misses
// a message, and nobody gets one twice.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/functional/backend_chat_testing.h"
#include "tests/support/script.h"

namespace framewall::test {
namespace {

using ChatReconnect = ChatTest;

constexpr char kFast[] = "chat: {messages: 10000, burst: 100000}\n";

// Reads what is new until `last` was heard; false where the socket ended before.
bool Hear(ChatSocket& socket, std::vector<int64_t>& heard, int64_t until) {
  while (heard.empty() || heard.back() < until) {
    const auto message = socket.Read();
    if (!message) return false;
    if (message->type() == "message") heard.push_back(message->At("number").Number());
  }
  return true;
}

bool IsOneByOne(const std::vector<int64_t>& heard) {
  for (size_t i = 0; i < heard.size(); ++i) {
    if (heard[i] != static_cast<int64_t>(i) + 1) return false;
  }
  return true;
}

TEST_F(ChatReconnect, NothingIsMissedAndNothingComesTwiceWhileOthersTalk) {
  Start(kFast);
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  constexpr int kWriters = 3;
  constexpr int kEach = 300;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      auto socket = Join(ann, room);
      for (int i = 0; i < kEach; ++i) {
        socket->Message(room, "w" + std::to_string(w) + "-" + std::to_string(i), "x");
        // A few under way at a time.
        if (i % 4 == 3) socket->Wait("ack");
      }
      socket->Say(R"({"type":"ping"})");
      socket->Wait("pong");
    });
  }
  // Bob reads a few, loses his connection without a word, and comes back.
  std::vector<int64_t> heard;
  int times = 0;
  while (static_cast<int>(heard.size()) < kWriters * kEach) {
    ++times;
    auto socket = Join(bob, room, heard.empty() ? 0 : heard.back());
    const int64_t until =
        std::min<int64_t>(kWriters * kEach, static_cast<int64_t>(heard.size()) + 37);
    ASSERT_TRUE(Hear(*socket, heard, until)) << socket->code << " " << socket->reason;
    socket->client().raw().Reset();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(IsOneByOne(heard));
  EXPECT_EQ(heard.size(), size_t{kWriters * kEach});
  EXPECT_GT(times, 20);
}

TEST_F(ChatReconnect, WhatWasAcknowledgedOutlivesAKill) {
  Start(kFast);
  ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  std::map<std::string, int64_t> acknowledged;
  std::set<std::string> unacknowledged;
  int said = 0;
  for (int round = 0; round < 5; ++round) {
    {
      auto socket = Join(ann, room);
      // What had no acknowledgement is sent again, under its name.
      for (const std::string& name : unacknowledged) socket->Message(room, name, "text of " + name);
      std::thread killer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(40 + 30 * round));
        backend.Kill();
      });
      std::thread reader([&] {
        while (const auto message = socket->Read()) {
          if (message->type() != "ack") continue;
          const std::string name = message->At("client_id").Text();
          const int64_t number = message->At("number").Number();
          const auto [at, is_new] = acknowledged.emplace(name, number);
          EXPECT_EQ(at->second, number) << name;
        }
      });
      std::vector<std::string> names;
      for (int i = 0; i < 400; ++i) {
        names.push_back("m" + std::to_string(said++));
        socket->Message(room, names.back(), "text of " + names.back());
      }
      killer.join();
      reader.join();
      for (const std::string& name : names) unacknowledged.insert(name);
      for (const auto& [name, number] : acknowledged) unacknowledged.erase(name);
    }
    ASSERT_TRUE(backend.Start()) << backend.Output();
    ann = LogIn("ann");
  }
  ASSERT_GT(acknowledged.size(), 100u);
  // All numbers from the first, in pages.
  auto socket = Join(ann, room);
  std::map<int64_t, std::string> stored;
  for (bool more = true; more;) {
    const int64_t after = stored.empty() ? 0 : stored.rbegin()->first;
    socket->Of("history", room, "\"limit\":200,\"after\":" + std::to_string(after));
    const Json page = socket->Wait("history");
    for (size_t i = 0; i < page.At("messages").size(); ++i) {
      const Json message = page.At("messages").At(i);
      const std::string name = message.At("client_id").Text();
      EXPECT_EQ(message.At("text").Text(), "text of " + name);
      stored.emplace(message.At("number").Number(), name);
    }
    more = page.At("more").Text() == "true";
  }
  EXPECT_EQ(stored.begin()->first, 1);
  EXPECT_EQ(stored.rbegin()->first, static_cast<int64_t>(stored.size()));
  std::set<std::string> names;
  for (const auto& [number, name] : stored) EXPECT_TRUE(names.insert(name).second) << name;
  for (const auto& [name, number] : acknowledged) EXPECT_EQ(stored[number], name);
}

TEST_F(ChatReconnect, ChangesOfTheMeantimeAreTold) {
  Start();
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  auto a = Join(ann, room);
  for (int i = 1; i <= 3; ++i) {
    a->Message(room, std::to_string(i), "old");
    a->Wait("ack");
  }
  a->Say(R"({"type":"ping"})");
  const std::string time = a->Wait("pong").At("time").Text();
  a->Of("edit", room, R"("number":1,"text":"new")");
  a->Wait("edited");
  a->Of("delete", room, R"("number":2)");
  a->Wait("deleted");
  auto b = Come(ann);
  b->Hello(R"({"room":")" + room + R"(","after":2,"since":")" + time + "\"}");
  EXPECT_EQ(b->Wait("edited").At("text").Text(), "new");
  EXPECT_EQ(b->Wait("deleted").At("number").Number(), 2);
  EXPECT_EQ(b->Wait("message").At("number").Number(), 3);
}

TEST_F(ChatReconnect, WhoIsRemovedHearsNoMore) {
  Start();
  const ChatUser ann = Register("ann");
  const ChatUser bob = Register("bob");
  const std::string room = MakeRoom({ann, bob});
  auto a = Join(ann, room);
  auto b = Join(bob, room);
  EXPECT_LT(backend.Request("DELETE", "/api/v1/rooms/" + room + "/members/" + bob.id, ann.bearer())
                .status(),
            300);
  EXPECT_EQ(b->Wait("room").At("event").Text(), "removed");
  EXPECT_EQ(b->Wait("left").At("reason").Text(), "removed");
  a->Message(room, "c", "secret");
  a->Wait("ack");
  b->Say(R"({"type":"ping"})");
  EXPECT_EQ(b->Read()->type(), "pong");
  b->Of("join", room);
  EXPECT_EQ(b->WaitForError(), "not_found");
}

// Programs that others wrote: node's ws and python's websockets.
void RunClient(const std::string& program, const std::string& file, const std::string& port,
               const std::string& token, const std::string& room) {
  Script client(program,
                {FW_SOURCE_DIR "/tests/functional/clients/" + file,
                 "ws://127.0.0.1:" + port + "/ws/chat", token, room},
                {"NODE_PATH=/usr/share/nodejs"});
  const std::string said = client.Read(true);
  EXPECT_EQ(client.Wait(), 0) << said;
}

TEST_F(ChatReconnect, OtherPeoplesClientsTalk) {
  Start("server: {listen: 127.0.0.1:%%PORT_0%%}\n");
  const ChatUser ann = Register("ann");
  const std::string room = MakeRoom({ann});
  const std::string port = std::to_string(backend.port(0));
  RunClient("/usr/bin/node", "chat_client.js", port, ann.token, room);
  RunClient("/usr/bin/python3", "chat_client.py", port, ann.token, room);
}

}  // namespace
}  // namespace framewall::test
