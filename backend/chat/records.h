// What the chat asks of the database: each question is one transaction, its answer comes on the
// loop. `done` is always called; who may be gone by then holds a weak pointer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/chat/client_message.h"
#include "backend/chat/server_message.h"
#include "proxy/base/result.h"

namespace framewall::backend::chat {

// What became of it; the answers below mean something with kDone and kRepeated alone.
enum class Outcome : uint8_t {
  kDone,
  kRepeated,   // the message was there already
  kNotFound,   // no such room, or not for this user; no such message
  kForbidden,  // it is somebody else's; the room is open to him, but he is no member
  kGone,       // the message is deleted
};

// Of joining a room.
struct Opened {
  Outcome outcome = Outcome::kNotFound;
  store::Room room;
  std::string role;  // member, owner
  int64_t last = 0;  // 0 in an empty room
  // Of the last kChangesLookedAt messages up to the wish's `after`: what has changed since, and
  // answers of a model that may have. Empty without `since`.
  std::vector<store::Message> changed;
};
inline constexpr int64_t kChangesLookedAt = 200;

struct Page {
  Outcome outcome = Outcome::kNotFound;
  std::vector<store::Message> messages;  // ascending numbers
  bool more = false;                     // in the direction asked for
};

struct Written {
  Outcome outcome = Outcome::kNotFound;
  store::Message message;
  store::Room room;
};

// An answer's message, and what the model is to be told.
struct Begun {
  Outcome outcome = Outcome::kNotFound;
  store::Message message;
  std::vector<store::Message> context;  // ascending; the question is among them
};

class Records {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;

  virtual ~Records() = default;

  virtual void FindPerson(std::string user, Done<std::optional<Person>> done) = 0;
  virtual void Open(std::string user, RoomWish wish, Done<Opened> done) = 0;

  // Messages above `after`, or below `before`, or the latest. At most `limit`, and at least one but
  // otherwise at most kPageOctets of texts.
  struct PageWish {
    std::string room;
    std::optional<int64_t> after;
    std::optional<int64_t> before;
    int64_t limit = 50;
  };
  static constexpr int64_t kPageOctets = int64_t{256} << 10;
  virtual void Read(PageWish wish, Done<Page> done) = 0;

  // Those of the user are refused where he is no member (any more).
  virtual void Add(std::string user, std::string room, std::string client_id, std::string text,
                   Done<Written> done) = 0;
  virtual void Edit(std::string user, std::string room, int64_t number, std::string text,
                    Done<Written> done) = 0;
  virtual void Delete(std::string user, std::string room, int64_t number, Done<Written> done) = 0;

  // An answer is stored as cut until it has ended, so nobody has to look for those that a crash has
  // left. `context` messages before it come along.
  virtual void BeginAnswer(std::string room, std::string asked_by, std::string model,
                           int64_t context, Done<Begun> done) = 0;
  // `state`: whole, cut, failed.
  virtual void SaveAnswer(std::string id, std::string text, std::string state, Done<bool> done) = 0;
};

}  // namespace framewall::backend::chat
