#include "backend/api/nodes.h"

#include <string_view>

#include "backend/base/time.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::api {
namespace {

json::Node TextOrNull(const std::string& text) {
  return text.empty() ? json::Node::Null() : json::Node(text);
}

// With a comma before it, but as the first of its object.
void AppendMember(std::string& json, std::string_view name, std::string_view text) {
  json.append(json.back() == '{' ? "\"" : ",\"").append(name).append("\":\"");
  AppendJsonEscaped(json, text);
  json += '"';
}

void AppendPerson(std::string& json, std::string_view name, const store::Person& person) {
  json.append(",\"").append(name).append("\":{");
  AppendMember(json, "id", person.id);
  AppendMember(json, "name", person.name);
  AppendMember(json, "display_name", person.display_name);
  json += '}';
}

}  // namespace

json::Node PersonNode(const store::Person& person) {
  return json::Node::Object()
      .Set("id", person.id)
      .Set("name", person.name)
      .Set("display_name", person.display_name);
}

json::Node RoomNode(const store::SeenRoom& seen) {
  const store::Room& room = seen.room;
  json::Node node = json::Node::Object();
  node.Set("id", room.id);
  node.Set("name", room.name);
  node.Set("visibility", room.is_public ? "public" : "private");
  node.Set("assistant", TextOrNull(room.assistant));
  node.Set("owner", room.owner);
  node.Set("my_state", TextOrNull(std::string(store::MembershipName(seen.membership))));
  // How much is said in it is not for those outside.
  node.Set("last_number", seen.is_member() ? room.last_number : 0);
  node.Set("created", Rfc3339(room.created));
  node.Set("changed", Rfc3339(room.changed));
  return node;
}

json::Node ConversationNode(const store::SeenRoom& seen) {
  const store::Room& room = seen.room;
  json::Node node = json::Node::Object();
  node.Set("id", room.id);
  node.Set("name", room.name);
  node.Set("assistant", TextOrNull(room.assistant));
  node.Set("last_number", room.last_number);
  node.Set("created", Rfc3339(room.created));
  node.Set("changed", Rfc3339(room.changed));
  return node;
}

json::Node MemberNode(const store::Member& member) {
  json::Node node = json::Node::Object();
  node.Set("user", PersonNode(member.user));
  node.Set("state", store::MembershipName(member.state));
  if (!member.invited_by.empty()) node.Set("invited_by", member.invited_by);
  node.Set("since", Rfc3339(member.since));
  return node;
}

void AppendMessage(std::string& json, const store::Message& message) {
  json += '{';
  AppendMember(json, "id", message.id);
  AppendMember(json, "room", message.room);
  json += ",\"number\":" + std::to_string(message.number);
  AppendMember(json, "role", message.role);
  if (message.author) AppendPerson(json, "author", *message.author);
  if (message.asked_by) AppendPerson(json, "asked_by", *message.asked_by);
  if (!message.model.empty()) AppendMember(json, "model", message.model);
  AppendMember(json, "text", message.text);
  AppendMember(json, "state", message.state);
  AppendMember(json, "created", Rfc3339(message.created));
  if (message.edited != 0) AppendMember(json, "edited", Rfc3339(message.edited));
  if (message.deleted != 0) AppendMember(json, "deleted", Rfc3339(message.deleted));
  if (!message.client_id.empty()) AppendMember(json, "client_id", message.client_id);
  json += '}';
}

std::string MessageText(const store::Message& message) {
  std::string json;
  AppendMessage(json, message);
  return json;
}

}  // namespace framewall::backend::api
