// What the server says (docs/chat-protocol.md), as JSON texts: one function for each type. Members
// that say nothing are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "backend/llm/provider.h"
#include "backend/store/messages.h"
#include "backend/store/people.h"
#include "backend/store/rooms.h"

namespace framewall::backend::chat {

using store::Person;

struct WelcomeLimits {
  size_t text_octets = 0;
  size_t text_characters = 0;
  size_t message_octets = 0;
  size_t rooms = 0;
  size_t messages_per_second = 0;
  size_t burst = 0;
  size_t history = 0;
  size_t answers = 0;
  size_t sockets = 0;
};

struct Welcome {
  Person user;
  std::string session;
  int64_t expires = 0;  // 0: never
  int64_t time = 0;
  WelcomeLimits limits;
};
std::string WelcomeText(const Welcome& welcome);

// Of an answer under way.
struct AnswerSoFar {
  int64_t number = 0;
  std::string id;
  std::string text;
};

struct Joined {
  std::string in_reply_to;
  store::Room room;
  std::string role;  // member, owner
  int64_t last = 0;
  int64_t from = 0;
  std::vector<Person> online;
  size_t count = 0;
  std::vector<AnswerSoFar> answers;
  int64_t time = 0;
};
std::string JoinedText(const Joined& joined);
// `reason`: asked, removed, deleted.
std::string LeftText(std::string_view in_reply_to, std::string_view room, std::string_view reason);

// `type`: message, edited, deleted.
std::string MessageText(std::string_view type, const store::Message& message);
std::string AnswerPieceText(const store::Message& answer, std::string_view piece);
std::string AnswerEndText(const store::Message& answer, const std::optional<llm::Usage>& usage,
                          const std::optional<Problem>& problem);
// `repeated` for messages only.
std::string AckText(std::string_view in_reply_to, const store::Message& message,
                    std::optional<bool> repeated);
std::string HistoryText(std::string_view in_reply_to, std::string_view room,
                        const std::vector<store::Message>& messages, bool more);

std::string TypingText(std::string_view room, const Person& user, bool active);
std::string OnlineText(std::string_view in_reply_to, std::string_view room,
                       const std::vector<Person>& online, size_t count);
std::string PresenceText(std::string_view room, const std::vector<Person>& came,
                         const std::vector<Person>& left, size_t count);
// `event`: invited, added, changed, removed, deleted.
std::string RoomText(std::string_view event, const store::Room& room);

// `expires` 0: never.
std::string AuthenticatedText(std::string_view in_reply_to, int64_t expires);
std::string PongText(std::string_view in_reply_to, int64_t time);
std::string ErrorText(std::string_view in_reply_to, std::string_view room, const Problem& problem);

}  // namespace framewall::backend::chat
