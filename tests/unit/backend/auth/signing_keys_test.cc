#include "backend/auth/signing_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "backend/base/id.h"
#include "backend/base/time.h"
#include "proxy/jwt/verifier.h"
#include "tests/support/temp_dir.h"
#include "tests/support/token_issuer.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kDay = 86'400'000;

// The id that NewId would have made then.
std::string IdOf(int64_t time) {
  std::string id = NewId();
  constexpr std::string_view kDigits = "0123456789abcdef";
  size_t at = 0;
  for (int shift = 44; shift >= 0; shift -= 4) {
    if (at == 8) ++at;
    id[at++] = kDigits[static_cast<size_t>(time >> shift & 0xF)];
  }
  return id;
}

class SigningKeysTest : public testing::Test {
 protected:
  SigningKeys::Options Options(SecretPlace place = SecretPlace::kOurs) const {
    return {.directory = directory.File("keys"), .place = place, .policy = KeyPolicy::Of(10, 600)};
  }
  std::string AddKey(const std::string& name, jwt::KeyType type = jwt::KeyType::kRsa,
                     int bits = 2048) {
    const std::string path =
        directory.Write("keys/" + name + ".pem", test::NewPrivateKey(type, bits));
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    return path;
  }
  static bool Verifies(const SigningKeys& keys, const std::string& token) {
    const std::array sets = {&keys.verifying()};
    return jwt::VerifySignature(token, sets).failure == jwt::Failure::kNone;
  }
  size_t CountFiles() const {
    size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory.File("keys"))) {
      count += file.path().extension() == ".pem" ? 1 : 0;
    }
    return count;
  }
  test::TempDir directory;
  const int64_t now = UnixMilliseconds();
};

TEST_F(SigningKeysTest, TheFirstIsMadeForUsAlone) {
  const auto keys = SigningKeys::Load(Options(), now);
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  const std::string path = directory.File("keys/" + std::string((*keys)->signer()) + ".pem");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const std::string token = (*keys)->Sign("{}").value();
  EXPECT_TRUE(Verifies(**keys, token));
  EXPECT_EQ((*keys)->published().find("\"d\":"), std::string::npos) << "the private half";

  const auto again = SigningKeys::Load(Options(), now);
  EXPECT_EQ((*again)->signer(), (*keys)->signer());
  EXPECT_TRUE(Verifies(**again, token));
}

TEST_F(SigningKeysTest, AreRefusedWhereOthersMayReadThem) {
  const std::string path = AddKey(IdOf(now));
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto keys = SigningKeys::Load(Options(), now);
  ASSERT_FALSE(keys.ok());
  EXPECT_NE(keys.error().message.find(path), std::string::npos) << keys.error().message;
  EXPECT_EQ(keys.error().source, ErrorSource::kOperator);
}

TEST_F(SigningKeysTest, TakeTurnsWithOverlap) {
  const std::string old_id = IdOf(now - 9 * kDay);
  AddKey(old_id);
  auto keys = SigningKeys::Load(Options(), now).value();
  EXPECT_TRUE(keys->Advance(now).value()) << "nine of ten days are over: time for the next";
  ASSERT_TRUE(keys->Add(SigningKeys::NewKey().value(), now).ok());
  // Making it took its time.
  const int64_t then = UnixMilliseconds();
  EXPECT_FALSE(keys->Advance(then).value());

  EXPECT_EQ(keys->signer(), old_id) << "published before it signs";
  EXPECT_EQ(keys->verifying().keys().size(), 2u);
  const std::string old_token = keys->Sign("{}").value();

  EXPECT_FALSE(keys->Advance(then + kDay).value());
  EXPECT_NE(keys->signer(), old_id);
  EXPECT_TRUE(Verifies(*keys, old_token)) << "verifies on";
  const std::string new_token = keys->Sign("{}").value();

  EXPECT_FALSE(keys->Advance(then + kDay + 12 * 60'000).value());
  EXPECT_FALSE(Verifies(*keys, old_token));
  EXPECT_TRUE(Verifies(*keys, new_token));
  EXPECT_EQ(CountFiles(), 1u);
  EXPECT_EQ(keys->published().find(old_id), std::string::npos);
}

TEST_F(SigningKeysTest, WhatIsOfNoUseIsNamed) {
  const std::string path = AddKey(IdOf(now), jwt::KeyType::kP256);
  auto keys = SigningKeys::Load(Options(), now);
  ASSERT_FALSE(keys.ok());
  EXPECT_NE(keys.error().message.find(path), std::string::npos);
  std::filesystem::remove(path);
  AddKey(IdOf(now), jwt::KeyType::kRsa, 1024);
  EXPECT_FALSE(SigningKeys::Load(Options(), now).ok());
}

TEST_F(SigningKeysTest, OfMountedOnesTheLastByNameSigns) {
  EXPECT_FALSE(SigningKeys::Load(Options(SecretPlace::kMounted), now).ok()) << "none is made";
  const std::string first = AddKey("2026-01");
  AddKey("2026-02");
  // Kubernetes mounts with the group's right to read.
  ASSERT_EQ(::chmod(first.c_str(), 0640), 0);
  auto keys = SigningKeys::Load(Options(SecretPlace::kMounted), now).value();
  EXPECT_EQ(keys->signer(), "2026-02");
  EXPECT_EQ(keys->verifying().keys().size(), 2u);
  EXPECT_FALSE(keys->Advance(now + 1000 * kDay).value());
  EXPECT_EQ(CountFiles(), 2u) << "nothing is deleted there";

  const std::string token = keys->Sign("{}").value();
  AddKey("2026-03");
  ASSERT_TRUE(keys->Reload(now).ok());
  EXPECT_EQ(keys->signer(), "2026-03");
  EXPECT_TRUE(Verifies(*keys, token));
}

TEST_F(SigningKeysTest, ThereAreSixtyFourAtMost) {
  const std::string first = AddKey("00");
  for (int i = 1; i < 64; ++i) {
    const std::string name = (i < 10 ? "0" : "") + std::to_string(i) + ".pem";
    std::filesystem::copy_file(first, directory.File("keys/" + name));
  }
  auto keys = SigningKeys::Load(Options(SecretPlace::kMounted), now);
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  EXPECT_EQ(keys.value()->verifying().keys().size(), 64u);
  std::filesystem::copy_file(first, directory.File("keys/64.pem"));
  keys = SigningKeys::Load(Options(SecretPlace::kMounted), now);
  ASSERT_FALSE(keys.ok());
  EXPECT_NE(keys.error().message.find("more than 64 keys"), std::string::npos);
}

// Mounted, but in our own directory.
TEST_F(SigningKeysTest, WithinOursOthersMayNotReadThem) {
  const std::string path = AddKey("a");
  SigningKeys::Options options = Options(SecretPlace::kMounted);
  options.is_inside_ours = true;
  EXPECT_TRUE(SigningKeys::Load(options, now).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_FALSE(SigningKeys::Load(options, now).ok());
  options.is_inside_ours = false;
  EXPECT_TRUE(SigningKeys::Load(options, now).ok());
}

TEST_F(SigningKeysTest, AReloadThatFailsKeepsWhatThereIs) {
  AddKey("a");
  auto keys = SigningKeys::Load(Options(SecretPlace::kMounted), now).value();
  directory.Write("keys/b.pem", "no key");
  EXPECT_FALSE(keys->Reload(now).ok());
  EXPECT_EQ(keys->signer(), "a");
  EXPECT_TRUE(Verifies(*keys, keys->Sign("{}").value()));
}

}  // namespace
}  // namespace framewall::backend::auth
