// What clients of the chat say: a refusal that says what it is, or a message whose members are what
// the rest of the chat takes them for.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "backend/base/id.h"
#include "backend/chat/client_message.h"
#include "backend/chat/server_message.h"
#include "proxy/base/check.h"
#include "proxy/base/utf8.h"
#include "proxy/json/document.h"

namespace framewall::backend::chat {
namespace {

constexpr MessageLimits kLimits{.octets = 64, .characters = 40, .rooms = 3, .page = 10};

void CheckMessage(const ClientMessage& message) {
  using Type = ClientMessage::Type;
  FW_CHECK(message.ref.size() <= 4 * 64 && message.client_id.size() <= 4 * 64);
  FW_CHECK(message.rooms.size() <= kLimits.rooms);
  for (const RoomWish& wish : message.rooms) {
    FW_CHECK(IsId(wish.room));
    FW_CHECK(!wish.after || *wish.after >= 0);
  }
  const bool has_room =
      message.type != Type::kHello && message.type != Type::kAuth && message.type != Type::kPing;
  FW_CHECK(has_room == IsId(message.room));
  FW_CHECK(message.type != Type::kMessage || !message.client_id.empty());
  if (message.type == Type::kMessage || message.type == Type::kEdit) {
    FW_CHECK(message.text.size() <= kLimits.octets);
    FW_CHECK(TextFault(message.text, kLimits).empty());
    FW_CHECK(IsValidUtf8(message.text));
    // It goes out as it came in.
    store::Message stored;
    stored.text = message.text;
    const auto out = json::Document::Parse(MessageText("message", stored));
    FW_CHECK(out.ok() && out->root().Find("text")->AsString() == message.text);
  }
  FW_CHECK(!message.before || !message.after || message.type != Type::kHistory);
  FW_CHECK(message.limit >= 0 && message.limit <= kLimits.page);
}

}  // namespace
}  // namespace framewall::backend::chat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::chat;  // NOLINT
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const ParsedMessage parsed = ParseClientMessage(json, kLimits);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    FW_CHECK(refusal->problem.status >= 400 && !refusal->problem.code.empty());
    const std::string text = ErrorText(refusal->in_reply_to, refusal->room, refusal->problem);
    FW_CHECK(framewall::json::Document::Parse(text).ok());
    return 0;
  }
  CheckMessage(std::get<ClientMessage>(parsed));
  return 0;
}
