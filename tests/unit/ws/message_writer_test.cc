#include "proxy/ws/message_writer.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "tests/unit/ws/frame_script.h"

namespace framewall::ws {
namespace {

Role OtherEnd(Role role) { return role == Role::kServer ? Role::kClient : Role::kServer; }

// What the other end makes of it.
void Expect(const WriterOptions& options, std::string_view octets, std::string_view events) {
  ExpectReading({.role = OtherEnd(options.role), .deflate = options.deflate}, octets,
                EventsOf(events));
}

TEST(MessageWriter, WritesAServersFramesToTheOctet) {
  MessageWriter writer({.role = Role::kServer}, nullptr);
  std::string out;
  writer.WriteMessage(Opcode::kText, "Hello", out);
  writer.WriteMessage(Opcode::kBinary, "", out);
  writer.WritePing("p", out);
  writer.WritePong("", out);
  writer.WriteClose(CloseCode::kNormal, "ok", out);
  writer.WriteClose(CloseCode::kNoStatus, "", out);
  EXPECT_EQ(HexEncode(out),
            "810548656c6c6f"
            "8200"
            "890170"
            "8a00"
            "880403e86f6b"
            "8800");
}

TEST(MessageWriter, IsUnderstoodByTheOtherEnd) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    const WriterOptions options{.role = role};
    MessageWriter writer(options, nullptr);
    std::string out;
    for (const size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u}) {
      writer.WriteMessage(Opcode::kText, std::string(size, '*'), out);
    }
    writer.WritePing("ping", out);
    writer.WritePong(std::string(125, 'p'), out);
    writer.WriteClose(4999, "bye", out);
    Expect(options, out,
           "text | text \"*\" | text \"*\"*125 | text \"*\"*126 | text \"*\"*65535 | "
           "text \"*\"*65536 | ping \"ping\" | pong \"p\"*125 | close 4999 \"bye\"");
  }
}

TEST(MessageWriter, AClientMasksEachFrameWithAFreshKey) {
  MessageWriter writer({.role = Role::kClient}, nullptr);
  std::string first;
  std::string second;
  std::string third;
  writer.WriteMessage(Opcode::kText, "the same text", first);
  writer.WriteMessage(Opcode::kText, "the same text", second);
  writer.WriteMessage(Opcode::kText, "the same text", third);
  // Three equal keys are no accident.
  EXPECT_TRUE(first != second || second != third);
  EXPECT_EQ(first.find("the same text"), std::string::npos);
}

TEST(MessageWriter, PreparesWithoutACopy) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    const WriterOptions options{.role = role};
    MessageWriter writer(options, nullptr);
    std::string payload(1000, '*');
    const char* const before = payload.data();
    const FrameHead head = writer.PrepareMessage(Opcode::kBinary, payload);
    EXPECT_EQ(payload.data(), before);
    EXPECT_EQ(head.view().size(), role == Role::kServer ? 4u : 8u);
    Expect(options, std::string(head.view()) + payload, "binary \"*\"*1000");
  }
}

TEST(MessageWriter, CutsACloseReasonBetweenCharacters) {
  MessageWriter writer({}, nullptr);
  const WriterOptions options;
  std::string out;
  writer.WriteClose(CloseCode::kPolicyViolation, std::string(200, 'r'), out);
  Expect(options, out, "close 1008 \"r\"*123");
  for (size_t before = 119; before <= 123; ++before) {
    out.clear();
    writer.WriteClose(CloseCode::kPolicyViolation,
                      std::string(before, 'r') +
                          "\xf0\x9f\x98\x80"
                          "tail",
                      out);
    Expect(options, out,
           "close 1008 \"r\"*" + std::to_string(before) +
               (before == 119 ? "\"\\xf0\\x9f\\x98\\x80\"" : ""));
  }
}

// --- Compressed --------------------------------------------------------------------------------

bool IsCompressed(std::string_view frame) { return (frame[0] & 0x40) != 0; }

TEST(WriterDeflate, CompressesFromTheMinimumOn) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    ZlibPool pool;
    const WriterOptions options{.role = role, .deflate = DeflateParams{}, .min_deflate_size = 100};
    MessageWriter writer(options, &pool);
    std::string out;
    writer.WriteMessage(Opcode::kText, std::string(99, '*'), out);
    EXPECT_FALSE(IsCompressed(out));
    const size_t second = out.size();
    writer.WriteMessage(Opcode::kText, std::string(100, '*'), out);
    EXPECT_TRUE(IsCompressed(out.substr(second)));
    EXPECT_LT(out.size() - second, 30u);
    std::string payload(100, '*');
    out.append(writer.PrepareMessage(Opcode::kBinary, payload).view()).append(payload);
    Expect(options, out, "text \"*\"*99 | text \"*\"*100 | binary \"*\"*100");
  }
}

TEST(WriterDeflate, SendsAsItIsWhatDoesNotShrink) {
  std::string noise;
  while (noise.size() < 4096) noise += std::string(NewMaskKey().data(), 4);
  for (const bool no_takeover : {true, false}) {
    ZlibPool pool;
    const WriterOptions options{.deflate =
                                    DeflateParams{.server_no_context_takeover = no_takeover}};
    MessageWriter writer(options, &pool);
    std::string out;
    writer.WriteMessage(Opcode::kBinary, noise, out);
    // With takeover the other end's window has to follow ours.
    EXPECT_EQ(IsCompressed(out), !no_takeover);
    ExpectReading({.role = Role::kClient, .deflate = options.deflate}, out, {{"binary", 0, noise}});
  }
}

TEST(WriterDeflate, NeverCompressesAnEmptyMessageOrAPing) {
  ZlibPool pool;
  MessageWriter writer({.deflate = DeflateParams{}, .min_deflate_size = 0}, &pool);
  std::string out;
  writer.WriteMessage(Opcode::kText, "", out);
  writer.WritePing(std::string(125, '*'), out);
  EXPECT_EQ(HexEncode(out.substr(0, 4)), "8100897d");
}

TEST(WriterDeflate, AWindowOf8BitsIsLeftUnused) {
  ZlibPool pool;
  const DeflateParams params{.server_max_window_bits = 8};
  MessageWriter writer({.deflate = params, .min_deflate_size = 0}, &pool);
  std::string out;
  writer.WriteMessage(Opcode::kText, std::string(1000, '*'), out);
  EXPECT_FALSE(IsCompressed(out));
}

TEST(WriterDeflate, BorrowsForOneCallWithoutTakeover) {
  ZlibPool pool;
  const WriterOptions options{.deflate = DeflateParams{.server_no_context_takeover = true}};
  {
    MessageWriter first(options, &pool);
    MessageWriter second(options, &pool);
    MessageWriter keeps({.deflate = DeflateParams{}}, &pool);
    std::string out;
    first.WriteMessage(Opcode::kText, std::string(2000, '*'), out);
    second.WriteMessage(Opcode::kText, std::string(2000, '*'), out);
    EXPECT_EQ(pool.statistic().deflate_lent, 0u);
    EXPECT_EQ(pool.statistic().deflate_idle, 1u);
    keeps.WriteMessage(Opcode::kText, std::string(2000, '*'), out);
    EXPECT_EQ(pool.statistic().deflate_lent, 1u);
  }
  EXPECT_EQ(pool.statistic().deflate_lent, 0u);
}

}  // namespace
}  // namespace framewall::ws
