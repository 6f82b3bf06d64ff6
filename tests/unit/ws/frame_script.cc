#include "tests/unit/ws/frame_script.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/ws/message_writer.h"

namespace framewall::ws {
namespace {

// --- Words -------------------------------------------------------------------------------------

struct Word {
  bool is_payload = false;
  std::string text;
};

uint64_t Number(std::string_view text) {
  const auto number = ParseUnsigned(text);
  FW_CHECK(number.has_value());
  return *number;
}

// The elements of a script, each as its words.
std::vector<std::vector<Word>> WordsOf(std::string_view script) {
  std::vector<std::vector<Word>> elements;
  if (script.empty()) return elements;
  elements.emplace_back();
  const auto take_while = [&script](auto wanted) {
    size_t size = 0;
    while (size < script.size() && wanted(script[size])) ++size;
    const std::string_view taken = script.substr(0, size);
    script.remove_prefix(size);
    return taken;
  };
  const auto repeat = [&](std::string once) {
    if (!script.starts_with('*')) return once;
    script.remove_prefix(1);
    const uint64_t times = Number(take_while(IsDigit));
    if (once.size() == 1) return std::string(times, once.front());
    std::string all;
    for (uint64_t i = 0; i < times; ++i) all += once;
    return all;
  };
  while (!script.empty()) {
    if (script.front() == ' ') {
      script.remove_prefix(1);
    } else if (script.front() == '|') {
      script.remove_prefix(1);
      elements.emplace_back();
    } else if (script.front() == '"') {
      std::string text;
      script.remove_prefix(1);
      for (; script.front() != '"'; script.remove_prefix(1)) {
        if (script.front() != '\\') {
          text += script.front();
          continue;
        }
        script.remove_prefix(1);
        if (script.front() == 'x') {
          text += HexDecode(script.substr(1, 2)).value();
          script.remove_prefix(2);
        } else {
          text += script.front() == '0' ? '\0' : script.front();
        }
      }
      script.remove_prefix(1);
      elements.back().push_back({true, repeat(std::move(text))});
    } else {
      const std::string_view word =
          take_while([](char c) { return c != ' ' && c != '|' && c != '*'; });
      if (word.starts_with("hex:")) {
        elements.back().push_back({true, repeat(HexDecode(word.substr(4)).value())});
      } else {
        elements.back().push_back({false, std::string(word)});
      }
    }
  }
  return elements;
}

// --- Frames ------------------------------------------------------------------------------------

Opcode OpcodeOf(std::string_view word) {
  if (word == "text") return Opcode::kText;
  if (word == "binary") return Opcode::kBinary;
  if (word == "cont") return Opcode::kContinuation;
  if (word == "close") return Opcode::kClose;
  if (word == "ping") return Opcode::kPing;
  if (word == "pong") return Opcode::kPong;
  FW_CHECK(word.starts_with("op:"));
  return static_cast<Opcode>(Number(word.substr(3)));
}

std::string Deflated(std::string_view payload) {
  ZlibPool pool;
  Deflater deflater({.context_takeover = false}, {}, &pool);
  std::string out;
  deflater.Deflate(payload, out);
  return out;
}

std::string CodeOctets(uint64_t code) {
  char octets[2];
  WriteBig16(octets, static_cast<uint16_t>(code));
  return {octets, 2};
}

// The header with a form of length of one's choice.
std::string Header(const FrameHeader& header, uint8_t length_code) {
  char octets[kMaxFrameHeader];
  std::string text(octets, EncodeFrameHeader(header, octets));
  if (length_code == 0) return text;
  std::string forced(text, 0, 2);
  forced[1] = static_cast<char>((header.masked ? 0x80 : 0) | length_code);
  char length[8];
  WriteBig64(length, header.length);
  forced.append(length_code == 126 ? std::string(length + 6, 2) : std::string(length, 8));
  if (header.masked) forced.append(header.mask.data(), header.mask.size());
  return forced;
}

std::string FrameOf(const std::vector<Word>& words, Role reader) {
  FrameHeader header{.opcode = OpcodeOf(words.at(0).text), .masked = reader == Role::kServer};
  std::string payload;
  uint8_t length_code = 0;
  std::optional<uint64_t> length;
  bool deflate = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    if (words[i].is_payload) {
      payload += word;
    } else if (word == "nofin") {
      header.fin = false;
    } else if (word == "rsv1") {
      header.rsv1 = true;
    } else if (word == "rsv2") {
      header.rsv2 = true;
    } else if (word == "rsv3") {
      header.rsv3 = true;
    } else if (word == "flipmask") {
      header.masked = !header.masked;
    } else if (word == "len16") {
      length_code = 126;
    } else if (word == "len64") {
      length_code = 127;
    } else if (word.starts_with("len:")) {
      length = Number(std::string_view(word).substr(4));
    } else if (word == "deflate") {
      deflate = true;
    } else {
      payload += CodeOctets(Number(word));
    }
  }
  if (deflate) {
    header.rsv1 = true;
    payload = Deflated(payload);
  }
  header.length = length.value_or(payload.size());
  if (header.masked) {
    header.mask = NewMaskKey();
    ApplyMask(payload.data(), payload.size(), header.mask);
  }
  return Header(header, length_code) + payload;
}

// --- Events ------------------------------------------------------------------------------------

Event EventOf(MessageReader& reader, ReadEvent event) {
  switch (event) {
    case ReadEvent::kMessage:
      return {std::string(OpcodeName(reader.message_opcode())), 0, reader.payload()};
    case ReadEvent::kPing:
      return {"ping", 0, std::string(reader.control_payload())};
    case ReadEvent::kPong:
      return {"pong", 0, std::string(reader.control_payload())};
    case ReadEvent::kClose:
      return {"close", reader.close_code(), std::string(reader.close_reason())};
    case ReadEvent::kViolation:
      EXPECT_FALSE(reader.violation().text.empty());
      return {"violation " + std::string(ViolationKindName(reader.violation().kind)),
              static_cast<uint16_t>(reader.violation().close_code), ""};
    case ReadEvent::kNeedMore:
      break;
  }
  FW_UNREACHABLE();
}

}  // namespace

std::string FramesOf(std::string_view script, Role reader) {
  std::string octets;
  for (const auto& words : WordsOf(script)) octets += FrameOf(words, reader);
  return octets;
}

std::vector<Event> EventsOf(std::string_view script) {
  std::vector<Event> events;
  for (const auto& words : WordsOf(script)) {
    Event event{words.at(0).text, 0, ""};
    for (size_t i = 1; i < words.size(); ++i) {
      if (words[i].is_payload) {
        event.payload += words[i].text;
      } else if (event.what == "violation") {
        event.what += " " + words[i].text;
      } else {
        event.code = static_cast<uint16_t>(Number(words[i].text));
      }
    }
    events.push_back(std::move(event));
  }
  return events;
}

std::string Describe(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    if (!text.empty()) text += " | ";
    text += event.what;
    if (event.code != 0) text += " " + std::to_string(event.code);
    text += " \"";
    AppendJsonEscaped(text, std::string_view(event.payload).substr(0, 40));
    text += "\"";
    if (event.payload.size() > 40) text += "... of " + std::to_string(event.payload.size());
  }
  return text;
}

std::vector<Event> ReadAll(const ReaderOptions& options, std::string_view octets, Cuts cuts) {
  ZlibPool pool;
  MessageReader reader(options, &pool);
  std::minstd_rand random(cuts.seed);
  std::vector<Event> events;
  while (!octets.empty()) {
    const size_t most = std::max<size_t>(octets.size() / 2, 2);
    const size_t step = cuts.step != 0 ? cuts.step : 1 + random() % most;
    // A block of its own, so that a sanitizer sees each octet read beyond it.
    const size_t size = std::min(step, octets.size());
    const std::unique_ptr<char[]> copy(new char[size]);
    octets.copy(copy.get(), size);
    octets.remove_prefix(size);
    ByteView input(copy.get(), size);
    for (;;) {
      const ReadEvent event = reader.Read(&input);
      if (event == ReadEvent::kNeedMore) break;
      events.push_back(EventOf(reader, event));
    }
    EXPECT_TRUE(input.empty());
  }
  if (reader.ended()) {
    EXPECT_EQ(reader.held(), 0u);
  } else if (!reader.between_messages()) {
    events.push_back({"unfinished", 0, ""});
  }
  return events;
}

void ExpectReading(const ReaderOptions& options, std::string_view octets,
                   const std::vector<Event>& events) {
  const auto expect = [&](Cuts cuts) {
    const std::vector<Event> read = ReadAll(options, octets, cuts);
    EXPECT_TRUE(read == events) << "steps of " << cuts.step << ", seed " << cuts.seed
                                << "\n  expected " << Describe(events) << "\n  read     "
                                << Describe(read);
  };
  constexpr size_t kFewOctets = size_t{1} << 20;
  expect({});
  expect({.step = octets.size() <= kFewOctets ? 1u : 997u});
  for (uint32_t seed = 1; seed <= 8; ++seed) expect({.step = 0, .seed = seed});
}

void Reads(const ReaderOptions& options, std::string_view frames, std::string_view events) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    SCOPED_TRACE(std::string(frames.substr(0, 200)) +
                 (role == Role::kServer ? ", read by a server" : ", read by a client"));
    ReaderOptions own = options;
    own.role = role;
    ExpectReading(own, FramesOf(frames, role), EventsOf(events));
  }
}

void Reads(std::string_view frames, std::string_view events) { Reads({}, frames, events); }

}  // namespace framewall::ws
