// Access and refresh tokens of the real backend: forged, old, reused, ended; keys that take turns.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "proxy/base/encoding.h"
#include "tests/support/backend_accounts.h"
#include "tests/support/token_issuer.h"

namespace framewall::test {
namespace {

constexpr int64_t kDay = 86400;

unsigned ModeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

// An id (UUID version 7) of that time.
std::string IdOf(int64_t seconds) {
  const uint64_t milliseconds = static_cast<uint64_t>(seconds) * 1000;
  std::string octets;
  for (int shift = 40; shift >= 0; shift -= 8) {
    octets += static_cast<char>(milliseconds >> shift & 0xFF);
  }
  std::string hex = HexEncode(octets) + "7000" + "8000" + "000000000001";
  for (const size_t place : {8, 13, 18, 23}) hex.insert(place, 1, '-');
  return hex;
}

class TokensTest : public testing::Test {
 protected:
  void Start(const std::string& more = "") {
    backend.SetSettings("accounts: {registration_open: true" + more + "}\n");
    ASSERT_TRUE(backend.Start()) << backend.Output();
  }
  // The status of a call with this token.
  int Ask(const std::string& token) const {
    return backend.Get("/internal/auth", BearerField(token)).status();
  }
  HttpMessage Refresh(const std::string& token) const {
    return backend.Request("POST", "/api/v1/refresh", "", R"({"refresh_token":")" + token + "\"}");
  }
  std::string KeyFile() const {
    for (const auto& file :
         std::filesystem::directory_iterator(backend.directory().File("data/keys"))) {
      if (file.path().extension() == ".pem") return file.path().string();
    }
    return {};
  }
  // Signs with the backend's own key.
  TokenIssuer OurIssuer() const {
    const std::filesystem::path path(KeyFile());
    return {jwt::Algorithm::kRs256, path.stem().string(),
            backend.directory().Read("data/keys/" + path.filename().string())};
  }
  static std::string PayloadOf(const std::string& token) {
    const size_t dot = token.find('.');
    return *Base64UrlDecode(token.substr(dot + 1, token.rfind('.') - dot - 1));
  }
  static std::string HeaderOf(const std::string& token) {
    return *Base64UrlDecode(token.substr(0, token.find('.')));
  }
  static std::string Replaced(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  // Old keys in place before the start.
  std::string AddKey(int64_t made) {
    const std::string kid = IdOf(made);
    const std::string path =
        backend.directory().Write("data/keys/" + kid + ".pem", NewPrivateKey(jwt::KeyType::kRsa));
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(::chmod(backend.directory().File("data").c_str(), 0700), 0);
    return kid;
  }
  std::string Kid(const std::string& token) const { return JsonAt(HeaderOf(token), "/kid"); }
  std::string Published() const { return backend.Get("/.well-known/jwks.json").body; }

  mutable BackendProcess backend;
};

TEST_F(TokensTest, SecretsAreInFilesForUsAlone) {
  Start();
  EXPECT_EQ(ModeOf(backend.directory().File("data")), 0700u);
  EXPECT_EQ(ModeOf(backend.directory().File("data/keys")), 0700u);
  EXPECT_EQ(ModeOf(KeyFile()), 0600u);
  EXPECT_EQ(ModeOf(backend.directory().File("data/keys/device-cookies.key")), 0600u);
  EXPECT_EQ(ModeOf(backend.directory().File("data/backend.db")), 0600u);
  EXPECT_NE(backend.Output().find("data/keys/"), std::string::npos) << "the path is told";
}

TEST_F(TokensTest, AKeyThatOthersMayReadRefusesTheStart) {
  Start();
  EXPECT_EQ(backend.Terminate(), 0);
  const std::string path = KeyFile();
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const CommandResult refused = backend.Run({"--config", "backend.yaml"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.output.find("chmod 600"), std::string::npos) << refused.output;
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_TRUE(backend.Start());
}

TEST_F(TokensTest, ArePublishedForWhoeverVerifies) {
  Start();
  const HttpMessage keys = backend.Get("/.well-known/jwks.json");
  EXPECT_EQ(keys.status(), 200);
  EXPECT_EQ(keys.Header("cache-control"), "public, max-age=300");
  EXPECT_EQ(JsonAt(keys, "/keys/0/alg"), "RS256");
  EXPECT_EQ(JsonAt(keys, "/keys/0/d"), "");
  EXPECT_EQ(JsonAt(keys, "/keys/1"), "");
  const Person ann = NewPerson(backend, "ann");
  EXPECT_EQ(Kid(ann.token), JsonAt(keys, "/keys/0/kid"));
  EXPECT_EQ(JsonAt(HeaderOf(ann.token), "/typ"), "at+jwt");
}

TEST_F(TokensTest, ForgedAndForeignOnesAreRefused) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const TokenIssuer ours = OurIssuer();
  const std::string header = HeaderOf(ann.token);
  const std::string claims = PayloadOf(ann.token);
  ASSERT_EQ(Ask(ours.TokenWithHeader(header, claims)), 204) << "what follows is one change each";

  const int64_t now = UnixNow();
  const std::string exp = "\"exp\":" + JsonAt(claims, "/exp");
  EXPECT_EQ(Ask(ours.TokenWithHeader(header,
                                     Replaced(claims, exp, "\"exp\":" + std::to_string(now + 30)))),
            204);
  EXPECT_EQ(Ask(ours.TokenWithHeader(header,
                                     Replaced(claims, exp, "\"exp\":" + std::to_string(now - 1)))),
            401);
  EXPECT_EQ(Ask(ours.TokenWithHeader(header, Replaced(claims, exp + ",", ""))), 401);
  EXPECT_EQ(Ask(ours.TokenWithHeader(
                header, Replaced(claims, exp, exp + ",\"nbf\":" + std::to_string(now + 60)))),
            401);
  EXPECT_EQ(Ask(ours.TokenWithHeader(header, Replaced(claims, "\"framewall\"", "\"other\""))), 401);
  EXPECT_EQ(Ask(ours.TokenWithHeader(header, Replaced(claims, "localhost", "evil"))), 401);
  EXPECT_EQ(Ask(ours.TokenWithHeader(Replaced(header, "at+jwt", "JWT"), claims)), 401);

  const std::string none = Base64UrlEncode(Replaced(header, "RS256", "none"));
  EXPECT_EQ(Ask(none + "." + Base64UrlEncode(claims) + "."), 401);
  const TokenIssuer stranger(jwt::Algorithm::kRs256, JsonAt(header, "/kid"));
  EXPECT_EQ(Ask(stranger.TokenWithHeader(header, claims)), 401);
  // The published key as the secret of an HMAC.
  for (const std::string& secret : {Published(), JsonAt(Published(), "/keys/0")}) {
    const auto confused =
        jwt::Signer::FromSecret(secret, jwt::Algorithm::kHs256, JsonAt(header, "/kid"));
    EXPECT_EQ(Ask(confused->Sign(claims, "at+jwt").value()), 401);
  }
  EXPECT_EQ(Ask(ann.token.substr(0, ann.token.size() - 4)), 401);
  EXPECT_EQ(Ask("fw_"), 401);
  EXPECT_EQ(Ask(std::string(4000, 'a')), 401);
  EXPECT_EQ(Ask(ann.token), 204);
}

TEST_F(TokensTest, OtherWaysToAuthorizeAreRefused) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const auto ask = [&](const std::string& fields) {
    return backend.Get("/internal/auth", fields).status();
  };
  EXPECT_EQ(ask(""), 401);
  EXPECT_EQ(ask("Authorization: Basic YTpi\r\n"), 401);
  EXPECT_EQ(ask("Authorization: Bearer\r\n"), 401);
  EXPECT_EQ(ask("Authorization: Bearer a b\r\n"), 401);
  EXPECT_EQ(ask("Authorization: bearer " + ann.token + "\r\n"), 204);
  EXPECT_EQ(ask(ann.field() + ann.field()), 400) << "two of them";
  EXPECT_EQ(backend.Get("/internal/auth?access_token=" + ann.token).status(), 401);
  // Wrong ones are refused where none are needed.
  EXPECT_EQ(backend.Get("/api/v1/csrf", "Authorization: Bearer x\r\n").status(), 401);
  EXPECT_NE(backend.Get("/internal/auth").Header("www-authenticate"), "");
}

TEST_F(TokensTest, ARefreshTokenWorksOnceAndItsReuseEndsTheSession) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const Person other = PersonOf(LogIn(backend, "ann"));
  const Person second = PersonOf(Refresh(ann.refresh));
  EXPECT_EQ(second.session, ann.session);
  EXPECT_NE(second.refresh, ann.refresh);
  EXPECT_EQ(Ask(ann.token), 204) << "the older access token lives on until its end";
  EXPECT_EQ(Ask(second.token), 204);

  const HttpMessage reused = Refresh(ann.refresh);
  EXPECT_EQ(reused.status(), 401);
  EXPECT_EQ(JsonAt(reused, "/code"), "refresh_token_reused");
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(Ask(second.token), 401);
  EXPECT_EQ(JsonAt(Refresh(second.refresh), "/code"), "invalid_refresh_token");
  EXPECT_EQ(Ask(other.token), 204) << "another log-in of the same user";
  EXPECT_EQ(Refresh(other.refresh).status(), 200);
}

TEST_F(TokensTest, OtherThingsAreNoRefreshTokens) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  EXPECT_EQ(Refresh("").status(), 401);
  EXPECT_EQ(Refresh("fwr_").status(), 401);
  EXPECT_EQ(Refresh(ann.token).status(), 401);
  EXPECT_EQ(Refresh(ann.refresh + "x").status(), 401);
  EXPECT_EQ(Ask(ann.refresh), 401) << "nor is it an access token";
  EXPECT_EQ(backend.Request("POST", "/api/v1/refresh", "", "{}").status(), 403)
      << "without one it is a browser's, which has Origin and the CSRF token";
  EXPECT_EQ(backend.Request("POST", "/api/v1/refresh", "", R"({"refresh_token":1})").status(), 422);
}

TEST_F(TokensTest, LoggingOutEndsThisSessionAtOnce) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const Person other = PersonOf(LogIn(backend, "ann"));
  EXPECT_EQ(backend.Request("POST", "/api/v1/logout", ann.field()).status(), 204);
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(Refresh(ann.refresh).status(), 401);
  EXPECT_EQ(Ask(other.token), 204);
  EXPECT_EQ(backend.Request("POST", "/api/v1/logout", ann.field()).status(), 401);
}

TEST_F(TokensTest, LoggingOutEverywhereEndsAllOfThisUser) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const Person other = PersonOf(LogIn(backend, "ann"));
  const Person bob = NewPerson(backend, "bob");
  EXPECT_EQ(backend.Request("POST", "/api/v1/logout-everywhere", ann.field()).status(), 204);
  for (const Person& person : {ann, other}) {
    EXPECT_EQ(Ask(person.token), 401);
    EXPECT_EQ(Refresh(person.refresh).status(), 401);
  }
  EXPECT_EQ(Ask(bob.token), 204);
}

TEST_F(TokensTest, WhatEndedStaysEndedAfterARestart) {
  Start();
  const Person ann = NewPerson(backend, "ann");
  const Person bob = NewPerson(backend, "bob");
  EXPECT_EQ(backend.Request("POST", "/api/v1/logout", ann.field()).status(), 204);
  EXPECT_EQ(backend.Kill(), 128 + SIGKILL);
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(Ask(ann.token), 401);
  EXPECT_EQ(Ask(bob.token), 204);
  EXPECT_EQ(Refresh(bob.refresh).status(), 200);
}

TEST_F(TokensTest, HoldForAsLongAsTheSettingsSay) {
  Start(", access_token_seconds: 10");
  const Person ann = NewPerson(backend, "ann");
  const std::string claims = PayloadOf(ann.token);
  EXPECT_EQ(std::stoll(JsonAt(claims, "/exp")) - std::stoll(JsonAt(claims, "/iat")), 10);
  EXPECT_EQ(Ask(ann.token), 204);
  EXPECT_TRUE(Eventually([&] { return Ask(ann.token) == 401; }));
  EXPECT_GE(UnixNow(), std::stoll(JsonAt(claims, "/exp")));
  EXPECT_EQ(Refresh(ann.refresh).status(), 200);
}

TEST_F(TokensTest, ANewKeyIsPublishedBeforeItSigns) {
  const std::string old_kid = AddKey(UnixNow() - 89 * kDay - 3600);
  Start(", signing_key_days: 90");
  // It is made in a thread.
  EXPECT_TRUE(Eventually([&] { return !JsonAt(Published(), "/keys/1/kid").empty(); }));
  EXPECT_EQ(JsonAt(Published(), "/keys/0/kid"), old_kid);
  const Person ann = NewPerson(backend, "ann");
  EXPECT_EQ(Kid(ann.token), old_kid);
  EXPECT_EQ(Ask(ann.token), 204);
}

TEST_F(TokensTest, AnOldKeyVerifiesOnBesideTheNewOne) {
  const std::string old_kid = AddKey(UnixNow() - 91 * kDay);
  const std::string new_kid = AddKey(UnixNow() - kDay - 60);
  Start(", signing_key_days: 90");
  const Person ann = NewPerson(backend, "ann");
  EXPECT_EQ(Kid(ann.token), new_kid);
  EXPECT_NE(Published().find(old_kid), std::string::npos);
  const TokenIssuer old(jwt::Algorithm::kRs256, old_kid,
                        backend.directory().Read("data/keys/" + old_kid + ".pem"));
  EXPECT_EQ(Ask(old.TokenWithHeader(Replaced(HeaderOf(ann.token), new_kid, old_kid),
                                    PayloadOf(ann.token))),
            204);
}

TEST_F(TokensTest, AKeyWhoseTokensAreOverIsDeleted) {
  const std::string old_kid = AddKey(UnixNow() - 91 * kDay);
  const std::string new_kid = AddKey(UnixNow() - kDay - 720);
  Start(", signing_key_days: 90");
  EXPECT_EQ(Published().find(old_kid), std::string::npos);
  EXPECT_FALSE(backend.directory().Has("data/keys/" + old_kid + ".pem"));
  EXPECT_TRUE(backend.directory().Has("data/keys/" + new_kid + ".pem"));
}

TEST_F(TokensTest, MountedKeysWarnAndAreReadAgainOnHup) {
  const std::string first =
      backend.directory().Write("secrets/a.pem", NewPrivateKey(jwt::KeyType::kRsa));
  ASSERT_EQ(::chmod(first.c_str(), 0644), 0);
  Start(", signing_key_dir: secrets");
  EXPECT_NE(backend.Output().find("secrets/a.pem\" holds a secret and has mode 0644"),
            std::string::npos);
  EXPECT_EQ(KeyFile(), "") << "none is made besides";
  const Person ann = NewPerson(backend, "ann");
  EXPECT_EQ(Kid(ann.token), "a");
  backend.directory().Write("secrets/b.pem", NewPrivateKey(jwt::KeyType::kRsa));
  backend.Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return Published().find("\"b\"") != std::string::npos; }));
  EXPECT_EQ(Kid(PersonOf(LogIn(backend, "ann")).token), "b");
  EXPECT_EQ(Ask(ann.token), 204);
  backend.directory().Write("secrets/c.pem", "no key");
  backend.Signal(SIGHUP);
  EXPECT_TRUE(backend.WaitForOutput("the signing keys stay as they were"));
  EXPECT_EQ(Ask(ann.token), 204);
}

}  // namespace
}  // namespace framewall::test
