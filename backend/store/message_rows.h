// Rows of messages with the people in them, for all who select some.
#pragma once

#include <string_view>
#include <vector>

#include "backend/store/messages.h"

namespace framewall::backend::store {

// SELECT and FROM; the table is `m`. WHERE and the rest follow.
#define FW_MESSAGE_SELECT                                                                 \
  "SELECT m.id, m.public_id, m.room, m.number, m.role, m.author, a.name, a.display_name," \
  " m.asked_by, q.name, q.display_name, m.model, m.text, m.state, m.created, m.edited,"   \
  " m.deleted, m.client_id"                                                               \
  " FROM messages m LEFT JOIN users a ON a.id = m.author LEFT JOIN users q ON q.id = m.asked_by"

Message ReadMessageRow(const Statement& row);
Result<std::optional<Message>> ReadOneMessage(Statement& select);
// All rows, or as many as `octets` of texts allow (0: all).
Result<std::vector<Message>> ReadMessages(Statement& select, int64_t octets = 0);

}  // namespace framewall::backend::store
