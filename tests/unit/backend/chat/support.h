// What the tests of the chat share: records in memory whose answers come when the test says so, and
// the other end of a feed.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/base/id.h"
#include "backend/chat/feed.h"
#include "backend/chat/hub.h"
#include "backend/chat/records.h"
#include "proxy/event/loop.h"
#include "tests/support/json_text.h"

namespace framewall::backend::chat {

using test::Json;

// What is in a frame of a server: text, short or longer.
inline std::string Unframed(const std::string& frame) {
  const auto octet = static_cast<unsigned char>(frame.at(1));
  return frame.substr(octet < 126 ? 2 : octet == 126 ? 4 : 10);
}

inline const std::string kRoom = "01920000-0000-7000-8000-00000000000a";
inline const Person kAnn = {"01920000-0000-7000-8000-0000000000a1", "ann", "Ann"};
inline const Person kBob = {"01920000-0000-7000-8000-0000000000b0", "bob", "Bob"};

// Each question waits twice: until Execute it is not looked at, until Deliver its answer is not
// told. So anything can happen in between.
class MemoryRecords final : public Records {
 public:
  // --- the database ---
  store::Room room;
  std::map<std::string, std::string> members;  // user to role
  std::vector<store::Message> messages;        // number N at N - 1
  std::map<std::string, Person> people = {{kAnn.id, kAnn}, {kBob.id, kBob}};
  bool fails = false;
  int64_t page_messages = 200;  // of one Read
  size_t reads = 0;

  MemoryRecords() {
    room.id = kRoom;
    room.kind = store::RoomKind::kRoom;
    room.name = "Kitchen";
    room.owner = kBob.id;
    room.assistant = "echo";
    members = {{kAnn.id, "member"}, {kBob.id, "owner"}};
  }
  store::Message& Store(std::string text, std::string role = "user") {
    store::Message message;
    message.id = NewId();
    message.room = room.id;
    message.number = static_cast<int64_t>(messages.size()) + 1;
    message.role = role;
    if (role == "user") message.author = kAnn;
    if (role == "assistant") message.asked_by = kAnn;
    message.text = std::move(text);
    message.state = role == "assistant" ? "cut" : "whole";
    message.created = 1'700'000'000'000;
    messages.push_back(message);
    return messages.back();
  }

  // --- time ---
  bool Execute() {
    if (asked_.empty()) return false;
    const auto work = std::move(asked_.front());
    asked_.pop_front();
    work();
    return true;
  }
  bool Deliver() {
    if (answered_.empty()) return false;
    const auto tell = std::move(answered_.front());
    answered_.pop_front();
    tell();
    return true;
  }
  void Settle() {
    while (Execute() || Deliver()) {
    }
  }
  size_t waiting() const { return asked_.size() + answered_.size(); }

  // --- Records ---
  void FindPerson(std::string user, Done<std::optional<Person>> done) override {
    Ask<std::optional<Person>>(std::move(done), [this, user] {
      const auto at = people.find(user);
      return at == people.end() ? std::optional<Person>() : std::optional(at->second);
    });
  }
  void Open(std::string user, RoomWish wish, Done<Opened> done) override {
    Ask<Opened>(std::move(done), [this, user, wish] {
      Opened opened;
      if (wish.room != room.id || !members.contains(user)) return opened;
      opened.outcome = Outcome::kDone;
      opened.room = room;
      opened.role = members.at(user);
      opened.last = static_cast<int64_t>(messages.size());
      if (!wish.since || !wish.after) return opened;
      for (const store::Message& message : messages) {
        if (message.number > *wish.after) continue;
        const bool changed = message.edited >= *wish.since || message.deleted >= *wish.since ||
                             message.role == "assistant";
        if (changed) opened.changed.push_back(message);
      }
      return opened;
    });
  }
  void Read(PageWish wish, Done<Page> done) override {
    ++reads;
    Ask<Page>(std::move(done), [this, wish] {
      Page page;
      page.outcome = Outcome::kDone;
      const auto last = static_cast<int64_t>(messages.size());
      const int64_t most = std::min(wish.limit, page_messages);
      int64_t from = wish.after ? *wish.after + 1
                                : std::max<int64_t>(1, wish.before.value_or(last + 1) - most);
      const int64_t end = wish.after ? last + 1 : wish.before.value_or(last + 1);
      for (; from < end && std::ssize(page.messages) < most; ++from) {
        page.messages.push_back(messages.at(static_cast<size_t>(from) - 1));
      }
      page.more =
          wish.after ? from <= last : !page.messages.empty() && page.messages.front().number > 1;
      return page;
    });
  }
  void Add(std::string user, std::string in, std::string client_id, std::string text,
           Done<Written> done) override {
    Ask<Written>(std::move(done), [this, user, in, client_id, text] {
      Written written;
      if (in != room.id || !members.contains(user)) return written;
      written.room = room;
      written.outcome = Outcome::kRepeated;
      for (const store::Message& message : messages) {
        if (message.client_id == client_id && message.author && message.author->id == user) {
          written.message = message;
          return written;
        }
      }
      store::Message& message = Store(text);
      message.author = people.at(user);
      message.client_id = client_id;
      written.outcome = Outcome::kDone;
      written.message = message;
      return written;
    });
  }
  void Edit(std::string user, std::string, int64_t number, std::string text,
            Done<Written> done) override {
    Ask<Written>(std::move(done), [this, user, number, text] {
      Written written;
      if (number > std::ssize(messages)) return written;
      store::Message& message = messages.at(static_cast<size_t>(number) - 1);
      written.outcome = Outcome::kForbidden;
      if (!message.author || message.author->id != user) return written;
      message.text = text;
      message.edited = message.created + 1;
      written.outcome = Outcome::kDone;
      written.message = message;
      return written;
    });
  }
  void Delete(std::string, std::string, int64_t number, Done<Written> done) override {
    Ask<Written>(std::move(done), [this, number] {
      Written written;
      if (number > std::ssize(messages)) return written;
      store::Message& message = messages.at(static_cast<size_t>(number) - 1);
      message.text.clear();
      message.deleted = message.created + 1;
      written.outcome = Outcome::kDone;
      written.message = message;
      return written;
    });
  }
  void BeginAnswer(std::string, std::string asked_by, std::string model, int64_t context,
                   Done<Begun> done) override {
    Ask<Begun>(std::move(done), [this, asked_by, model, context] {
      Begun begun;
      begun.outcome = Outcome::kDone;
      const auto from = messages.size() - std::min(messages.size(), static_cast<size_t>(context));
      begun.context.assign(messages.begin() + static_cast<std::ptrdiff_t>(from), messages.end());
      store::Message& message = Store("", "assistant");
      message.asked_by = people.at(asked_by);
      message.model = model;
      begun.message = message;
      return begun;
    });
  }
  void SaveAnswer(std::string id, std::string text, std::string state, Done<bool> done) override {
    Ask<bool>(std::move(done), [this, id, text, state] {
      for (store::Message& message : messages) {
        if (message.id != id || message.deleted != 0) continue;
        message.text = text;
        message.state = state;
        return true;
      }
      return false;
    });
  }

 private:
  template <class T>
  void Ask(Done<T> done, std::function<T()> work) {
    asked_.push_back([this, done = std::move(done), work = std::move(work)] {
      if (fails) {
        answered_.push_back([done] {
          done(Error{ErrorKind::kSystem, ErrorSource::kInternal, "the disk is gone", 0});
        });
        return;
      }
      answered_.push_back([done, value = work()] { done(value); });
    });
  }

  std::deque<std::function<void()>> asked_;
  std::deque<std::function<void()>> answered_;
};

class NoAnswers final : public LiveAnswers {
 public:
  std::vector<AnswerSoFar> OfRoom(std::string_view) const override { return live; }
  std::vector<AnswerSoFar> live;
};

// The socket of a feed: keeps what it is told.
class Owner final : public FeedOwner {
 public:
  explicit Owner(Person who = kAnn) : who_(std::move(who)) {}
  const Person& person() const override { return who_; }
  void Tell(std::string_view text) override { told.emplace_back(text); }
  void Tell(const server::Socket::Frame& frame) override { told.push_back(Unframed(*frame)); }
  size_t unsent() const override { return waiting; }
  void OnJoined(Joined joined) override { told.push_back(JoinedText(joined)); }
  void OnNotJoined(const std::string&, const std::string&, const Problem& problem) override {
    refused = problem;
  }
  void OnFeedTooSlow() override { too_slow = true; }
  void OnFeedFailed() override { failed = true; }
  void OnRoomGone(const std::string&) override { room_gone = true; }

  // Numbers of all messages that were told.
  std::vector<int64_t> Numbers() const {
    std::vector<int64_t> numbers;
    for (const std::string& text : told) {
      const Json json(text);
      if (json.type() == "message") numbers.push_back(json.At("number").Number());
    }
    return numbers;
  }
  std::vector<std::string> Types() const {
    std::vector<std::string> types;
    for (const std::string& text : told) types.push_back(Json(text).type());
    return types;
  }

  std::vector<std::string> told;
  size_t waiting = 0;
  std::optional<Problem> refused;
  bool too_slow = false;
  bool failed = false;
  bool room_gone = false;

 private:
  Person who_;
};

inline Event MessageEvent(const store::Message& message) {
  Event event;
  event.kind = Event::Kind::kMessage;
  event.room = message.room;
  event.number = message.number;
  event.text = MessageText("message", message);
  return event;
}

}  // namespace framewall::backend::chat
