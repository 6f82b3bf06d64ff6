// What the chat allows; docs/chat-protocol.md tells the same to clients.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "backend/settings/settings.h"

namespace framewall::backend::chat {

struct ChatLimits {
  size_t text_octets = 16384;
  size_t text_characters = 8192;
  size_t message_octets = 65536;    // of a whole message
  size_t unsent = size_t{1} << 20;  // octets that a slow reader may leave
  size_t rooms = 100;               // of one socket
  size_t sockets_per_user = 20;
  size_t messages_per_second = 10;  // of one socket
  size_t burst = 30;
  size_t refused_in_row = 100;  // by the rate, then the socket is closed
  int64_t page_default = 50;    // messages of a history
  int64_t page_most = 200;
  std::chrono::milliseconds hello_time{10'000};
  int64_t ping_interval_ms = 30'000;

  // Of the assistant.
  size_t answers_per_user = 2;   // at a time
  size_t answer_octets = 65536;  // of an answer; what comes beyond is cut
  int64_t context_messages = 20;
  std::chrono::milliseconds answer_time{300'000};
  std::chrono::milliseconds piece_pause{20};    // pieces of so long go out together
  std::chrono::milliseconds save_pause{2'000};  // how much a crash may take of an answer
};

// What the settings say of them.
ChatLimits LimitsOf(const Settings& settings);

}  // namespace framewall::backend::chat
