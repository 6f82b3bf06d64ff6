// Who is in a room at the moment: people, however many sockets each has. Changes are told at most
// once a second to a room, so that a thousand who come back at once cost a thousand events and not
// a million.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/chat/fanout.h"
#include "backend/chat/server_message.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::backend::chat {

class Presence {
 public:
  static constexpr size_t kTold = 100;          // people in a list
  static constexpr size_t kNamedInCrowd = 200;  // with more in a room, only how many is told
  static constexpr std::chrono::milliseconds kPause{1000};

  // Both outlive it.
  Presence(event::EventLoop& loop, Fanout& fanout);

  // A socket of `user` has joined or left `room`.
  void Enter(const std::string& room, const Person& user);
  void Leave(const std::string& room, const std::string& user);

  // At most kTold of them.
  std::vector<Person> Online(const std::string& room) const;
  size_t Count(const std::string& room) const;

 private:
  struct Present {
    Person person;
    size_t sockets = 0;
  };
  struct Room {
    std::map<std::string, Present> present;  // by id
    // Since the last event: those who were not there then, and those who were.
    std::map<std::string, Person> came;
    std::map<std::string, Person> left;
  };
  void Changed(const std::string& room);
  void Tell();

  Fanout& fanout_;
  std::unordered_map<std::string, Room> rooms_;
  std::set<std::string> changed_;
  event::Timer timer_;
};

}  // namespace framewall::backend::chat
