// Messages of rooms. Numbers are 1, 2, 3 … in each room, taken by the transaction that inserts.
// Who may read and write a room is the caller's question (rooms.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/people.h"

namespace framewall::backend::store {

struct Message {
  int64_t position = 0;  // rising over all rooms; only for cursors
  std::string id;
  std::string room;
  int64_t number = 0;
  std::string role;                // user, assistant, system
  std::optional<Person> author;    // of a user's
  std::optional<Person> asked_by;  // of an assistant's: whose cost it is
  std::string model;               // of an assistant's
  std::string text;                // empty once deleted
  std::string state;               // whole, cut, failed
  int64_t created = 0;
  int64_t edited = 0;   // 0: never
  int64_t deleted = 0;  // 0: not
  std::string client_id;

  bool is_deleted() const { return deleted != 0; }
};

struct NewMessage {
  std::string id;  // empty: made here
  std::string room;
  std::string role = "user";
  std::string author;     // user id; empty: none
  std::string asked_by;   // user id; empty: none
  std::string model;      // empty: none
  std::string client_id;  // empty: none
  std::string text;
  std::string state = "whole";
  int64_t created = 0;
};

struct Appended {
  Message message;
  bool repeated = false;  // it was there already, and is as it is now
};
// With a client id that its author has used in this room before, nothing is added. kNotFound where
// there is no such room (any more).
Result<Appended> AppendMessage(Connection& db, const NewMessage& message);

Result<std::optional<Message>> FindMessage(Connection& db, std::string_view room, int64_t number);

struct MessageLimit {
  int64_t messages = 50;
  int64_t octets = 0;  // of their texts together, but at least one message; 0: as many as there are
};
// Numbers above `after`, rising.
Result<std::vector<Message>> MessagesAfter(Connection& db, std::string_view room, int64_t after,
                                           const MessageLimit& limit);
// Numbers below `before`, falling; 0: from the last.
Result<std::vector<Message>> MessagesBefore(Connection& db, std::string_view room, int64_t before,
                                            const MessageLimit& limit);
// Of the `window` messages up to number `up_to`: those that were edited, deleted or saved as an
// answer at `since` or later; rising.
Result<std::vector<Message>> MessagesChangedSince(Connection& db, std::string_view room,
                                                  int64_t up_to, int64_t window, int64_t since);

enum class MessageOutcome : uint8_t {
  kDone,
  kNotFound,
  kForbidden,  // somebody else's
  kGone,       // deleted before; `message` is what is left
};
struct ChangedMessage {
  MessageOutcome outcome = MessageOutcome::kNotFound;
  Message message;  // as it is now; of kDone and kGone
};
// The author's own.
Result<ChangedMessage> EditMessage(Connection& db, std::string_view room, int64_t number,
                                   std::string_view user, std::string_view text, int64_t now);
// The author's own; any, for the room's owner. The number stays, the text goes.
Result<ChangedMessage> DeleteMessage(Connection& db, std::string_view room, int64_t number,
                                     std::string_view user, bool is_owner, int64_t now);
// Text and state of an assistant's, by its id. False where it is not there or deleted.
Result<bool> SaveAnswer(Connection& db, std::string_view id, std::string_view text,
                        std::string_view state, int64_t now);

}  // namespace framewall::backend::store
