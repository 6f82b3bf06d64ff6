// permessage-deflate (RFC 7692): its parameters, and messages in and out of DEFLATE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/ws/frame.h"
#include "proxy/ws/zlib_pool.h"

namespace framewall::ws {

// What both ends agreed on (RFC 7692 7.1).
struct DeflateParams {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 15;  // 8..15
  int client_max_window_bits = 15;
  bool operator==(const DeflateParams&) const = default;
};

// One direction of it.
struct DeflateSide {
  bool context_takeover = true;
  int window_bits = 15;
};
// What the sender `role` compresses with.
DeflateSide SideOf(const DeflateParams& params, Role role);

struct InflateLimits {
  uint64_t max_output = uint64_t{1} << 20;  // octets of a message
  uint32_t max_ratio = 0;                   // output to input; 0: any
};
// A message may inflate to this much whatever its ratio: short repetitive messages are no attack,
// and with context takeover a repeated document takes a few octets.
inline constexpr uint64_t kRatioFreeOutput = 65536;
// Input counts for the ratio in steps of this size, so that a verdict does not depend on how the
// network cut the octets.
inline constexpr uint64_t kRatioStep = 1024;

// Inflates the messages of one direction.
//
// zlib's state is borrowed from the pool while a message is unfinished. Between messages nothing is
// kept without context takeover; with it, the last 2^window_bits octets of output (fewer while
// fewer came). What a message may refer back to is always that window and the message itself, so
// the verdict does not depend on how input is split.
class Inflater {
 public:
  enum class Outcome : uint8_t {
    kOk,
    kBroken,   // not DEFLATE, or not whole at its end
    kTooLong,  // more output than max_output
    kRatio,    // more output than max_ratio allows
  };

  // `pool` outlives us.
  Inflater(DeflateSide side, InflateLimits limits, ZlibPool* pool);

  // Appends to `out` what `piece`, the next of the message's payload, inflates to. `out` is empty
  // at the beginning of a message and holds exactly its output from then on. After a refusal it
  // holds what came before the fault, at most the limit, and this inflater is of no more use.
  Outcome Inflate(ByteView piece, std::string& out);
  // The message's payload is complete: adds the four octets that the sender left out (RFC 7692
  // 7.2.2). A message without any octet is an empty message, as some senders have it; so is the
  // end right behind a block with BFINAL.
  Outcome Finish(std::string& out);

  // Octets that an unfinished message holds here, about.
  size_t held() const { return state_ ? kInflateStateOctets : 0; }
  // Octets kept for context takeover.
  size_t window_size() const { return window_.size(); }

 private:
  void Begin();
  Outcome Run(ByteView piece, uint64_t counted, std::string& out);
  void KeepWindow(const std::string& out);

  DeflateSide side_;
  bool ended_ = false;  // the last block had BFINAL and nothing followed yet
  InflateLimits limits_;
  ZlibPool* pool_;
  InflateLease state_;
  uint64_t taken_ = 0;  // octets of the message's payload so far
  std::string window_;
};

// How hard to compress.
struct DeflateEffort {
  int level = 1;      // 1..9
  int mem_level = 8;  // 1..9; the state takes 2^(window_bits + 2) + 2^(mem_level + 9) octets
};

// Deflates the messages of one direction. Without context takeover the state is borrowed for one
// call; with it, it is kept from the first message on: 268 kB at 15 bits and mem_level 8.
class Deflater {
 public:
  // `pool` outlives us.
  Deflater(DeflateSide side, DeflateEffort effort, ZlibPool* pool);

  // zlib cannot deflate with a window of 8 bits: nothing is compressed then, which RFC 7692 6
  // allows for any message.
  bool CanDeflate() const { return side_.window_bits >= 9; }
  bool context_takeover() const { return side_.context_takeover; }

  // Appends the message `payload`, deflated, without the four octets of the tail (RFC 7692 7.2.1).
  // Requires: CanDeflate(), `payload` is not empty.
  void Deflate(ByteView payload, std::string& out);

 private:
  DeflateSide side_;
  DeflateEffort effort_;
  ZlibPool* pool_;
  DeflateLease state_;
};

}  // namespace framewall::ws
