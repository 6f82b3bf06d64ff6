// Tells rooms and users what has been committed, whoever wrote it: the socket's side and the API's
// side call the same. On the loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "backend/chat/fanout.h"
#include "backend/chat/server_message.h"

namespace framewall::backend::chat {

// Who answers in a room with an assistant.
class AnswerGiver {
 public:
  virtual ~AnswerGiver() = default;
  // A user's message was added. A problem where it addresses the assistant, who cannot answer now.
  virtual std::optional<Problem> OnMessage(const store::Room& room,
                                           const store::Message& message) = 0;
  // If it is an answer under way, that ends.
  virtual void OnMessageDeleted(const store::Message& message) = 0;
  // No answers in this room any more.
  virtual void OnRoomGone(std::string_view room) = 0;
};

class Announcer {
 public:
  // Both outlive it.
  Announcer(Fanout& fanout, AnswerGiver& answers) : fanout_(fanout), answers_(answers) {}

  // Also asks the assistant, where there is one and it is addressed: the problem is that one's.
  std::optional<Problem> MessageAdded(const store::Room& room, const store::Message& message);
  void MessageEdited(const store::Message& message);
  void MessageDeleted(const store::Message& message);

  // Its name, visibility or assistant.
  void RoomChanged(const store::Room& room);
  // `members`: ids of those whose lists it was in.
  void RoomDeleted(const store::Room& room, const std::vector<std::string>& members);
  // `event`: invited, added.
  void MemberAdded(const store::Room& room, std::string_view user, std::string_view event);
  // Left, was removed, or an invitation was taken back: his sockets hear no more of the room.
  void MemberRemoved(const store::Room& room, std::string_view user);

 private:
  Fanout& fanout_;
  AnswerGiver& answers_;
};

}  // namespace framewall::backend::chat
