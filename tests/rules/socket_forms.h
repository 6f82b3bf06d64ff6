// The ways in which a value can stand in a message.
#pragma once

#include <span>
#include <string>

#include "waf/message.h"

namespace framewall::rules_test {

struct SocketForm {
  const char* name;
  // Where a request would carry the same value (RequestWith): the same rules must fire.
  const char* request;
  waf::MessageKind kind;
  std::string (*write)(const std::string& value);
  // What the form can hold: not every value is text.
  bool (*holds)(const std::string& value);
};

// JSON; JSON with every character escaped; JSON in a string of JSON; Socket.IO; base64 in JSON;
// plain text; MessagePack; Protocol Buffers.
std::span<const SocketForm> SocketForms();

}  // namespace framewall::rules_test
