#include "backend/api/nodes.h"

#include "backend/base/time.h"

namespace framewall::backend::api {
namespace {

json::Node TextOrNull(const std::string& text) {
  return text.empty() ? json::Node::Null() : json::Node(text);
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

json::Node MessageNode(const store::Message& message) {
  json::Node node = json::Node::Object();
  node.Set("id", message.id);
  node.Set("room", message.room);
  node.Set("number", message.number);
  node.Set("role", message.role);
  if (message.author) node.Set("author", PersonNode(*message.author));
  if (message.asked_by) node.Set("asked_by", PersonNode(*message.asked_by));
  if (!message.model.empty()) node.Set("model", message.model);
  node.Set("text", message.text);
  node.Set("state", message.state);
  node.Set("created", Rfc3339(message.created));
  if (message.edited != 0) node.Set("edited", Rfc3339(message.edited));
  if (message.deleted != 0) node.Set("deleted", Rfc3339(message.deleted));
  if (!message.client_id.empty()) node.Set("client_id", message.client_id);
  return node;
}

}  // namespace framewall::backend::api
