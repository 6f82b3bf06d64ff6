// What a client says (docs/chat-protocol.md), from its JSON: outside bytes become one of these or a
// refusal, and nothing else of the chat reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/base/problem.h"

namespace framewall::backend::chat {

// A room that is to be joined, and from where on.
struct RoomWish {
  std::string room;
  std::optional<int64_t> after;  // the highest number that the client has
  std::optional<int64_t> since;  // milliseconds since 1970: changes from then on
};

struct ClientMessage {
  enum class Type : uint8_t {
    kHello,
    kJoin,
    kLeave,
    kMessage,
    kEdit,
    kDelete,
    kTyping,
    kPresence,
    kHistory,
    kCancel,
    kAuth,
    kPing,
  };
  Type type = Type::kPing;
  std::string ref;              // what the answer is to carry; of kMessage without one, `client_id`
  std::string room;             // id
  std::string client_id;        // kMessage
  std::string text;             // kMessage, kEdit
  std::string token;            // kAuth
  int64_t number = 0;           // kEdit, kDelete, kCancel
  bool active = false;          // kTyping
  std::vector<RoomWish> rooms;  // kHello; kJoin: one
  std::optional<int64_t> before;  // kHistory, at most one of these
  std::optional<int64_t> after;
  int64_t limit = 0;  // kHistory; 0: not said
};

struct Refusal {
  // The client does not speak the protocol: its socket is closed with 4400.
  bool ends = false;
  std::string in_reply_to;
  std::string room;
  Problem problem;
};

struct MessageLimits {
  size_t octets = 16384;     // of a text, in UTF-8
  size_t characters = 8192;  // of a text, code points
  size_t rooms = 100;        // of a hello
  int64_t page = 200;        // of a history
};

using ParsedMessage = std::variant<ClientMessage, Refusal>;
ParsedMessage ParseClientMessage(std::string_view json, const MessageLimits& limits);

// What is wrong with a text that people wrote; empty: nothing.
std::string TextFault(std::string_view text, const MessageLimits& limits);

}  // namespace framewall::backend::chat
