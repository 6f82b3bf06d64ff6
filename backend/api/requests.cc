#include "backend/api/requests.h"

#include "proxy/base/text.h"

namespace framewall::backend::api {
namespace {

std::optional<bool> ReadVisibility(Body& body) {
  const std::optional<std::string> visibility =
      body.OptionalChoice("visibility", {"public", "private"});
  if (!visibility) return std::nullopt;
  return *visibility == "public";
}

}  // namespace

TextRule MessageText(const Settings& settings) {
  return {.kind = TextRule::Kind::kProse,
          .max = settings.message_characters,
          .octets = settings.message_limit};
}

MeChange ReadMeChange(Body& body) { return {body.Text("display_name", kDisplayName)}; }

NewConversation ReadNewConversation(Body& body) {
  NewConversation asked;
  asked.name = body.OptionalText("name", kRoomName).value_or("");
  asked.assistant = body.NullableText("assistant", kModelName);
  return asked;
}

NewRoom ReadNewRoom(Body& body) {
  NewRoom asked;
  asked.name = body.Text("name", kRoomName);
  asked.is_public = ReadVisibility(body).value_or(false);
  asked.assistant = body.NullableText("assistant", kModelName);
  return asked;
}

RoomChange ReadConversationChange(Body& body) {
  RoomChange asked;
  asked.name = body.OptionalText("name", kRoomName);
  asked.assistant = body.NullableText("assistant", kModelName);
  return asked;
}

RoomChange ReadRoomChange(Body& body) {
  RoomChange asked = ReadConversationChange(body);
  asked.is_public = ReadVisibility(body);
  return asked;
}

NewMessage ReadNewMessage(Body& body, const Settings& settings) {
  NewMessage asked;
  asked.text = body.Text("text", MessageText(settings));
  asked.client_id = body.OptionalText("client_id", kClientId).value_or("");
  asked.wait_for_answer = body.Flag("wait_for_answer").value_or(false);
  return asked;
}

MessageChange ReadMessageChange(Body& body, const Settings& settings) {
  return {body.Text("text", MessageText(settings))};
}

Invitation ReadInvitation(Body& body) { return {ToLower(body.Text("user", kUserName))}; }

}  // namespace framewall::backend::api
