#include "waf/message_binary.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::waf {
namespace {

using namespace std::string_literals;
using Strings = std::vector<std::string>;

Strings Texts(std::string_view bytes, bool is_cut = false) {
  const auto views = TextsInBinary(bytes, is_cut);
  return {views.begin(), views.end()};
}

std::string Packed(std::string_view text) {
  if (text.size() < 32) return static_cast<char>(0xa0 | text.size()) + std::string(text);
  return "\xd9"s + static_cast<char>(text.size()) + std::string(text);
}

std::string Field(int number, std::string_view bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} +
         std::string(bytes);
}

TEST(MessageBinary, StringsOfMessagePackWhateverTheirLength) {
  // {"q": "1'or'1", "n": 39, "t": nil}
  EXPECT_EQ(
      Texts("\x83" + Packed("q") + Packed("1'or'1") + Packed("n") + "\x27" + Packed("t") + "\xc0"),
      (Strings{"q", "1'or'1", "n", "t"}));
  // A length that is a printable character (39 is ') is no part of the string.
  const std::string text = "thirty-nine characters are in this text";
  ASSERT_EQ(text.size(), 39U);
  EXPECT_EQ(Texts("\x91" + Packed(text)), Strings{text});
}

TEST(MessageBinary, EveryTypeOfMessagePackIsPassedOver) {
  const std::string types = "\xc0\xc2\xc3\x00\x7f\xff\xe0"s + "\xcc\x01\xcd\x01\x02"s +
                            "\xce\x01\x02\x03\x04"s + "\xcf\x01\x02\x03\x04\x05\x06\x07\x08"s +
                            "\xd0\x01\xd1\x01\x02"s + "\xd2\x01\x02\x03\x04"s +
                            "\xd3\x01\x02\x03\x04\x05\x06\x07\x08"s + "\xca\x01\x02\x03\x04"s +
                            "\xcb\x01\x02\x03\x04\x05\x06\x07\x08"s;
  const std::string sized = "\xc4\x02zz\xc5\x00\x02zz\xc6\x00\x00\x00\x02zz"s +
                            "\xc7\x02\x05zz\xc8\x00\x02\x05zz\xc9\x00\x00\x00\x02\x05zz"s +
                            "\xd4\x05z\xd5\x05zz\xd6\x05zzzz\xd7\x05zzzzzzzz"s + "\xd8\x05" +
                            std::string(16, '\0') + "\xda\x00\x02hi\xdb\x00\x00\x00\x02ho"s;
  const std::string containers =
      "\x80\x90\x81\xa1"
      "k\x01\xdc\x00\x01\xa1"
      "a\xdd\x00\x00\x00\x01\xa1"
      "b\xde\x00\x01\xa1"
      "c\x01\xdf\x00\x00\x00\x01\xa1"
      "d\x01"s;
  EXPECT_EQ(Texts("\xdc\x00\x26"s + types + sized + containers),
            (Strings{"hi", "ho", "k", "a", "b", "c", "d"}));
}

TEST(MessageBinary, AnOctetThatIsNoTextHidesNoString) {
  // In the string, beside it, behind the message.
  EXPECT_EQ(Texts("\x91" + Packed("1'or'1\xff\xff")), Strings{"1'or'1"});
  EXPECT_EQ(Texts("\x92" + Packed("\x01") + Packed("1'or'1")), (Strings{"1'or'1"}));
  EXPECT_EQ(Texts("\x91" + Packed("1'or'1") + "\xc1\xc1"), Strings{"1'or'1"});
  EXPECT_EQ(Texts("\x91" + Packed("1'or'1") + "\xd9"), Strings{"1'or'1"});
}

TEST(MessageBinary, AFileThatIsCalledAStringIsNone) {
  const std::string file = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x80\x90"s;
  EXPECT_EQ(Texts("\x92" + Packed(file) + Packed("photo")), Strings{"photo"});
}

TEST(MessageBinary, FramingInFrontIsLookedPast) {
  const std::string message = "\x91" + Packed("1'or'1");
  EXPECT_EQ(Texts("\x04" + message), Strings{"1'or'1"});  // Engine.IO 3
  EXPECT_EQ(Texts("\xff" + message), Strings{"1'or'1"});
  EXPECT_EQ(Texts("\x00\x00\x00\x00\x08"s + message), Strings{"1'or'1"});  // gRPC
}

TEST(MessageBinary, StringsOfProtocolBuffers) {
  EXPECT_EQ(Texts(Field(1, "1'or'1") + "\x10\x96\x01" + Field(4, "hi")), (Strings{"1'or'1", "hi"}));
  // A message in a message, with numbers of all widths beside it.
  const std::string inner = Field(1, "inner") + "\x15\x01\x02\x03\x04"s;
  EXPECT_EQ(Texts(Field(2, inner) + "\x19\x01\x02\x03\x04\x05\x06\x07\xff"s + Field(5, "outer")),
            (Strings{"inner", "outer"}));
}

TEST(MessageBinary, AStringThatLooksLikeAMessageIsSeen) {
  // Octet 0x11 reads as a number of eight octets that would swallow the text.
  EXPECT_EQ(Texts(Field(1,
                        "\x11"
                        "1'or'1=1") +
                  "\x10\xff\x01"),
            Strings{"1'or'1=1"});
}

TEST(MessageBinary, RunsThatAreLongEnoughAndHaveAWord) {
  const std::string noise = "\xff\xfe\xc1\x80\x00"s;
  EXPECT_EQ(Texts(noise + "id=1 union select 2" + noise), Strings{"id=1 union select 2"});
  EXPECT_EQ(Texts(noise + "привет, мир" + noise), Strings{"привет, мир"});
  EXPECT_EQ(Texts(noise + "select " + noise), Strings{});             // too short
  EXPECT_EQ(Texts(noise + "<?<?!!--'1'#%$/..(" + noise), Strings{});  // no word
  EXPECT_EQ(Texts(noise + "twelve chars" + noise), Strings{"twelve chars"});
  EXPECT_EQ(Texts(noise + "eleven char" + noise), Strings{});
}

TEST(MessageBinary, ARunThatGoesBeyondAStringIsShownWhole) {
  // Read as MessagePack this is a short string and small numbers; read as text it is one attack.
  const std::string bytes = "\xdc\x00\x18\xa4<scr"s + "ipt>alert(1)</script>";
  const Strings texts = Texts(bytes);
  EXPECT_NE(std::find(texts.begin(), texts.end(), "<script>alert(1)</script>"), texts.end());
}

TEST(MessageBinary, CutMessagesGiveWhatThereIs) {
  const std::string packed = "\x92" + Packed("1'or'1") + Packed("a longer text with words");
  EXPECT_EQ(Texts(packed.substr(0, packed.size() - 5), true),
            (Strings{"1'or'1", "a longer text with "}));
  const std::string proto = Field(1, "1'or'1") + "\x10\xff\x01" + Field(2, "a longer text");
  EXPECT_EQ(Texts(proto.substr(0, proto.size() - 5), true), (Strings{"1'or'1", "a longer"}));
}

TEST(MessageBinary, NothingInNothing) {
  EXPECT_EQ(Texts(""), Strings{});
  EXPECT_EQ(Texts("\xff"), Strings{});
  EXPECT_EQ(Texts(std::string(100, '\0')), Strings{});
}

}  // namespace
}  // namespace framewall::waf
