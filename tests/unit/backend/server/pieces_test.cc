// Answers in pieces, and clients that read them slowly or not at all.
#include <gtest/gtest.h>

#include "tests/unit/backend/server/server_harness.h"

namespace framewall::backend::server {
namespace {

using test::HttpMessage;
using test::RawClient;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// The call and its stream, while a test plays the handler.
struct Held {
  CallRef call;
  ReplyStream* stream = nullptr;

  Handler Begin(Afterwards afterwards = Afterwards::kMayStay) {
    return [this, afterwards](CallRef one) {
      call = one;
      stream = &one->AnswerInPieces(200, "text/event-stream", {{"X-A", "b"}}, afterwards);
      stream->Write("first\n");
    };
  }
  void Drop() {
    stream = nullptr;
    call.reset();
  }
};

TEST(Pieces, ComeAsTheyAreWritten) {
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send(std::string(kGet) + kGet);
  EXPECT_NE(client.ReadUntil("first\n").find("Transfer-Encoding: chunked"), std::string::npos);
  server.OnLoop([&] { held.stream->Write("second\n"); });
  EXPECT_NE(client.ReadUntil("second\n"), "");
  server.OnLoop([&] {
    held.stream->End();
    // Too late, and harmless.
    held.stream->Write("third\n");
    held.stream->End();
  });
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n").find("third"), std::string::npos);
  // The connection goes on.
  EXPECT_NE(client.ReadUntil("first\n").find("HTTP/1.1 200"), std::string::npos);
  server.OnLoop([&] {
    held.stream->End();
    held.Drop();
  });
}

TEST(Pieces, MayBeTheLastOfTheirConnection) {
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin(Afterwards::kClose))});
  RawClient client = server.Connect();
  client.Send(kGet);
  const std::string head = client.ReadUntil("first\n");
  EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos) << head;
  server.OnLoop([&] {
    held.stream->Write("last\n");
    held.stream->End();
    held.Drop();
  });
  // Whole, and then closed without a wait for the client.
  EXPECT_TRUE(client.ReadToEnd().ends_with("last\n\r\n0\r\n\r\n"));
}

TEST(Pieces, AnAbortedAnswerIsNotWhole) {
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("first\n"), "");
  server.OnLoop([&] {
    held.stream->Abort();
    held.Drop();
  });
  EXPECT_EQ(client.ReadToEnd().find("0\r\n\r\n"), std::string::npos);
}

TEST(Pieces, AForgottenAnswerIsNotWhole) {
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("first\n"), "");
  server.OnLoop([&] { held.Drop(); });
  EXPECT_EQ(client.ReadToEnd().find("0\r\n\r\n"), std::string::npos);
}

TEST(Pieces, AHeadRequestHasNone) {
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpMessage head = client.ReadResponse(test::BodyRule::kNoBody);
  EXPECT_EQ(head.Header("X-A"), "b");
  server.OnLoop([&] {
    held.stream->End();
    held.Drop();
  });
}

// Writes until the client has had enough, then waits for room, until all is written.
struct Pump : std::enable_shared_from_this<Pump> {
  CallRef call;
  ReplyStream* stream = nullptr;
  size_t left = 20'000'000;
  std::atomic<size_t> written{0};

  void Run() {
    while (left > 0 && !stream->congested()) {
      const size_t size = std::min<size_t>(left, 10'000);
      stream->Write(std::string(size, 'a'));
      left -= size;
      written += size;
    }
    if (left == 0) {
      stream->End();
      call.reset();
      return;
    }
    stream->OnDrained([self = shared_from_this()] { self->Run(); });
  }
};

TEST(Pieces, WaitForASlowReader) {
  const auto pump = std::make_shared<Pump>();
  ServerHarness server({Open("GET", "/", "pieces", [&](CallRef call) {
    pump->call = call;
    pump->stream = &call->AnswerInPieces(200, "text/plain", {}, Afterwards::kMayStay);
    pump->Run();
  })});
  RawClient client = server.Connect();
  client.Send(kGet);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  // What the kernel holds, and one mark of ours.
  EXPECT_LT(pump->written, 2'000'000u);
  EXPECT_EQ(client.ReadResponse().body.size(), 20'000'000u);
  EXPECT_EQ(pump->written, 20'000'000u);
}

TEST(Pieces, OnDrainedComesSoonWhereThereIsRoom) {
  std::promise<void> drained;
  Held held;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("first\n"), "");
  server.OnLoop([&] { held.stream->OnDrained([&] { drained.set_value(); }); });
  EXPECT_EQ(drained.get_future().wait_for(std::chrono::seconds(2)), std::future_status::ready);
  server.OnLoop([&] { held.Drop(); });
}

TEST(Pieces, ALeavingReaderIsNoticedWithinMoments) {
  Held held;
  std::promise<void> gone;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())});
  RawClient client = server.Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("first\n"), "");
  server.OnLoop([&] { held.call->OnGone([&] { gone.set_value(); }); });
  client.Close();
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(2)), std::future_status::ready);
  server.OnLoop([&] {
    EXPECT_FALSE(held.stream->congested());
    held.stream->Write("to nobody");
    held.stream->End();
    held.Drop();
  });
}

TEST(Pieces, AReaderThatTakesNothingIsGone) {
  Limits limits;
  limits.send_timeout = Milliseconds(200);
  Held held;
  std::promise<void> gone;
  ServerHarness server({Open("GET", "/", "pieces", held.Begin())}, limits);
  RawClient client = server.Connect();
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("first\n"), "");
  server.OnLoop([&] {
    held.call->OnGone([&] { gone.set_value(); });
    held.stream->Write(std::string(5'000'000, 'a'));
  });
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  server.OnLoop([&] { held.Drop(); });
}

}  // namespace
}  // namespace framewall::backend::server
