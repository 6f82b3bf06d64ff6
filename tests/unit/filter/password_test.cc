#include "proxy/filter/password.h"

#include <gtest/gtest.h>

#include <string>

namespace framewall::filter {
namespace {

constexpr PasswordOutcome kFits = PasswordOutcome::kFits;
constexpr PasswordOutcome kDiffers = PasswordOutcome::kDiffers;
constexpr PasswordOutcome kUnusable = PasswordOutcome::kUnusable;

// "password" each, made by openssl and by crypt(3).
constexpr const char* kStored[] = {
    "{PLAIN}password",
    "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0",
    "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.",
    "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
    "$5$saltsalt$gOjOtoMpVhru2uyjeJSEc/JaLQWOXMNmlOnj6T4AtC.",
    "$5$rounds=1000$saltsalt$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9",
    "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL"
    "3nh/",
    "$y$j75$abcdefgh$hycRI05iyPwUdPZDaw/SJaABdj2h8B1Bgxi1Z/4Xke0",
    "$2b$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm",
    "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm",
    "abJnggxhB/yWI",
};

TEST(Password, FitsEveryScheme) {
  for (const char* stored : kStored) {
    EXPECT_EQ(CheckPassword("password", stored), kFits) << stored;
    EXPECT_EQ(CheckPassword("Password", stored), kDiffers) << stored;
    EXPECT_EQ(CheckPassword("", stored), kDiffers) << stored;
    EXPECT_EQ(CheckPassword(std::string_view("password\0x", 10), stored), kDiffers) << stored;
  }
}

TEST(Password, ReadsApr1OfEveryLength) {
  EXPECT_EQ(CheckPassword("", "$apr1$x$tMwYqBfQwi3FYAr0aJc8M/"), kFits);
  EXPECT_EQ(CheckPassword("a password that is longer than sixteen octets",
                          "$apr1$12345678$i9HuSHRdXg0FyZl0hB8710"),
            kFits);
}

TEST(Password, WhatIsNoHashFitsNothing) {
  // What crypt(3) says of them is what is stored: "*0" for all but "*0".
  for (const char* stored : {"", "*", "*0", "*1", "$9$what$ever", "$2b$04$short", "$y$", "$", "$6",
                             "{MD5}X03MO1qnZdYdgyfeuILPmQ==", "!", "x:"}) {
    EXPECT_EQ(CheckPassword("x", stored), kUnusable) << stored;
    EXPECT_EQ(CheckPassword("", stored), kUnusable) << stored;
    EXPECT_EQ(CheckPassword(stored, stored), kUnusable) << stored;
  }
}

TEST(Password, BrokenSaltedSha1FitsNothing) {
  for (const char* stored : {"{SSHA}", "{SSHA}____", "{SSHA}AAAA", "{SHA}", "{SHA}=", "$apr1$"}) {
    EXPECT_EQ(CheckPassword("password", stored), kDiffers) << stored;
    EXPECT_EQ(CheckPassword("", stored), kDiffers) << stored;
  }
}

TEST(Password, TheLongestIsWhatCryptTakes) {
  const std::string longest(kLongestPassword, 'x');
  const char* stored = "$5$rounds=1000$saltsalt$UO1D7uRhCj1iQQUQBCtfHH3.XLg17lM3s80LpvY26N9";
  EXPECT_EQ(CheckPassword(longest, stored), kFits);
  EXPECT_EQ(CheckPassword(longest + "x", stored), kUnusable);
}

TEST(Password, BcryptLooksAtSeventyTwoOctets) {
  const char* stored = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
  EXPECT_EQ(CheckPassword(std::string(71, 'x'), stored), kDiffers);
  EXPECT_EQ(CheckPassword(std::string(72, 'x'), stored), kFits);
  EXPECT_EQ(CheckPassword(std::string(72, 'x') + "y", stored), kFits);
}

TEST(Password, OnlyPlainOnesAreQuick) {
  int quick = 0;
  for (const char* stored : kStored) quick += IsQuickToCheck(stored) ? 1 : 0;
  EXPECT_EQ(quick, 3);
  EXPECT_TRUE(IsQuickToCheck("{PLAIN}"));
  EXPECT_FALSE(IsQuickToCheck("{plain}x"));
  EXPECT_FALSE(IsQuickToCheck(""));
}

TEST(Password, AKindIsWhatDecidesItsCost) {
  const std::pair<const char*, const char*> cases[] = {
      {"$2y$12$abcdefghijklmnopqrstuu", "$2y$12$"},
      {"$y$j9T$salt$hash", "$y$j9T$"},
      {"$gy$j9T$salt$hash", "$gy$j9T$"},
      {"$6$salt$hash", "$6$"},
      {"$6$rounds=10000$salt$hash", "$6$rounds=10000$"},
      {"$5$salt$hash", "$5$"},
      {"$apr1$salt$hash", "$apr1$"},
      {"$1$salt$hash", "$1$"},
      {"{SHA}base64=", "{SHA}"},
      {"{SHA", ""},
      {"abJnggxhB/yWI", ""},
      {"", ""},
      {"$", "$"},
      {"$6", "$6"},
      {"$2b$", "$2b$"},
      {"$2b$12", "$2b$12"},
  };
  for (const auto& [stored, kind] : cases) EXPECT_EQ(PasswordKind(stored), kind) << stored;
}

}  // namespace
}  // namespace framewall::filter
