// A small language for frames and for what a reader makes of them, so that a test is two lines:
//
//   Reads("text nofin \"Hel\" | ping \"x\" | cont \"lo\"", "ping \"x\" | text \"Hello\"");
//
// Frames: an opcode (text binary cont close ping pong, or op:11), then in any order
//   "text" or hex:00ff, either with *N for N times; close also takes a code before its reason
//   nofin rsv1 rsv2 rsv3       header bits
//   flipmask                   masked where it must not be, or the other way round
//   len16 len64 len:N          a longer form of length; a length that is not the payload's
//   deflate                    compresses the payload and sets rsv1
// Events: text binary ping pong with a payload, `close CODE "reason"`, `violation KIND CODE`, and
// `unfinished` where the input ends within a message or a frame.
// In strings \" \\ \0 and \xNN are escapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/ws/message_reader.h"

namespace framewall::ws {

struct Event {
  std::string what;
  uint16_t code = 0;
  std::string payload;
  bool operator==(const Event&) const = default;
};

// The octets that a peer of `reader` sends: masked, with a key of its own each, where the reader is
// a server.
std::string FramesOf(std::string_view script, Role reader);
std::vector<Event> EventsOf(std::string_view script);
// Long payloads as their size and ends.
std::string Describe(const std::vector<Event>& events);

// How the octets are cut: in pieces of `step`; random(seed) ones for step 0.
struct Cuts {
  size_t step = std::string_view::npos;
  uint32_t seed = 0;
};
std::vector<Event> ReadAll(const ReaderOptions& options, std::string_view octets, Cuts cuts);

// Feeds `octets` whole, octet by octet and in several random ways, and expects the same each time.
void ExpectReading(const ReaderOptions& options, std::string_view octets,
                   const std::vector<Event>& events);

// Both ends: as a server reads a client, and the other way round.
void Reads(const ReaderOptions& options, std::string_view frames, std::string_view events);
void Reads(std::string_view frames, std::string_view events);

}  // namespace framewall::ws
