#include "backend/store/message_search.h"

#include <algorithm>

#include "backend/store/message_rows.h"

namespace framewall::backend::store {
namespace {

// Above it the expression names no rooms, and their rows alone decide.
constexpr size_t kRoomsInExpression = 300;

bool IsBlank(unsigned char octet) { return octet <= 0x20 || octet == 0x7f; }

// ё and Ё are stored as е and Е.
std::string FoldYo(std::string_view text) {
  std::string folded(text);
  for (size_t i = 0; i + 1 < folded.size(); ++i) {
    if (folded[i] == '\xd1' && folded[i + 1] == '\x91') {
      folded[i] = '\xd0';
      folded[i + 1] = '\xb5';
    } else if (folded[i] == '\xd0' && folded[i + 1] == '\x81') {
      folded[i + 1] = '\x95';
    }
  }
  return folded;
}

// A string of FTS5: quotes are doubled, all else stands for itself.
void AppendQuoted(std::string& expression, std::string_view word) {
  expression += '"';
  for (const char octet : word) {
    if (octet == '"') expression += '"';
    expression += octet;
  }
  expression += '"';
}

// As the trigger of the index writes it.
std::string RoomWord(std::string_view room) {
  std::string word(room);
  std::erase(word, '-');
  return word;
}

// Rooms in which the search may look, at most one more than fit in an expression.
Result<std::vector<std::string>> SearchableRooms(Connection& db, const MessageSearch& search) {
  Statement select = db.Prepare(
      "SELECT m.room FROM members m JOIN rooms r ON r.id = m.room"
      " WHERE m.user = ?1 AND m.state IN ('member', 'owner') AND r.deleted IS NULL"
      " AND (?2 = '' OR m.room = ?2)"
      " AND ((r.kind = 'room' AND ?3) OR (r.kind = 'conversation' AND ?4)) LIMIT ?5");
  select.Bind(1, search.user)
      .Bind(2, search.room)
      .Bind(3, int64_t{search.rooms})
      .Bind(4, int64_t{search.conversations})
      .Bind(5, static_cast<int64_t>(kRoomsInExpression + 1));
  std::vector<std::string> rooms;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return rooms;
    rooms.push_back(select.Text(0));
  }
}

}  // namespace

std::string SearchExpression(std::string_view text) {
  const std::string folded = FoldYo(text);
  std::string expression;
  size_t words = 0;
  for (size_t at = 0; at < folded.size() && words < kSearchWords;) {
    if (IsBlank(static_cast<unsigned char>(folded[at]))) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < folded.size() && !IsBlank(static_cast<unsigned char>(folded[end]))) ++end;
    std::string_view word(folded.data() + at, end - at);
    at = end;
    const bool prefix = word.size() > 1 && word.back() == '*';
    if (prefix) word.remove_suffix(1);
    // Without any of these the tokenizer finds nothing in it: it would ask for nothing.
    const bool has_word = std::any_of(word.begin(), word.end(), [](char octet) {
      const auto value = static_cast<unsigned char>(octet);
      return value >= 0x80 || (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z') ||
             (value >= 'A' && value <= 'Z');
    });
    if (!has_word) continue;
    if (!expression.empty()) expression += ' ';
    AppendQuoted(expression, word);
    if (prefix) expression += '*';
    ++words;
  }
  return expression;
}

Result<std::vector<Message>> SearchMessages(Connection& db, const MessageSearch& search) {
  const std::string words = SearchExpression(search.text);
  if (words.empty()) return std::vector<Message>();
  FW_ASSIGN(const std::vector<std::string> rooms, SearchableRooms(db, search));
  if (rooms.empty()) return std::vector<Message>();
  std::string expression = "{text} : (" + words + ")";
  if (rooms.size() <= kRoomsInExpression) {
    expression += " AND {room} : (";
    for (size_t i = 0; i < rooms.size(); ++i) {
      if (i > 0) expression += " OR ";
      AppendQuoted(expression, RoomWord(rooms[i]));
    }
    expression += ')';
  }
  // The rows decide again: the index is no fence.
  Statement select = db.Prepare(
      FW_MESSAGE_SELECT
      " JOIN messages_text f ON f.rowid = m.id JOIN rooms r ON r.id = m.room"
      " JOIN members w ON w.room = m.room AND w.user = ?2 AND w.state IN ('member', 'owner')"
      " WHERE f.messages_text MATCH ?1 AND f.rowid < ?3 AND m.deleted IS NULL"
      " AND r.deleted IS NULL AND (?4 = '' OR m.room = ?4)"
      " AND ((r.kind = 'room' AND ?5) OR (r.kind = 'conversation' AND ?6))"
      " ORDER BY f.rowid DESC LIMIT ?7");
  select.Bind(1, expression)
      .Bind(2, search.user)
      .Bind(3, search.behind == 0 ? INT64_MAX : search.behind)
      .Bind(4, search.room)
      .Bind(5, int64_t{search.rooms})
      .Bind(6, int64_t{search.conversations})
      .Bind(7, search.limit);
  return ReadMessages(select);
}

}  // namespace framewall::backend::store
