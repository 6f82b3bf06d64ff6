// Redis behind TLS: verified, or refused before a word is said.
#include "proxy/tls/context.h"
#include "tests/support/certificate.h"
#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

class TlsTest : public RedisTest {
 protected:
  void SetUp() override {
    RedisTest::SetUp();
    if (IsSkipped()) return;
    const test::Certificate authority = test::Certificate::Authority("Test CA");
    authority.Write(files, "ca");
    authority.Issue("redis.test", {"redis.test"}).Write(files, "server");
    test::Certificate::Authority("Another CA").Write(files, "other");
    redis.emplace(std::vector<std::string>{
        "port 0", "tls-port %%PORT%%", "tls-cert-file " + files.File("server.crt"),
        "tls-key-file " + files.File("server.key"), "tls-ca-cert-file " + files.File("ca.crt"),
        "tls-auth-clients no", "requirepass secret"});
    ASSERT_TRUE(redis->Start()) << redis->Log();
    settings = SettingsFor(redis->port());
    settings.password = "secret";
    settings.tls_name = "redis.test";
  }
  void Trust(const std::string& authority) {
    tls::ClientTlsOptions options;
    options.verify = true;
    options.trusted_certificate_file = files.File(authority);
    auto created = tls::ClientTlsContext::Create(options);
    ASSERT_TRUE(created.ok()) << created.error().message;
    context = std::move(created).value();
    settings.tls = context.get();
  }
  test::TempDir files;
  std::optional<RedisServer> redis;
  std::unique_ptr<tls::ClientTlsContext> context;
  Settings settings;
};

TEST_F(TlsTest, AVerifiedServerIsUsed) {
  Trust("ca.crt");
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {std::string(100000, 'x')})));
  EXPECT_EQ(std::string(100000, 'x'), TextOf(Do(client, "GET", "a")));
  EXPECT_EQ(1u, client.counters().connects);
}

TEST_F(TlsTest, AnotherAuthorityIsRefused) {
  Trust("other.crt");
  Client client(loop, settings);
  const auto reply = Do(client, "SET", "a", {"1"});
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("certificate verify error"))
      << reply.error().message;
  EXPECT_EQ("0", redis->AskAs("secret", {"DBSIZE"}));
  EXPECT_EQ(std::string::npos, redis->AskAs("secret", {"INFO", "commandstats"}).find("setname"));
}

TEST_F(TlsTest, AnotherNameIsRefused) {
  Trust("ca.crt");
  settings.tls_name = "other.test";
  Client client(loop, settings);
  const auto reply = Do(client, "SET", "a", {"1"});
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("does not match \"other.test\""))
      << reply.error().message;
}

TEST_F(TlsTest, PlainTextToATlsPortFails) {
  settings.deadline = milliseconds(1000);
  Client client(loop, settings);
  EXPECT_FALSE(Do(client, "SET", "a", {"1"}).ok());
}

}  // namespace
}  // namespace framewall::redis
