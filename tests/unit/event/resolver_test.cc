#include "proxy/event/resolver.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/event/dns_support.h"

namespace framewall::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "127.0.0.1 ::1" or the error's text.
std::string Text(const Result<std::vector<IpAddress>>& result) {
  if (!result.ok()) return result.error().message;
  std::string text;
  for (const IpAddress& ip : *result) text += (text.empty() ? "" : " ") + ip.ToText();
  return text;
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest()
      : server(loop, [this](const DnsAsked& asked) { return Answer(asked); }),
        server_b(loop, [this](const DnsAsked& asked) {
          return answer_b ? answer_b(asked) : std::string();
        }) {
    options.servers = {server.address};
    options.ipv6 = false;
  }

  std::string Answer(const DnsAsked& asked) {
    if (answer) return answer(asked);
    const auto found = replies.find({asked.name, asked.type});
    DnsReply reply(asked.name, asked.type);
    return (found == replies.end() ? reply : found->second).Message(asked.id);
  }
  DnsReply& Reply(const std::string& name, DnsType type) {
    return replies.try_emplace({name, type}, name, type).first->second;
  }
  void Start() { resolver = std::make_unique<Resolver>(loop, options); }
  std::string Ask(const std::string& name, milliseconds timeout = seconds(5)) {
    if (!resolver) Start();
    std::optional<std::string> text;
    auto query = resolver->Resolve(
        name, timeout, [&](const Result<std::vector<IpAddress>>& result) { text = Text(result); });
    EXPECT_EQ(query == nullptr, text.has_value());
    EXPECT_TRUE(RunUntil(loop, [&] { return text.has_value(); }));
    return text.value_or("nothing");
  }

  EventLoop loop;
  std::map<std::pair<std::string, DnsType>, DnsReply> replies;
  FakeNameServer::Answer answer, answer_b;
  FakeNameServer server, server_b;
  ResolverOptions options;
  std::unique_ptr<Resolver> resolver;
};

TEST_F(ResolverTest, AsksOnceAndRemembers) {
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  EXPECT_EQ("127.0.0.1", Ask("a.example"));
  EXPECT_EQ("127.0.0.1", Ask("A.Example."));
  EXPECT_EQ(1, server.asked);
}

TEST_F(ResolverTest, AddressesNeedNoServer) {
  EXPECT_EQ("127.0.0.9", Ask("127.0.0.9"));
  EXPECT_EQ("::1", Ask("::1"));
  EXPECT_EQ(0, server.asked);
}

TEST_F(ResolverTest, SeveralAddressesTakeTurns) {
  Reply("many.example", DnsType::kA).A("127.0.0.1").A("127.0.0.2");
  EXPECT_EQ("127.0.0.1 127.0.0.2", Ask("many.example"));
  EXPECT_EQ("127.0.0.2 127.0.0.1", Ask("many.example"));
}

TEST_F(ResolverTest, ForgetsWhenTheTtlIsOver) {
  Reply("short.example", DnsType::kA).A("127.0.0.1", 0);
  Ask("short.example");
  Ask("short.example");
  EXPECT_EQ(2, server.asked);
}

TEST_F(ResolverTest, ValidGoesBeforeTheTtl) {
  options.valid = seconds(30);
  Reply("short.example", DnsType::kA).A("127.0.0.1", 0);
  Ask("short.example");
  Ask("short.example");
  EXPECT_EQ(1, server.asked);
}

TEST_F(ResolverTest, ErrorsAreNginxsAndNotRemembered) {
  for (const auto& [code, text] :
       std::vector<std::pair<int, std::string>>{{2, "2: Server failure"},
                                                {3, "3: Host not found"},
                                                {4, "4: Unimplemented"},
                                                {5, "5: Operation refused"}}) {
    Reply("e.example", DnsType::kA).Code(code);
    EXPECT_EQ(text, Ask("e.example"));
  }
  EXPECT_EQ(4, server.asked);
  EXPECT_EQ("3: Host not found", Ask("empty.example"));
  EXPECT_EQ("3: Host not found", Ask("no..name"));
  EXPECT_EQ("3: Host not found", Ask(""));
}

TEST_F(ResolverTest, SilenceIsATimeout) {
  answer = [](const DnsAsked&) { return std::string(); };
  EXPECT_EQ("110: Operation timed out", Ask("a.example", milliseconds(20)));
}

TEST_F(ResolverTest, OneQuestionForAllWhoWait) {
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  Start();
  int answers = 0;
  const auto count = [&](const Result<std::vector<IpAddress>>& result) {
    EXPECT_EQ("127.0.0.1", Text(result));
    ++answers;
  };
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  for (int i = 0; i < 3; ++i) queries.push_back(resolver->Resolve("a.example", seconds(5), count));
  queries[1].reset();  // cancelled: no call
  ASSERT_TRUE(RunUntil(loop, [&] { return answers == 2; }));
  RunIdle(loop);
  EXPECT_EQ(2, answers);
  EXPECT_EQ(1, server.asked);
}

TEST_F(ResolverTest, AnAnswerMayCancelTheOthers) {
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  Start();
  std::unique_ptr<Resolver::Query> first, second;
  int answers = 0;
  first = resolver->Resolve("a.example", seconds(5), [&](const auto&) {
    ++answers;
    first.reset();
    second.reset();
  });
  second = resolver->Resolve("a.example", seconds(5), [&](const auto&) { ++answers; });
  ASSERT_TRUE(RunUntil(loop, [&] { return answers > 0; }));
  RunIdle(loop);
  EXPECT_EQ(1, answers);
}

TEST_F(ResolverTest, FollowsAliasesThroughTheCache) {
  Reply("www.example", DnsType::kA).Cname("web.example");
  Reply("web.example", DnsType::kA).Cname("a.example");
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  EXPECT_EQ("127.0.0.1", Ask("www.example"));
  EXPECT_EQ("127.0.0.1", Ask("web.example"));
  EXPECT_EQ("127.0.0.1", Ask("www.example"));
  EXPECT_EQ(3, server.asked);
}

TEST_F(ResolverTest, AliasesThatGoInCirclesEnd) {
  Reply("a.example", DnsType::kA).Cname("b.example");
  Reply("b.example", DnsType::kA).Cname("a.example");
  EXPECT_EQ("3: Host not found", Ask("a.example"));
  Reply("self.example", DnsType::kA).Cname("self.example", 0);
  EXPECT_EQ("3: Host not found", Ask("self.example"));
}

TEST_F(ResolverTest, JoinsBothFamiliesAsNginxDoes) {
  options.ipv6 = true;
  struct Row {
    std::string name, expected;
  };
  const auto reply = [&](const std::string& name, const std::string& kinds) {
    for (int i = 0; i < 2; ++i) {
      DnsReply& one = Reply(name, i == 0 ? DnsType::kA : DnsType::kAaaa);
      switch (kinds[static_cast<size_t>(i)]) {
        case 'n':
          i == 0 ? one.A("127.0.0.1") : one.Aaaa("::1");
          break;
        case 'c':
          one.Cname("both.example");
          break;
        case 'e':
          one.Code(2);
          break;
        default:
          break;
      }
    }
  };
  Reply("both.example", DnsType::kA).A("127.0.0.8");
  Reply("both.example", DnsType::kAaaa).Aaaa("::8");
  const std::vector<Row> rows{
      {"zz", "3: Host not found"}, {"zn", "::1"},
      {"zc", "127.0.0.8 ::8"},     {"ze", "2: Server failure"},
      {"nz", "127.0.0.1"},         {"nn", "127.0.0.1 ::1"},
      {"nc", "127.0.0.1"},         {"ne", "2: Server failure"},
      {"cz", "3: Host not found"}, {"cn", "::1"},
      {"cc", "127.0.0.8 ::8"},     {"ce", "2: Server failure"},
      {"ez", "2: Server failure"}, {"en", "2: Server failure"},
      {"ec", "2: Server failure"}, {"ee", "2: Server failure"},
  };
  for (const Row& row : rows) reply(row.name + ".example", row.name);
  for (const Row& row : rows) EXPECT_EQ(row.expected, Ask(row.name + ".example")) << row.name;
}

TEST_F(ResolverTest, TruncatedAnswersComeByTcp) {
  answer = [](const DnsAsked& asked) {
    DnsReply reply(asked.name, asked.type);
    asked.by_tcp ? reply.A("127.0.0.2") : reply.Truncated().A("127.0.0.1");
    return reply.Message(asked.id);
  };
  EXPECT_EQ("127.0.0.2", Ask("big.example"));
  EXPECT_EQ(2, server.asked);
}

TEST_F(ResolverTest, ServersTakeTurns) {
  options.servers = {server.address, server_b.address};
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  answer_b = [](const DnsAsked& asked) {
    return DnsReply(asked.name, asked.type).A("127.0.0.2").Message(asked.id);
  };
  EXPECT_EQ("127.0.0.1", Ask("a.example"));
  EXPECT_EQ("127.0.0.2", Ask("b.example"));
}

TEST_F(ResolverTest, AsksTheNextServerAfterSilence) {
  options.servers = {server_b.address, server.address};
  options.ask_again = milliseconds(10);
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  EXPECT_EQ("127.0.0.1", Ask("a.example"));
  EXPECT_EQ(1, server_b.asked);
}

TEST_F(ResolverTest, AsksTheNextServerWhereTheFirstIsNotThere) {
  UniqueFd closed(::socket(AF_INET, SOCK_DGRAM, 0));
  auto [fd, nowhere] = ListenTcp();  // a port without UDP
  options.servers = {nowhere, server.address};
  Reply("a.example", DnsType::kA).A("127.0.0.1");
  EXPECT_EQ("127.0.0.1", Ask("a.example"));
}

TEST_F(ResolverTest, AnswersThatAreNotOursAreNoAnswers) {
  options.ask_again = milliseconds(10);
  int tries = 0;
  answer = [&](const DnsAsked& asked) -> std::string {
    switch (++tries) {
      case 1:
        return DnsReply(asked.name, asked.type).A("6.6.6.6").Message(asked.id ^ 1);
      case 2:
        return DnsReply("other.example", asked.type).A("6.6.6.6").Message(asked.id);
      case 3:
        return DnsReply(asked.name, asked.type).Code(1).Message(asked.id);
      case 4:
        return DnsReply(asked.name, asked.type).Record(DnsType::kA, 1, "").Message(asked.id);
      case 5:
        return "short";
      default:
        return DnsReply(asked.name, asked.type).A("127.0.0.1").Message(asked.id);
    }
  };
  EXPECT_EQ("127.0.0.1", Ask("a.example"));
  EXPECT_EQ(6, tries);
}

TEST_F(ResolverTest, GoesWithQuestionsUnderWay) {
  answer = [](const DnsAsked&) { return std::string(); };
  Start();
  auto query = resolver->Resolve("a.example", milliseconds(1), [](const auto&) { FAIL(); });
  resolver.reset();
  RunIdle(loop);
}

TEST(ResolveBlocking, KnowsLocalhost) {
  EXPECT_EQ("127.0.0.1", Text(ResolveBlocking("localhost")).substr(0, 9));
  EXPECT_FALSE(ResolveBlocking("name.invalid").ok());
}

}  // namespace
}  // namespace framewall::event
