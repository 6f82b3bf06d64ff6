#include "backend/chat/limits.h"

namespace framewall::backend::chat {

ChatLimits LimitsOf(const Settings& settings) {
  ChatLimits limits;
  limits.text_octets = settings.message_limit;
  limits.text_characters = settings.message_characters;
  limits.rooms = settings.chat_rooms;
  limits.sockets_per_user = settings.chat_sockets;
  limits.messages_per_second = settings.chat_messages;
  limits.burst = settings.chat_burst;
  limits.unsent = settings.chat_unsent;
  limits.ping_interval_ms = settings.chat_ping_seconds * 1000;
  limits.answers_per_user = settings.chat_answers;
  limits.page_default = static_cast<int64_t>(settings.page_size);
  limits.page_most = static_cast<int64_t>(settings.page_limit);
  // A text as JSON may be longer than itself: \\u0430 for two octets. Some more for what stands
  // around it.
  limits.message_octets = settings.message_limit * 3 + 16384;
  return limits;
}

}  // namespace framewall::backend::chat
