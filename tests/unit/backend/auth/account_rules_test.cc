#include "backend/auth/account_rules.h"

#include <gtest/gtest.h>

#include <set>

namespace framewall::backend::auth {
namespace {

std::string Repeat(std::string_view piece, size_t count) {
  std::string text;
  while (count-- > 0) text += piece;
  return text;
}

TEST(AccountName, IsLowerCase) {
  EXPECT_EQ(AccountName("Ann"), "ann");
  EXPECT_EQ(AccountName("a.B_c-9"), "a.b_c-9");
}

TEST(AccountName, HasBothEndsOfItsLength) {
  EXPECT_FALSE(AccountName(""));
  EXPECT_FALSE(AccountName("a"));
  EXPECT_TRUE(AccountName("ab"));
  EXPECT_TRUE(AccountName(Repeat("a", 32)));
  EXPECT_FALSE(AccountName(Repeat("a", 33)));
}

TEST(AccountName, IsNothingElse) {
  for (const char* text : {".ab", "-ab", "_ab", "a b", "a/b", "a@b", "анна", "a\tb", "ab\n"}) {
    EXPECT_FALSE(AccountName(text)) << text;
  }
  EXPECT_FALSE(AccountName(std::string_view("a\0b", 3)));
}

TEST(DisplayName, IsCountedInCharacters) {
  EXPECT_NE(WhyNoDisplayName(""), "");
  EXPECT_EQ(WhyNoDisplayName("Я"), "");
  EXPECT_EQ(WhyNoDisplayName(Repeat("Я", 64)), "");
  EXPECT_NE(WhyNoDisplayName(Repeat("Я", 65)), "");
}

TEST(DisplayName, HasNoControlsAndNoSpacesAround) {
  EXPECT_EQ(WhyNoDisplayName("Анна Петрова"), "");
  EXPECT_NE(WhyNoDisplayName(" Anna"), "");
  EXPECT_NE(WhyNoDisplayName("Anna "), "");
  EXPECT_NE(WhyNoDisplayName("An\nna"), "");
  EXPECT_NE(WhyNoDisplayName("An\x7fna"), "");
  EXPECT_NE(WhyNoDisplayName("An\xff"), "");
}

TEST(Password, IsAtLeastSoManyCharactersAndAtMostSoManyOctets) {
  EXPECT_NE(WhyNoPassword("123456789", "ann", 10, 64), "");
  EXPECT_EQ(WhyNoPassword("1234567890", "ann", 10, 64), "");
  EXPECT_NE(WhyNoPassword("пароль123", "ann", 10, 64), "");
  EXPECT_EQ(WhyNoPassword("пароль1234", "ann", 10, 64), "");
  EXPECT_EQ(WhyNoPassword(Repeat("a", 64), "ann", 10, 64), "");
  EXPECT_NE(WhyNoPassword(Repeat("a", 65), "ann", 10, 64), "");
}

TEST(Password, IsNoLongerThanCryptTakesWhateverTheSettingsSay) {
  EXPECT_EQ(WhyNoPassword(Repeat("a", 511), "ann", 10, 4096), "");
  EXPECT_EQ(WhyNoPassword(Repeat("a", 512), "ann", 10, 4096), "at most 511 octets");
}

TEST(Password, IsNotTheNameAndHasNoControls) {
  EXPECT_NE(WhyNoPassword("Annapetrova", "annapetrova", 10, 64), "");
  EXPECT_NE(WhyNoPassword("1234567890\n", "ann", 10, 64), "");
  EXPECT_NE(WhyNoPassword(std::string_view("1234567890\0x", 12), "ann", 10, 64), "");
  EXPECT_NE(WhyNoPassword("1234567890\xc0", "ann", 10, 64), "");
}

TEST(Password, IsComparedOnlyWhereItCanBeTakenWhole) {
  EXPECT_EQ(WhyNotChecked("", 64), "");
  EXPECT_EQ(WhyNotChecked("old\n\xff", 64), "");
  EXPECT_EQ(WhyNotChecked(Repeat("a", 64), 64), "");
  EXPECT_EQ(WhyNotChecked(Repeat("a", 65), 64), "at most 64 octets");
  EXPECT_EQ(WhyNotChecked(Repeat("a", 511), 4096), "");
  EXPECT_EQ(WhyNotChecked(Repeat("a", 512), 4096), "at most 511 octets");
  for (const std::string_view text : {std::string_view("\0", 1), {"secret\0x", 8}, {"x\0", 2}}) {
    EXPECT_EQ(WhyNotChecked(text, 64), "text without the character U+0000");
  }
}

TEST(RandomPassword, IsLongAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string password = RandomPassword();
    EXPECT_EQ(WhyNoPassword(password, "admin", 20, 20), "");
    EXPECT_TRUE(seen.insert(password).second);
  }
}

}  // namespace
}  // namespace framewall::backend::auth
