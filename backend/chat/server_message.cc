#include "backend/chat/server_message.h"

#include <utility>

#include "backend/base/time.h"
#include "proxy/base/check.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend::chat {
namespace {

using json::Node;

Node Typed(std::string_view type) { return Node::Object().Set("type", type); }

// Members that say nothing are left out.
void SetText(Node& object, std::string_view name, std::string_view value) {
  if (!value.empty()) object.Set(name, value);
}
void SetTime(Node& object, std::string_view name, int64_t time) {
  if (time != 0) object.Set(name, Rfc3339(time));
}

Node Of(const Person& person) {
  return Node::Object()
      .Set("id", person.id)
      .Set("name", person.name)
      .Set("display_name", person.display_name);
}

Node Of(const std::vector<Person>& people) {
  Node array = Node::Array();
  for (const Person& person : people) array.Add(Of(person));
  return array;
}

void SetMessage(Node& object, const store::Message& message) {
  object.Set("id", message.id)
      .Set("room", message.room)
      .Set("number", message.number)
      .Set("role", message.role);
  if (message.author) object.Set("author", Of(*message.author));
  SetText(object, "model", message.model);
  if (message.asked_by) object.Set("asked_by", Of(*message.asked_by));
  object.Set("text", message.text).Set("state", message.state);
  SetTime(object, "created", message.created);
  SetTime(object, "edited", message.edited);
  SetTime(object, "deleted", message.deleted);
  SetText(object, "client_id", message.client_id);
}

Node OfProblem(const Problem& problem) {
  // Made by us a moment ago: it is JSON.
  const Result<json::Document> document = json::Document::Parse(ProblemText(problem));
  FW_CHECK(document.ok());
  return Node::Copy(document->root());
}

}  // namespace

std::string WelcomeText(const Welcome& welcome) {
  Node text = Typed("welcome");
  text.Set("v", 1).Set("user", Of(welcome.user));
  SetText(text, "session", welcome.session);
  SetTime(text, "expires", welcome.expires);
  SetTime(text, "time", welcome.time);
  const WelcomeLimits& limits = welcome.limits;
  text.Set("limits", Node::Object()
                         .Set("text_octets", limits.text_octets)
                         .Set("text_characters", limits.text_characters)
                         .Set("message_octets", limits.message_octets)
                         .Set("rooms", limits.rooms)
                         .Set("messages_per_second", limits.messages_per_second)
                         .Set("burst", limits.burst)
                         .Set("history", limits.history)
                         .Set("answers", limits.answers)
                         .Set("sockets", limits.sockets));
  return text.Text();
}

std::string JoinedText(const Joined& joined) {
  Node text = Typed("joined");
  SetText(text, "in_reply_to", joined.in_reply_to);
  text.Set("room", joined.room.id)
      .Set("kind", store::RoomKindName(joined.room.kind))
      .Set("name", joined.room.name);
  SetText(text, "assistant", joined.room.assistant);
  text.Set("role", joined.role)
      .Set("last", joined.last)
      .Set("from", joined.from)
      .Set("online", Of(joined.online))
      .Set("count", joined.count);
  Node answers = Node::Array();
  for (const AnswerSoFar& answer : joined.answers) {
    answers.Add(
        Node::Object().Set("number", answer.number).Set("id", answer.id).Set("text", answer.text));
  }
  text.Set("answers", std::move(answers));
  SetTime(text, "time", joined.time);
  return text.Text();
}

std::string LeftText(std::string_view in_reply_to, std::string_view room, std::string_view reason) {
  Node text = Typed("left");
  SetText(text, "in_reply_to", in_reply_to);
  return text.Set("room", room).Set("reason", reason).Text();
}

std::string MessageText(std::string_view type, const store::Message& message) {
  Node text = Typed(type);
  SetMessage(text, message);
  return text.Text();
}

std::string AnswerPieceText(const store::Message& answer, std::string_view piece) {
  return Typed("answer_piece")
      .Set("room", answer.room)
      .Set("number", answer.number)
      .Set("id", answer.id)
      .Set("text", piece)
      .Text();
}

std::string AnswerEndText(const store::Message& answer, const std::optional<llm::Usage>& usage,
                          const std::optional<Problem>& problem) {
  Node text = Typed("answer_end");
  SetMessage(text, answer);
  if (usage) {
    text.Set("usage", Node::Object()
                          .Set("prompt_tokens", usage->prompt_tokens)
                          .Set("completion_tokens", usage->completion_tokens)
                          .Set("estimated", usage->estimated));
  }
  if (problem) text.Set("problem", OfProblem(*problem));
  return text.Text();
}

std::string AckText(std::string_view in_reply_to, const store::Message& message,
                    std::optional<bool> repeated) {
  Node text = Typed("ack");
  SetText(text, "in_reply_to", in_reply_to);
  text.Set("room", message.room).Set("number", message.number).Set("id", message.id);
  if (repeated) {
    SetText(text, "client_id", message.client_id);
    SetTime(text, "created", message.created);
    text.Set("repeated", *repeated);
  }
  return text.Text();
}

std::string HistoryText(std::string_view in_reply_to, std::string_view room,
                        const std::vector<store::Message>& messages, bool more) {
  Node text = Typed("history");
  SetText(text, "in_reply_to", in_reply_to);
  Node array = Node::Array();
  for (const store::Message& message : messages) {
    Node one = Node::Object();
    SetMessage(one, message);
    array.Add(std::move(one));
  }
  return text.Set("room", room).Set("messages", std::move(array)).Set("more", more).Text();
}

std::string TypingText(std::string_view room, const Person& user, bool active) {
  return Typed("typing").Set("room", room).Set("user", Of(user)).Set("active", active).Text();
}

std::string OnlineText(std::string_view in_reply_to, std::string_view room,
                       const std::vector<Person>& online, size_t count) {
  Node text = Typed("presence");
  SetText(text, "in_reply_to", in_reply_to);
  return text.Set("room", room).Set("count", count).Set("online", Of(online)).Text();
}

std::string PresenceText(std::string_view room, const std::vector<Person>& came,
                         const std::vector<Person>& left, size_t count) {
  return Typed("presence")
      .Set("room", room)
      .Set("count", count)
      .Set("came", Of(came))
      .Set("left", Of(left))
      .Text();
}

std::string RoomText(std::string_view event, const store::Room& room) {
  Node about = Node::Object()
                   .Set("id", room.id)
                   .Set("kind", store::RoomKindName(room.kind))
                   .Set("name", room.name)
                   .Set("visibility", room.is_public ? "public" : "private");
  SetText(about, "assistant", room.assistant);
  return Typed("room").Set("event", event).Set("room", std::move(about)).Text();
}

std::string AuthenticatedText(std::string_view in_reply_to, int64_t expires) {
  Node text = Typed("authenticated");
  SetText(text, "in_reply_to", in_reply_to);
  SetTime(text, "expires", expires);
  return text.Text();
}

std::string PongText(std::string_view in_reply_to, int64_t time) {
  Node text = Typed("pong");
  SetText(text, "in_reply_to", in_reply_to);
  SetTime(text, "time", time);
  return text.Text();
}

std::string ErrorText(std::string_view in_reply_to, std::string_view room, const Problem& problem) {
  Node text = Typed("error");
  SetText(text, "in_reply_to", in_reply_to);
  SetText(text, "room", room);
  text.Set("problem", OfProblem(problem));
  if (problem.retry_after > 0) text.Set("retry_after", problem.retry_after);
  return text.Text();
}

}  // namespace framewall::backend::chat
