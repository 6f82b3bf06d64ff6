#include "backend/store/messages.h"

#include "backend/base/id.h"
#include "backend/store/message_rows.h"

namespace framewall::backend::store {
namespace {

constexpr int64_t kBeyondAll = INT64_MAX;

Result<std::optional<Message>> FindByClientId(Connection& db, const NewMessage& message) {
  if (message.client_id.empty() || message.author.empty()) return std::optional<Message>();
  Statement select =
      db.Prepare(FW_MESSAGE_SELECT " WHERE m.room = ? AND m.author = ? AND m.client_id = ?");
  select.Bind(1, message.room).Bind(2, message.author).Bind(3, message.client_id);
  return ReadOneMessage(select);
}

Result<int64_t> TakeNumber(Connection& db, std::string_view room) {
  Statement take = db.Prepare(
      "UPDATE rooms SET last_number = last_number + 1 WHERE id = ? AND deleted IS NULL"
      " RETURNING last_number");
  take.Bind(1, room);
  FW_ASSIGN(const bool row, take.Step());
  if (!row) return Error{ErrorKind::kNotFound, ErrorSource::kClient, "no such room", 0};
  const int64_t number = take.Integer(0);
  // To its end: then the update is over.
  FW_TRY(take.Step());
  return number;
}

// What stands before every change: the message, and whether it may be changed at all.
Result<ChangedMessage> FindForChange(Connection& db, std::string_view room, int64_t number,
                                     std::string_view user, bool may_all) {
  ChangedMessage found;
  FW_ASSIGN(std::optional<Message> message, FindMessage(db, room, number));
  if (!message) return found;
  const bool own = message->author && message->author->id == user;
  if (!own && !may_all) {
    found.outcome = MessageOutcome::kForbidden;
    return found;
  }
  found.outcome = message->is_deleted() ? MessageOutcome::kGone : MessageOutcome::kDone;
  found.message = std::move(*message);
  return found;
}

}  // namespace

Message ReadMessageRow(const Statement& row) {
  Message message;
  message.position = row.Integer(0);
  message.id = row.Text(1);
  message.room = row.Text(2);
  message.number = row.Integer(3);
  message.role = row.Text(4);
  if (!row.IsNull(5)) message.author = Person{row.Text(5), row.Text(6), row.Text(7)};
  if (!row.IsNull(8)) message.asked_by = Person{row.Text(8), row.Text(9), row.Text(10)};
  message.model = row.Text(11);
  message.text = row.Text(12);
  message.state = row.Text(13);
  message.created = row.Integer(14);
  message.edited = row.Integer(15);
  message.deleted = row.Integer(16);
  message.client_id = row.Text(17);
  return message;
}

Result<std::optional<Message>> ReadOneMessage(Statement& select) {
  FW_ASSIGN(const bool row, select.Step());
  if (!row) return std::optional<Message>();
  return std::optional(ReadMessageRow(select));
}

Result<std::vector<Message>> ReadMessages(Statement& select, int64_t octets) {
  std::vector<Message> messages;
  int64_t read = 0;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return messages;
    Message message = ReadMessageRow(select);
    read += static_cast<int64_t>(message.text.size());
    if (octets > 0 && read > octets && !messages.empty()) return messages;
    messages.push_back(std::move(message));
  }
}

Result<Appended> AppendMessage(Connection& db, const NewMessage& message) {
  FW_ASSIGN(std::optional<Message> there, FindByClientId(db, message));
  if (there) return Appended{std::move(*there), true};
  FW_ASSIGN(const int64_t number, TakeNumber(db, message.room));
  {
    Statement insert = db.Prepare(
        "INSERT INTO messages (public_id, room, number, author, asked_by, role, model, client_id,"
        " text, state, created, changed) VALUES (?1, ?2, ?3, nullif(?4, ''), nullif(?5, ''), ?6,"
        " nullif(?7, ''), nullif(?8, ''), ?9, ?10, ?11, ?11)");
    insert.Bind(1, message.id.empty() ? NewId() : message.id)
        .Bind(2, message.room)
        .Bind(3, number)
        .Bind(4, message.author)
        .Bind(5, message.asked_by)
        .Bind(6, message.role)
        .Bind(7, message.model)
        .Bind(8, message.client_id)
        .Bind(9, message.text)
        .Bind(10, message.state)
        .Bind(11, message.created);
    FW_TRY(insert.Run());
  }
  FW_ASSIGN(std::optional<Message> added, FindMessage(db, message.room, number));
  if (!added) return Error{.message = "a message that was just added is not there"};
  return Appended{std::move(*added), false};
}

Result<std::optional<Message>> FindMessage(Connection& db, std::string_view room, int64_t number) {
  Statement select = db.Prepare(FW_MESSAGE_SELECT " WHERE m.room = ? AND m.number = ?");
  select.Bind(1, room).Bind(2, number);
  return ReadOneMessage(select);
}

Result<std::vector<Message>> MessagesAfter(Connection& db, std::string_view room, int64_t after,
                                           const MessageLimit& limit) {
  Statement select =
      db.Prepare(FW_MESSAGE_SELECT " WHERE m.room = ? AND m.number > ? ORDER BY m.number LIMIT ?");
  select.Bind(1, room).Bind(2, after).Bind(3, limit.messages);
  return ReadMessages(select, limit.octets);
}

Result<std::vector<Message>> MessagesBefore(Connection& db, std::string_view room, int64_t before,
                                            const MessageLimit& limit) {
  Statement select = db.Prepare(
      FW_MESSAGE_SELECT " WHERE m.room = ? AND m.number < ? ORDER BY m.number DESC LIMIT ?");
  select.Bind(1, room).Bind(2, before == 0 ? kBeyondAll : before).Bind(3, limit.messages);
  return ReadMessages(select, limit.octets);
}

Result<std::vector<Message>> MessagesChangedSince(Connection& db, std::string_view room,
                                                  int64_t up_to, int64_t window, int64_t since) {
  Statement select =
      db.Prepare(FW_MESSAGE_SELECT
                 " WHERE m.room = ?1 AND m.number > ?2 - ?3 AND m.number <= ?2 AND m.changed >= ?4"
                 " AND (m.changed > m.created OR m.edited IS NOT NULL OR m.deleted IS NOT NULL)"
                 " ORDER BY m.number");
  select.Bind(1, room).Bind(2, up_to).Bind(3, window).Bind(4, since);
  return ReadMessages(select);
}

Result<ChangedMessage> EditMessage(Connection& db, std::string_view room, int64_t number,
                                   std::string_view user, std::string_view text, int64_t now) {
  FW_ASSIGN(ChangedMessage found, FindForChange(db, room, number, user, false));
  if (found.outcome != MessageOutcome::kDone) return found;
  Statement update =
      db.Prepare("UPDATE messages SET text = ?, edited = ?, changed = ? WHERE id = ?");
  update.Bind(1, text).Bind(2, now).Bind(3, now).Bind(4, found.message.position);
  FW_TRY(update.Run());
  found.message.text = std::string(text);
  found.message.edited = now;
  return found;
}

Result<ChangedMessage> DeleteMessage(Connection& db, std::string_view room, int64_t number,
                                     std::string_view user, bool is_owner, int64_t now) {
  FW_ASSIGN(ChangedMessage found, FindForChange(db, room, number, user, is_owner));
  if (found.outcome != MessageOutcome::kDone) return found;
  Statement update =
      db.Prepare("UPDATE messages SET text = '', deleted = ?, changed = ? WHERE id = ?");
  update.Bind(1, now).Bind(2, now).Bind(3, found.message.position);
  FW_TRY(update.Run());
  found.message.text.clear();
  found.message.deleted = now;
  return found;
}

Result<bool> SaveAnswer(Connection& db, std::string_view id, std::string_view text,
                        std::string_view state, int64_t now) {
  Statement update = db.Prepare(
      "UPDATE messages SET text = ?, state = ?, changed = max(?, created + 1)"
      " WHERE public_id = ? AND role = 'assistant' AND deleted IS NULL");
  update.Bind(1, text).Bind(2, state).Bind(3, now).Bind(4, id);
  FW_ASSIGN(const int64_t changed, update.Run());
  return changed > 0;
}

}  // namespace framewall::backend::store
