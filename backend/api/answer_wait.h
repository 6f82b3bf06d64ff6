// Requests that wait for the assistant's answer to the message they have added. The answer is the
// chat's; here its end is waited for, in the events of the room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "backend/chat/fanout.h"
#include "backend/server/call.h"
#include "backend/store/messages.h"

namespace framewall::backend::api {

// On the loop. Outlives the calls that wait.
class AnswerWaits {
 public:
  explicit AnswerWaits(chat::Fanout& fanout) : fanout_(fanout) {}
  ~AnswerWaits();
  AnswerWaits(const AnswerWaits&) = delete;
  AnswerWaits& operator=(const AnswerWaits&) = delete;

  // Is a request of this user waiting in this room? Two could not be told apart.
  bool waits(const std::string& room, const std::string& user) const {
    return waits_.count({room, user}) != 0;
  }
  // To be called before the assistant is asked. Answers the call once the answer has ended, or
  // could not: 201, `message` with a member `answer`, or with a `problem`. Requires: !waits().
  void Begin(const server::CallRef& call, const store::Message& message);
  // It will not come.
  void Fail(const std::string& room, const std::string& user, const Problem& problem);

 private:
  class Wait;
  using Key = std::pair<std::string, std::string>;
  void Over(const Key& key);

  chat::Fanout& fanout_;
  std::map<Key, std::shared_ptr<Wait>> waits_;
};

}  // namespace framewall::backend::api
