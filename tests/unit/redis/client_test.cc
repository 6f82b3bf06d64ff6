// A single real Redis that is well: order, scripts, who we are, which database.
#include "proxy/redis/client.h"

#include <signal.h>

#include <algorithm>

#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

const Script& Increment() {
  static const Script script("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  return script;
}

class ClientTest : public RedisTest {
 protected:
  void Start(std::vector<std::string> lines = {}) {
    redis.emplace(std::move(lines));
    ASSERT_TRUE(redis->Start()) << redis->Log();
  }
  Settings Here() { return SettingsFor(redis->port()); }
  std::optional<RedisServer> redis;
};

TEST_F(ClientTest, NothingIsOpenedBeforeTheFirstCommand) {
  Start();
  Client client(loop, Here());
  RunFor(milliseconds(30));
  EXPECT_EQ(std::string::npos, redis->Ask({"CLIENT", "LIST"}).find("name=framewall"));
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  EXPECT_NE(std::string::npos, redis->Ask({"CLIENT", "LIST"}).find("name=framewall"));
  EXPECT_EQ("1", TextOf(Do(client, "GET", "a")));
  EXPECT_EQ("(nil)", TextOf(Do(client, "GET", "b")));
  EXPECT_EQ(1u, client.counters().connects);
}

TEST_F(ClientTest, CommandsAreAnsweredInOrderOverOneConnection) {
  Start();
  Client client(loop, Here());
  std::vector<Pending> pending;
  std::vector<int64_t> answers;
  int done = 0;
  for (int i = 0; i < 2000; ++i) {
    pending.push_back(client.Execute("INCR", "count", {}, [&](Result<Reply> reply) {
      ++done;
      answers.push_back(reply.ok() ? reply->integer : -1);
    }));
  }
  ASSERT_TRUE(RunUntil([&] { return done == 2000; }));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(i + 1, answers[static_cast<size_t>(i)]);
  EXPECT_EQ(1u, client.counters().connects);
  EXPECT_EQ(2000u, client.counters().answered);
  EXPECT_EQ(2000u, client.counters().commands);
}

TEST_F(ClientTest, ThePrefixStandsBeforeEveryKey) {
  Start();
  Settings settings = Here();
  settings.key_prefix = "fw:";
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  EXPECT_EQ("4", TextOf(Run(client, Increment(), "a", {"3"})));
  EXPECT_EQ("[fw:a]", redis->Ask({"KEYS", "*"}));
}

TEST_F(ClientTest, AScriptIsLoadedWhenItIsNotKnown) {
  Start();
  Client client(loop, Here());
  EXPECT_EQ("2", TextOf(Run(client, Increment(), "a", {"2"})));
  EXPECT_EQ("4", TextOf(Run(client, Increment(), "a", {"2"})));
  EXPECT_EQ(1u, client.counters().script_loads);
  ASSERT_EQ("OK", redis->Ask({"SCRIPT", "FLUSH"}));
  EXPECT_EQ("6", TextOf(Run(client, Increment(), "a", {"2"})));
  EXPECT_EQ(2u, client.counters().script_loads);
  EXPECT_EQ(0u, client.counters().errors);
}

TEST_F(ClientTest, ManyThatHearNoscriptLoadItOnce) {
  Start();
  Client client(loop, Here());
  std::vector<Call> calls(500);
  for (Call& call : calls) call.pending = client.Evaluate(Increment(), "a", {"1"}, call.Done());
  ASSERT_TRUE(RunUntil([&] {
    return std::all_of(calls.begin(), calls.end(), [](const Call& call) { return call.done(); });
  }));
  for (const Call& call : calls) ASSERT_TRUE(call.ok()) << call.text();
  EXPECT_EQ("500", redis->Ask({"GET", "a"}));  // each ran once
  EXPECT_EQ(1u, client.counters().script_loads);
}

TEST_F(ClientTest, ScriptFlushWhileCommandsRunIsNotSeen) {
  Start();
  Client client(loop, Here());
  int sent = 0;
  int answered = 0;
  std::vector<Pending> pending(400);
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 10; ++i) {
      pending[static_cast<size_t>(sent++)] =
          client.Evaluate(Increment(), "a", {"1"}, [&](Result<Reply> reply) {
            EXPECT_TRUE(reply.ok()) << TextOf(reply);
            ++answered;
          });
    }
    loop.RunOnce(milliseconds(1));
    if (round % 4 == 0) redis->Ask({"SCRIPT", "FLUSH"});
  }
  ASSERT_TRUE(RunUntil([&] { return answered == sent; }));
  EXPECT_EQ("400", redis->Ask({"GET", "a"}));
  EXPECT_GT(client.counters().script_loads, 1u);
}

TEST_F(ClientTest, AScriptsErrorIsAnErrorAndNoOutage) {
  Start();
  Settings settings = Here();
  settings.breaker_failures = 1;
  Client client(loop, settings);
  const Script wrong("return redis.call('INCR', KEYS[1], 'too', 'many')");
  const auto reply = Run(client, wrong, "a");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(ErrorKind::kOther, reply.error().kind);
  EXPECT_EQ(ErrorSource::kUpstream, reply.error().source);
  EXPECT_TRUE(reply.error().message.starts_with("redis \"edge\": ERR ")) << reply.error().message;
  EXPECT_TRUE(client.available());
}

TEST_F(ClientTest, AnArrayComesWhole) {
  Start();
  Client client(loop, Here());
  const Script script("return {1, 'two', {3, false}, redis.call('TIME')}");
  const auto reply = Run(client, script, "a");
  ASSERT_TRUE(reply.ok()) << TextOf(reply);
  ASSERT_EQ(4u, reply->elements.size());
  EXPECT_EQ(1, reply->elements[0].integer);
  EXPECT_EQ("two", reply->elements[1].text);
  ASSERT_EQ(2u, reply->elements[2].elements.size());
  EXPECT_TRUE(reply->elements[2].elements[1].is_nil());
  EXPECT_GT(reply->elements[3].elements[0].AsInteger().value_or(0), 1600000000);
}

TEST_F(ClientTest, OctetsOfKeysAndArgumentsAreFree) {
  Start();
  Client client(loop, Here());
  using namespace std::string_view_literals;
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a\r\n\0b"sv, {"*1\r\n$4\r\nQUIT\r\n\0"sv})));
  const auto reply = Do(client, "GET", "a\r\n\0b"sv);
  EXPECT_EQ("*1\r\n$4\r\nQUIT\r\n\0"sv, TextOf(reply));
  EXPECT_EQ(1u, client.counters().connects);
}

TEST_F(ClientTest, UnixSocket) {
  Start();
  Settings settings = Here();
  settings.servers[0] = Endpoint{};
  settings.servers[0].unix_path = redis->unix_path();
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
}

TEST_F(ClientTest, ANameIsResolved) {
  Start();
  Settings settings = Here();
  settings.servers[0].host = "localhost";
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  settings.servers[0].host = "no-such-host.invalid";
  Client lost(loop, settings);
  const auto reply = Do(lost, "GET", "a");
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("host not found"))
      << reply.error().message;
}

TEST_F(ClientTest, ANameIsAskedAgainWhenItsAddressDoesNotAnswer) {
  Start();
  Settings settings = Here();
  settings.servers[0].host = "localhost";
  // What the name meant when the configuration was read; nobody is there any more.
  const test::ReservedPort nobody;
  settings.servers[0].addresses = {
      *SocketAddress::Parse("127.0.0.1:" + std::to_string(nobody.number()))};
  Client client(loop, settings);
  EXPECT_FALSE(Do(client, "SET", "a", {"1"}).ok());
  EXPECT_TRUE(RunUntil([&] { return Do(client, "SET", "a", {"1"}).ok(); }));
}

TEST_F(ClientTest, TheDatabaseIsSelectedOnEveryConnection) {
  Start();
  Settings settings = Here();
  settings.database = 5;
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
  redis->Ask({"CLIENT", "KILL", "TYPE", "normal"});
  RunFor(milliseconds(20));
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "b", {"1"})));
  EXPECT_EQ(2u, client.counters().connects);
  EXPECT_NE(std::string::npos, redis->Ask({"INFO", "keyspace"}).find("db5:keys=2"));
  EXPECT_EQ("0", redis->Ask({"DBSIZE"}));
}

TEST_F(ClientTest, ADatabaseThatIsNotThereIsAFailure) {
  Start({"databases 4"});
  Settings settings = Here();
  settings.database = 4;
  Client client(loop, settings);
  const auto reply = Do(client, "GET", "a");
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(std::string::npos, reply.error().message.find("SELECT 4 failed: ERR"))
      << reply.error().message;
}

TEST_F(ClientTest, ThePasswordIsSent) {
  Start({"requirepass secret"});
  Settings settings = Here();
  settings.password = "secret";
  Client client(loop, settings);
  EXPECT_EQ("OK", TextOf(Do(client, "SET", "a", {"1"})));
}

TEST_F(ClientTest, AWrongOrMissingPasswordIsAFailureThatSaysSo) {
  Start({"requirepass secret"});
  Settings settings = Here();
  for (const char* password : {"", "wrong"}) {
    settings.password = password;
    Client client(loop, settings);
    const auto reply = Do(client, "SET", "a", {"1"});
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind);
    const char* what = *password == '\0' ? "NOAUTH" : "AUTH failed: WRONGPASS";
    EXPECT_NE(std::string::npos, reply.error().message.find(what)) << reply.error().message;
    // The next one does not wait for another attempt.
    EXPECT_FALSE(Do(client, "SET", "a", {"1"}).ok());
    EXPECT_EQ(0u, client.counters().connects);
  }
  EXPECT_EQ("0", redis->AskAs("secret", {"DBSIZE"}));
}

TEST_F(ClientTest, AnAclUserMayDoWhatHeMay) {
  Start({"user limits on >pass ~fw:* +eval +evalsha +incrby +set"});
  Settings settings = Here();
  settings.user = "limits";
  settings.password = "pass";
  settings.key_prefix = "fw:";
  settings.breaker_failures = 1;
  Client client(loop, settings);
  // CLIENT SETNAME is forbidden to him, which does not matter.
  EXPECT_EQ("2", TextOf(Run(client, Increment(), "a", {"2"})));
  EXPECT_TRUE(client.available());
  const auto reply = Do(client, "GET", "a");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(ErrorKind::kUnavailable, reply.error().kind);
  EXPECT_NE(std::string::npos, reply.error().message.find("NOPERM")) << reply.error().message;
  EXPECT_FALSE(client.available());
}

TEST_F(ClientTest, ACancelledCommandIsNotHeardOf) {
  Start();
  const Script hello("return 'hello'");
  Client client(loop, Here());
  int calls = 0;
  const auto count = [&](const Result<Reply>&) { ++calls; };
  std::optional<Pending> first = client.Execute("INCR", "a", {}, count);
  Pending second = client.Execute("INCR", "a", {}, count);
  Pending third = client.Execute("INCR", "a", {}, count);
  first.reset();
  third = Pending();  // assigned over
  ASSERT_TRUE(RunUntil([&] { return calls == 1; }));
  EXPECT_FALSE(second.active());
  // Sent and then cancelled: the answer meets nobody else.
  redis->Signal(SIGSTOP);
  Pending fourth = client.Execute("INCR", "a", {}, count);
  loop.RunOnce(milliseconds(0));
  fourth.Cancel();
  redis->Signal(SIGCONT);
  EXPECT_EQ("hello", TextOf(Run(client, hello, "a")));
  RunFor(milliseconds(20));
  EXPECT_EQ(1, calls);
  EXPECT_EQ(3u, client.counters().cancelled);
}

TEST_F(ClientTest, HandlesMayOutliveTheClientAndCallbacksMayAskAgain) {
  Start();
  Pending left;
  {
    Client client(loop, Here());
    std::optional<Result<Reply>> nested;
    Pending inner;
    Pending outer = client.Execute("SET", "a", {"1"}, [&](const Result<Reply>&) {
      inner = client.Execute("GET", "a", {},
                             [&](Result<Reply> reply) { nested.emplace(std::move(reply)); });
    });
    ASSERT_TRUE(RunUntil([&] { return nested.has_value(); }));
    EXPECT_EQ("1", TextOf(*nested));
    left = client.Execute("GET", "a", {}, [](const Result<Reply>&) { FAIL() << "after its end"; });
    EXPECT_TRUE(left.active());
  }
  EXPECT_FALSE(left.active());
  RunFor(milliseconds(20));
}

}  // namespace
}  // namespace framewall::redis
