// Full-text search over messages: words in any case, ё as е, Latin letters without their marks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/messages.h"

namespace framewall::backend::store {

struct MessageSearch {
  std::string user;           // who searches: only rooms of which he is a member or the owner
  std::string text;           // as he wrote it
  std::string room;           // empty: all of them
  bool rooms = true;          // in rooms of several people
  bool conversations = true;  // in conversations
  int64_t behind = 0;         // a Message::position; 0: from the latest
  int64_t limit = 50;
};

// Latest first. All words must be in a message; one with * behind it may go on. Of `text` without a
// letter or digit nothing is found.
Result<std::vector<Message>> SearchMessages(Connection& db, const MessageSearch& search);

// The FTS5 expression for what a user wrote; whatever it was, the expression is well formed. Empty
// where it has no word. At most kSearchWords words count.
inline constexpr size_t kSearchWords = 64;
std::string SearchExpression(std::string_view text);

}  // namespace framewall::backend::store
