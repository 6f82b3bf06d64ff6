#include "proxy/redis/script.h"

#include <gtest/gtest.h>

#include "proxy/redis/command_format.h"
#include "proxy/redis/request.h"

namespace framewall::redis {
namespace {

TEST(Script, KnowsItsDigest) {
  // SCRIPT LOAD "return 1" answers so.
  EXPECT_EQ("e0e1f9fabfc9d4800c877a703b823ac0578ff8db", Script("return 1").sha1());
}

TEST(Command, IsAnArrayOfStrings) {
  using namespace std::string_view_literals;
  EXPECT_EQ("*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n"sv, FormatCommand({"SET", "a\0b"sv, ""}));
}

TEST(Command, EvalIsEvalshaWithTheText) {
  const Script script("return 1");
  for (const std::vector<std::string_view>& arguments :
       {std::vector<std::string_view>{}, {"a"}, {"a", "", "c", "d", "e", "f", "g"}}) {
    const RequestPtr request = MakeRequest(script, "key", arguments);
    std::vector<std::string_view> words = {"EVALSHA", script.sha1(), "1", "key"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(FormatCommand(words), request->bytes);
    request->SendWholeScript();
    words[0] = "EVAL";
    words[1] = script.text();
    EXPECT_EQ(FormatCommand(words), request->bytes);
  }
}

}  // namespace
}  // namespace framewall::redis
