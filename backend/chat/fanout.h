// Events of rooms and users to everybody who must hear of them: within this process now, over Redis
// between several later.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend/server/socket.h"

namespace framewall::backend::chat {

// What is told to one topic: a whole message of the chat protocol, and what a feed needs to know of
// it without reading it.
struct Event {
  enum class Kind : uint8_t {
    kMessage,    // a new one, with its number
    kPiece,      // of an answer: its number, and where in its text the piece begins
    kAnswerEnd,  // with its number
    kChange,     // edited, deleted: may come twice
    kPassing,    // typing, presence: of no use later
    kRoom,       // a room's name or assistant has changed, or a user was invited
    kRemoved,    // on a user's topic: no member of `room` any more; on a room's: it is gone
  };
  Kind kind = Kind::kPassing;
  std::string room;     // id
  std::string user;     // kPassing: whose own sockets need not hear it; else empty
  int64_t number = 0;   // of the message
  uint64_t offset = 0;  // kPiece: octets before it
  std::string text;     // as it goes to clients
  // The same, framed once for all sockets; made by Publish.
  server::Socket::Frame frame = {};
};
using EventRef = std::shared_ptr<const Event>;

// Who hears of a topic.
class Listener {
 public:
  virtual ~Listener() = default;
  // From the loop; it may begin and end subscriptions, its own too, and publish.
  virtual void OnEvent(const EventRef& event) = 0;
};

class Fanout {
 public:
  // Its end is the end of the subscription.
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };

  virtual ~Fanout() = default;
  // `topic`: "room/ID" or "user/ID". `listener` outlives the subscription.
  virtual std::unique_ptr<Subscription> Subscribe(std::string_view topic, Listener* listener) = 0;
  // Everybody hears everything in the order of Publish. Who subscribes before a commit hears of
  // what is published after it.
  virtual void Publish(std::string_view topic, Event event) = 0;
};

inline std::string RoomTopic(std::string_view room) { return "room/" + std::string(room); }
inline std::string UserTopic(std::string_view user) { return "user/" + std::string(user); }

}  // namespace framewall::backend::chat
