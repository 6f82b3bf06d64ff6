// How long a socket may live and how it ends: deadlines, pings, lost peers, reloads.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;

class SocketLifetime : public ::testing::Test {
 protected:
  void Start(const std::string& location, const std::string& main = "") {
    proxy_ = std::make_unique<ProxyProcess>(SocketServer(upstream_, location, "", main));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  // The next event but messages that the upstream keeps; kSilence where there is none in time.
  WebSocketEvent UpstreamsEnd() {
    WebSocketEvent end;
    Eventually([&] {
      for (const WebSocketEvent& event : upstream_.events()) {
        if (event.kind != Kind::kText && event.kind != Kind::kBinary) {
          end = event;
          return true;
        }
      }
      return false;
    });
    return end;
  }
  // Asks for the answer to a message until `wait` is over or the socket closes.
  static WebSocketEvent TalkFor(WebSocketEnd& end, milliseconds wait) {
    WebSocketEvent event;
    for (const auto until = Clock::now() + wait; Clock::now() < until;) {
      end.SendText("m");
      event = end.Read();
      if (event.kind != Kind::kText) break;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return event;
  }
  // What the client sees and what the session's line says of an end that we decided on.
  void ExpectEnd(WebSocketEnd& end, uint16_t code, const std::string& reason) {
    const WebSocketEvent closed = end.ReadToClose();
    EXPECT_EQ(closed.kind, Kind::kClose);
    EXPECT_EQ(closed.code, code);
    EXPECT_EQ(closed.payload, reason);
    end.SendClose(code);
    EXPECT_EQ(UpstreamsEnd().code, code);
    end.wire().Close();
    EXPECT_TRUE(proxy_->WaitForLog(
        "code=" + std::to_string(code) + " by=gateway reason=\"" + reason + "\"", "access.log"))
        << proxy_->Log("access.log");
  }

  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

// --- Deadlines ---

TEST_F(SocketLifetime, MessageTimeout) {
  Start("websocket_message_timeout 500ms;");
  WebSocketClient client(port());
  const std::string frame = client->Frame(kOpText, "hello");
  // In time, and then nothing begun: no deadline.
  client->Send(frame.substr(0, 4));
  std::this_thread::sleep_for(milliseconds(100));
  client->Send(frame.substr(4));
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(client->Read(milliseconds(800)).kind, Kind::kSilence);
  // An octet now and then does not prolong it, nor does a ping between fragments.
  const auto began = Clock::now();
  client->SendFrame(kOpText, "a", false);
  while (client->Read(milliseconds(100)).kind == Kind::kSilence &&
         Clock::now() - began < seconds(5)) {
    client->SendFrame(kOpContinuation, "a", false);
    client->SendFrame(kOpPing, "");
  }
  EXPECT_GE(Clock::now() - began, milliseconds(450));
  EXPECT_EQ(UpstreamsEnd().code, 1008);
  client.raw().Close();
  EXPECT_TRUE(proxy_->WaitForLog("client did not finish a message in time"));
  EXPECT_TRUE(
      proxy_->WaitForLog("code=1008 by=gateway reason=\"message took too long\"", "access.log"));
}

TEST_F(SocketLifetime, IdleTimeout) {
  Start("websocket_idle_timeout 600ms;");
  WebSocketClient client(port());
  EXPECT_EQ(TalkFor(client.end(), milliseconds(1200)).kind, Kind::kText);
  // Pings do not count.
  for (int i = 0; i < 4; ++i) {
    client->SendFrame(kOpPing, "");
    std::this_thread::sleep_for(milliseconds(100));
  }
  const auto began = Clock::now();
  ExpectEnd(client.end(), 1001, "idle");
  EXPECT_LT(Clock::now() - began, seconds(5));
}

TEST_F(SocketLifetime, SessionLifetime) {
  Start("websocket_session_lifetime 700ms;");
  WebSocketClient client(port());
  const auto began = Clock::now();
  const WebSocketEvent closed = TalkFor(client.end(), seconds(10));
  EXPECT_EQ(closed.code, 1001);
  EXPECT_EQ(closed.payload, "session lifetime is over");
  EXPECT_GE(Clock::now() - began, milliseconds(650));
  EXPECT_LT(Clock::now() - began, seconds(5));
  EXPECT_EQ(UpstreamsEnd().code, 1001);
}

TEST_F(SocketLifetime, ProxyReadTimeout) {
  Start("proxy_read_timeout 700ms;");
  WebSocketClient client(port());
  // Whatever comes from either side prolongs it, as in nginx's tunnels.
  for (int i = 0; i < 6; ++i) {
    client->SendFrame(kOpPing, "");
    std::this_thread::sleep_for(milliseconds(200));
  }
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  ExpectEnd(client.end(), 1001, "timed out");
  EXPECT_TRUE(proxy_->WaitForLog("upstream timed out"));
}

TEST_F(SocketLifetime, CloseTimeout) {
  WebSocketUpstream deaf([](WebSocketEnd& end) {
    while (end.Read(seconds(30)).kind == Kind::kText) {
    }
    std::this_thread::sleep_for(seconds(3));  // no answer to the Close
  });
  ProxyProcess proxy(SocketServer(deaf, "websocket_close_timeout 500ms;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  client->SendText("hello");
  const auto began = Clock::now();
  client->SendClose(1000, "bye");
  EXPECT_EQ(client->Read().code, 1000);
  EXPECT_EQ(client->Read().kind, Kind::kEnd);
  EXPECT_GE(Clock::now() - began, milliseconds(450));
  EXPECT_LT(Clock::now() - began, milliseconds(2500));
}

TEST_F(SocketLifetime, CloseTimeoutOfAClientThatDoesNotAnswer) {
  WebSocketUpstream closes([this](WebSocketEnd& end) {
    end.SendClose(4000, "done");
    upstream_.Keep(end);
  });
  ProxyProcess proxy(SocketServer(closes, "websocket_close_timeout 500ms;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  const auto began = Clock::now();
  const WebSocketEvent closed = client->Read();
  EXPECT_EQ(closed.code, 4000);
  EXPECT_EQ(closed.payload, "done");
  EXPECT_EQ(client->Read().kind, Kind::kEnd);
  EXPECT_GE(Clock::now() - began, milliseconds(450));
  EXPECT_TRUE(proxy.WaitForLog("code=4000 by=upstream reason=\"done\"", "access.log"));
}

TEST_F(SocketLifetime, SendTimeoutOfAClientThatDoesNotRead) {
  std::atomic<bool> ended = false;
  WebSocketUpstream floods([&](WebSocketEnd& end) {
    while (end.SendBinary(std::string(65536, 'f'))) {
    }
    ended = true;
  });
  ProxyProcess proxy(SocketServer(floods, "send_timeout 1s;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  ASSERT_EQ(client.status(), 101);
  EXPECT_TRUE(proxy.WaitForLog("client timed out"));
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
  EXPECT_TRUE(proxy.WaitForLog("code=1006 by=gateway reason=\"does not take what it is sent\"",
                               "access.log"));
}

// --- Pings and pongs ---

TEST_F(SocketLifetime, PingIntervalKeepsWhoAnswers) {
  Start("websocket_ping_interval 300ms; websocket_close_timeout 5s; proxy_read_timeout 2s;");
  WebSocketClient client(port());
  EXPECT_EQ(client->Read(milliseconds(2500)).kind, Kind::kSilence);
  EXPECT_GE(client->pings.size(), 4u);
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
}

TEST_F(SocketLifetime, PingIntervalFindsADeadClient) {
  Start("websocket_ping_interval 150ms; websocket_close_timeout 200ms;");
  WebSocketClient client(port());
  client->answers_pings = false;
  const auto began = Clock::now();
  EXPECT_NE(client->Read().kind, Kind::kSilence);
  EXPECT_GE(Clock::now() - began, milliseconds(400));
  EXPECT_LT(Clock::now() - began, seconds(5));
  EXPECT_EQ(UpstreamsEnd().code, 1001);
  EXPECT_TRUE(proxy_->WaitForLog("client does not answer pings"));
  client.raw().Close();
  EXPECT_TRUE(
      proxy_->WaitForLog("code=1006 by=gateway reason=\"no answer to pings\"", "access.log"));
}

TEST_F(SocketLifetime, PingIntervalFindsADeadUpstream) {
  WebSocketUpstream dead([](WebSocketEnd& end) {
    end.answers_pings = false;
    end.ReadToClose();
  });
  ProxyProcess proxy(
      SocketServer(dead, "websocket_ping_interval 150ms; websocket_close_timeout 200ms;"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  EXPECT_EQ(client->Read().code, 1001);
  EXPECT_TRUE(proxy.WaitForLog("upstream does not answer pings"));
}

TEST_F(SocketLifetime, PingsAreAnsweredHereAndPongsEndHere) {
  std::mutex mutex;
  std::vector<uint8_t> opcodes;
  WebSocketUpstream upstream([&](WebSocketEnd& end) {
    end.SendFrame(kOpPong, "not asked for");
    end.SendFrame(kOpPing, "upstream's");
    while (const auto frame = end.ReadFrame()) {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        opcodes.push_back(frame->opcode);
      }
      if (frame->opcode == kOpText) end.SendText(frame->payload);
    }
  });
  ProxyProcess proxy(SocketServer(upstream));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  client->SendFrame(kOpPong, "not asked for");
  client->SendFrame(kOpPing, "client's");
  client->SendText("hello");
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_EQ(client->pongs, (std::vector<std::string>{"client's"}));
  EXPECT_EQ(client->pings.size(), 0u);
  const std::lock_guard<std::mutex> lock(mutex);
  EXPECT_EQ(opcodes, (std::vector<uint8_t>{kOpPong, kOpText}));
}

TEST_F(SocketLifetime, FloodOfPingsIsAnsweredUnderALimit) {
  Start("websocket_message_rate off; websocket_client_message_rate off;");
  WebSocketClient client(port());
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += client->Frame(kOpPing, std::string(125, 'p'));
  client->Send(flood + client->Frame(kOpText, "hello"));
  EXPECT_EQ(client->Read().payload, "hello");
  EXPECT_GE(client->pongs.size(), 1u);
  EXPECT_LE(client->pongs.size(), 200u);
}

// --- Lost peers ---

TEST_F(SocketLifetime, UpstreamThatDiesIs1011) {
  std::atomic<bool> reset = false;
  WebSocketUpstream dies([&](WebSocketEnd& end) {
    end.SendText("last words");
    end.Read();
    if (reset) {
      end.wire().Reset();
    } else {
      end.wire().Close();
    }
  });
  ProxyProcess proxy(SocketServer(dies));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const bool how : {false, true}) {
    reset = how;
    WebSocketClient client(proxy.port(0));
    EXPECT_EQ(client->Read().payload, "last words");
    client->SendText("go");
    const WebSocketEvent closed = client->Read();
    EXPECT_EQ(closed.code, 1011) << how;
    EXPECT_EQ(closed.payload, "upstream connection lost");
    client->SendClose(1011);
    EXPECT_EQ(client->Read().kind, Kind::kEnd);
  }
  EXPECT_TRUE(proxy.WaitForLog("upstream prematurely closed connection"));
  EXPECT_TRUE(proxy.WaitForLog("code=1006 by=upstream", "access.log"));
}

TEST_F(SocketLifetime, ClientThatGoesWithoutACloseIsAnEndForTheUpstreamSoon) {
  for (const bool reset : {false, true}) {
    WebSocketUpstream upstream;
    ProxyProcess proxy(SocketServer(upstream));
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    WebSocketClient client(proxy.port(0));
    client->SendText("hello");
    EXPECT_EQ(client->Read().payload, "hello");
    const auto began = Clock::now();
    if (reset) {
      client.raw().Reset();
    } else {
      client.raw().Close();
    }
    ASSERT_TRUE(Eventually([&] { return upstream.events().size() == 2; }));
    EXPECT_LT(Clock::now() - began, seconds(1));
    const Kind kind = upstream.events()[1].kind;
    EXPECT_TRUE(kind == Kind::kEnd || kind == Kind::kReset) << static_cast<int>(kind);
    EXPECT_TRUE(
        proxy.WaitForLog("received=1/5 sent=1/5 refused=0 code=1006 by=client", "access.log"))
        << proxy.Log("access.log");
  }
}

TEST_F(SocketLifetime, CloseWithoutACodePassesOn) {
  Start("");
  WebSocketClient client(port());
  client->SendFrame(kOpClose, "");
  const WebSocketEvent closed = client->Read();
  EXPECT_EQ(closed.kind, Kind::kClose);
  EXPECT_EQ(closed.code, 1005);
  EXPECT_EQ(UpstreamsEnd().code, 1005);
  EXPECT_TRUE(proxy_->WaitForLog("code=1005 by=client reason=\"-\"", "access.log"));
}

TEST_F(SocketLifetime, MessagesBeforeTheCloseArriveAndThoseAfterItDoNot) {
  Start("");
  WebSocketClient client(port());
  client->Send(client->Frame(kOpText, "before") + client->Frame(kOpClose, CloseBody(1000)) +
               client->Frame(kOpText, "after"));
  client->ReadToClose();
  EXPECT_EQ(UpstreamsEnd().code, 1000);
  EXPECT_EQ(upstream_.messages(), (std::vector<std::string>{"before"}));
}

TEST_F(SocketLifetime, WhoIsRefusedStillHearsTheAnswersToWhatHeSaidBefore) {
  WebSocketUpstream slow([](WebSocketEnd& end) {
    for (;;) {
      const WebSocketEvent event = end.Read(seconds(30));
      if (event.kind != Kind::kText) {
        end.SendClose(event.code);
        return;
      }
      std::this_thread::sleep_for(milliseconds(150));
      end.SendText(event.payload);
    }
  });
  ProxyProcess proxy(SocketServer(slow, R"(modsecurity on; modsecurity_rules '
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403,log"
    ';)"));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  for (const bool violation : {true, false}) {
    WebSocketClient client(proxy.port(0));
    client->Send(
        client->Frame(kOpText, "one") + client->Frame(kOpText, "two") +
        (violation ? client->Frame(kOpText, "x", true, 4) : client->Frame(kOpText, "attack")) +
        client->Frame(kOpText, "three"));
    EXPECT_EQ(client->Read().payload, "one");
    EXPECT_EQ(client->Read().payload, "two");
    const WebSocketEvent closed = client->Read();
    EXPECT_EQ(closed.kind, Kind::kClose);
    EXPECT_EQ(closed.code, violation ? 1002 : 1008);
  }
}

TEST_F(SocketLifetime, UpstreamThatDoesNotAnswerHoldsARefusalUpForASecondOnly) {
  WebSocketUpstream deaf([](WebSocketEnd& end) {
    end.Read(seconds(30));
    std::this_thread::sleep_for(seconds(4));
  });
  ProxyProcess proxy(SocketServer(deaf));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  const auto began = Clock::now();
  client->SendFrame(kOpText, "x", true, 4);
  EXPECT_CLOSED_WITH(client.end(), 1002);
  EXPECT_GE(Clock::now() - began, milliseconds(900));
  EXPECT_LT(Clock::now() - began, milliseconds(3000));
}

// --- Reload and drain ---

TEST_F(SocketLifetime, ReloadKeepsSockets) {
  Start("");
  WebSocketClient old(port());
  old->SendText("before");
  EXPECT_EQ(old->Read().payload, "before");
  const pid_t worker = proxy_->Workers().at(0);
  ASSERT_TRUE(proxy_->Reload());
  old->SendText("after");
  EXPECT_EQ(old->Read().payload, "after");
  WebSocketClient fresh(port());
  fresh->SendText("fresh");
  EXPECT_EQ(fresh->Read().payload, "fresh");
  EXPECT_EQ(::kill(worker, 0), 0);
  old->SendClose(1000);
  old->ReadToClose();
  old.raw().Close();
  // The last socket was all that kept it.
  EXPECT_TRUE(proxy_->WaitForLog("worker process " + std::to_string(worker) + " exited"));
  fresh->SendText("still");
  EXPECT_EQ(fresh->Read().payload, "still");
}

TEST_F(SocketLifetime, WorkerShutdownTimeoutClosesWith1001) {
  Start("", "worker_shutdown_timeout 1s;");
  WebSocketClient client(port());
  client->SendText("before");
  EXPECT_EQ(client->Read().payload, "before");
  const auto began = Clock::now();
  ASSERT_TRUE(proxy_->Reload());
  client->SendText("after");
  EXPECT_EQ(client->Read().payload, "after");
  ExpectEnd(client.end(), 1001, "going away");
  EXPECT_GE(Clock::now() - began, milliseconds(900));
}

TEST_F(SocketLifetime, WorkerShutdownTimeoutDoesNotWaitForADeafClient) {
  Start("", "worker_shutdown_timeout 500ms;");
  WebSocketClient client(port());
  client->SendText("before");
  EXPECT_EQ(client->Read().payload, "before");
  const auto began = Clock::now();
  EXPECT_EQ(proxy_->Quit(), 0);
  EXPECT_LT(Clock::now() - began, seconds(6));
  EXPECT_EQ(client->Read().code, 1001);
}

}  // namespace
}  // namespace framewall::test
