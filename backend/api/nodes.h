// What is stored, as the API tells it; openapi/*.json has the same as schemas.
#pragma once

#include <string>

#include "backend/store/members.h"
#include "backend/store/messages.h"
#include "backend/store/rooms.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {

json::Node RoomNode(const store::SeenRoom& seen);
json::Node ConversationNode(const store::SeenRoom& seen);
json::Node MemberNode(const store::Member& member);
// Lists of messages are what is asked for most: text at once, without a tree.
void AppendMessage(std::string& json, const store::Message& message);
std::string MessageText(const store::Message& message);
json::Node PersonNode(const store::Person& person);

}  // namespace framewall::backend::api
