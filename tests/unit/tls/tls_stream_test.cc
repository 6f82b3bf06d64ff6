#include "proxy/tls/tls_stream.h"

#include <openssl/ssl.h>

#include <optional>

#include "tests/unit/tls/support.h"

namespace framewall::tls {
namespace {

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 7 % 23);
  return bytes;
}

using TlsStream = TlsPair;

TEST_F(TlsStream, CarriesBytesBothWays) {
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  EXPECT_EQ(4u, server->bytes_received());
  EXPECT_EQ(4u, server->bytes_sent());
  EXPECT_EQ(0u, server->pending_output());
}

TEST_F(TlsStream, WhatIsWrittenBeforeTheHandshakeFollowsIt) {
  Join();
  client->Write("early bird");
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.received == "early bird"; }));
}

TEST_F(TlsStream, BytesAreTheSameInAllSizes) {
  Join();
  ASSERT_TRUE(Secured());
  std::string sent;
  for (const size_t size : {1, 2, 16383, 16384, 16385, 40000, 100000, 1000000}) {
    const std::string piece = Pattern(size);
    loop.EnterCallback();
    server->Write(piece);
    loop.LeaveCallback();
    sent += piece;
  }
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.received.size() >= sent.size(); }));
  EXPECT_TRUE(sent == client_notes.received);
  EXPECT_EQ(0u, server->pending_output());
}

// Counts records on the wire: a raw socket stands for the client's side of it.
TEST_F(TlsStream, SmallWritesOfOneCallbackAreOneRecord) {
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  RunIdle(loop);
  ReadPause pause(client.get());
  loop.EnterCallback();
  for (int i = 0; i < 10; ++i) server->Write("0123456789");
  EXPECT_EQ(100u, server->pending_output());
  loop.LeaveCallback();
  char buffer[1024];
  const ssize_t size = ::recv(client->fd(), buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
  ASSERT_GT(size, 5);
  // One record's header, its length and nothing after it (RFC 8446 5.1).
  EXPECT_EQ(size, 5 + ReadBig16(ByteView(buffer + 3, 2)));
}

// Appendix B: TLS records of 16 KiB, a reader that pauses and goes on outside its callback, must
// not lose what waits decrypted inside OpenSSL.
struct Draining {
  size_t piece;  // written at a time
  size_t step;   // taken at a time
  bool outside;  // resumed outside the callback
};

class Drains : public TlsPair, public ::testing::WithParamInterface<Draining> {};

TEST_P(Drains, AMebibyteArrivesThroughPauses) {
  Join();
  ASSERT_TRUE(Secured());
  const std::string sent = Pattern(1 << 20);
  size_t written = 0;
  const auto produce = [&] {
    while (written < sent.size() && !server->congested()) {
      server->Write(ByteView(sent).substr(written, GetParam().piece));
      written += std::min(GetParam().piece, sent.size() - written);
    }
  };
  server_notes.on_drained = produce;

  // As a proxy: takes `step` octets per turn of the other side, pauses while more than a little
  // waits.
  std::string waiting, taken;
  ReadPause pause;
  const auto take = [&] {
    const size_t size = std::min(GetParam().step, waiting.size());
    taken.append(waiting, 0, size);
    waiting.erase(0, size);
    if (waiting.size() < 16384) pause.Release();
  };
  client_notes.on_bytes = [&](ByteView bytes) {
    waiting.append(bytes);
    if (!pause.active()) pause = client->PauseReading();
    if (!GetParam().outside) {
      while (!waiting.empty()) take();
    }
  };
  loop.Post(produce);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (taken.size() < sent.size() && std::chrono::steady_clock::now() < deadline) {
    if (GetParam().outside) take();
    produce();
    loop.RunOnce(std::chrono::milliseconds(waiting.empty() ? 50 : 0));
  }
  EXPECT_TRUE(taken == sent);
}

INSTANTIATE_TEST_SUITE_P(AppendixB, Drains,
                         ::testing::Values(Draining{1000, 512, false}, Draining{1000, 512, true},
                                           Draining{1000, 4096, false}, Draining{1000, 4096, true},
                                           Draining{16384, 512, false}, Draining{16384, 512, true},
                                           Draining{16384, 4096, false},
                                           Draining{16384, 4096, true}));

TEST_F(TlsStream, APauseHoldsWhatIsDecryptedAlready) {
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  ReadPause pause;
  client_notes.received.clear();
  client_notes.on_bytes = [&](ByteView) { pause = client->PauseReading(); };
  server->Write(Pattern(300000));
  ASSERT_TRUE(RunUntil(loop, [&] { return pause.active(); }));
  const size_t first = client_notes.received.size();
  RunIdle(loop);
  EXPECT_EQ(first, client_notes.received.size());
  client_notes.on_bytes = nullptr;
  pause.Release();
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.received.size() == 300000; }));
}

TEST_F(TlsStream, ShutdownSendsCloseNotifyAndReadingGoesOn) {
  Join();
  ASSERT_TRUE(Secured());
  client->Write("request");
  client->ShutdownWrite();
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.ends == 1; }));
  EXPECT_EQ("request", server_notes.received);
  EXPECT_TRUE(EndedCleanly(*server));
  server->Write("answer");
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.received == "answer"; }));
  server->Close();
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.ends == 1; }));
  EXPECT_TRUE(EndedCleanly(*client));
  EXPECT_EQ(0, client_notes.broken);
}

TEST_F(TlsStream, AnEndWithoutCloseNotifyCanBeTold) {
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  ::shutdown(server->fd(), SHUT_WR);
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.ends == 1; }));
  EXPECT_FALSE(EndedCleanly(*client));
}

TEST_F(TlsStream, TheEndWaitsForThePauseToEnd) {
  Join();
  ASSERT_TRUE(Secured());
  ReadPause pause;
  server_notes.on_bytes = [&](ByteView) { pause = server->PauseReading(); };
  client->Write("last");
  client->ShutdownWrite();
  ASSERT_TRUE(RunUntil(loop, [&] { return pause.active(); }));
  RunIdle(loop);
  EXPECT_EQ(0, server_notes.ends);
  pause.Release();
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.ends == 1; }));
}

TEST_F(TlsStream, GarbageAfterTheHandshakeIsBroken) {
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  Send(client->fd(), std::string(64, 'x'));
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.broken == 1; }));
  EXPECT_EQ(ErrorSource::kClient, server_notes.last_error.source);
  EXPECT_TRUE(server_notes.last_error.message.starts_with("SSL_read() failed (SSL: error:"))
      << server_notes.last_error.message;
}

TEST_F(TlsStream, ClosingInsideTheCallbackEndsIt) {
  Join();
  ASSERT_TRUE(Secured());
  server_notes.on_bytes = [&](ByteView) {
    server->Write("bye");
    server->Close();
  };
  client->Write("x");
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.ends == 1; }));
  EXPECT_EQ("bye", client_notes.received);
  EXPECT_EQ(0, server_notes.ends + server_notes.broken);
}

TEST_F(TlsStream, MayBeRetiredInItsOwnCallback) {
  Join();
  ASSERT_TRUE(Secured());
  server_notes.on_bytes = [&](ByteView) { loop.Retire(std::move(server)); };
  client->Write("x");
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.ends == 1; }));
  EXPECT_EQ(nullptr, server);
}

TEST_F(TlsStream, PlainTextOnATlsPortIsGivenAsPlainText) {
  server_context = MustServer(server_options);
  SocketPair pair = UnixPair();
  server = MakeTlsServerStream(loop, pair.ours.Release(), *server_context, hooks, SocketAddress(),
                               SocketAddress());
  server->SetHandler(&server_notes);
  EXPECT_NE(nullptr, server->tls());
  Send(pair.theirs.get(), "GET / HT");
  ASSERT_TRUE(RunUntil(loop, [&] { return !server_notes.received.empty(); }));
  Send(pair.theirs.get(), "TP/1.0\r\n\r\n");
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.received == "GET / HTTP/1.0\r\n\r\n"; }));
  EXPECT_EQ(nullptr, server->tls());
  EXPECT_EQ(0, server_notes.secured);
  loop.EnterCallback();
  server->Write("HTTP/1.1 400 ");
  server->Write("Bad Request\r\n");
  server->ShutdownWrite();
  loop.LeaveCallback();
  EXPECT_EQ("HTTP/1.1 400 Bad Request\r\n", event::ReadAll(pair.theirs.get()));
}

TEST_F(TlsStream, ClosedBeforeTheHandshakeIsTold) {
  server_context = MustServer(server_options);
  SocketPair pair = UnixPair();
  server = MakeTlsServerStream(loop, pair.ours.Release(), *server_context, hooks, SocketAddress(),
                               SocketAddress());
  server->SetHandler(&server_notes);
  pair.theirs.Reset();
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.broken == 1; }));
  EXPECT_EQ("peer closed connection in SSL handshake", server_notes.last_error.message);
  EXPECT_EQ(ErrorSource::kClient, server_notes.last_error.source);
}

TEST_F(TlsStream, GarbageInTheHandshakeIsTheClientsFault) {
  server_context = MustServer(server_options);
  SocketPair pair = UnixPair();
  server = MakeTlsServerStream(loop, pair.ours.Release(), *server_context, hooks, SocketAddress(),
                               SocketAddress());
  server->SetHandler(&server_notes);
  Send(pair.theirs.get(), std::string("\x16\x03\x01\x00\x04zzzz", 9));
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.broken == 1; }));
  EXPECT_TRUE(server_notes.last_error.message.starts_with("SSL_do_handshake() failed (SSL: error:"))
      << server_notes.last_error.message;
  EXPECT_EQ(ErrorSource::kClient, server_notes.last_error.source);
  // The alert left before the close.
  EXPECT_EQ('\x15', event::ReadAll(pair.theirs.get())[0]);
}

TEST_F(TlsStream, BeginsOnAConnectionThatHasBeenReadFrom) {
  server_context = MustServer(server_options);
  client_context = MustClient(client_options);
  SocketPair pair = UnixPair();
  event::SetNonBlocking(pair.theirs.get());
  // The client sends a header of another protocol and its hello in one piece.
  auto client_socket =
      event::MakeTcpStream(loop, pair.theirs.Release(), SocketAddress(), SocketAddress());
  client_socket->Write("PROXY TCP4 ...\r\n");
  static_cast<event::Flushable*>(dynamic_cast<event::Flushable*>(client_socket.get()))->Flush();
  client = std::move(*MakeTlsClientStream(loop, std::move(client_socket), *client_context, {}));
  client->SetHandler(&client_notes);

  std::unique_ptr<Stream> plain =
      event::MakeTcpStream(loop, pair.ours.Release(), SocketAddress(), SocketAddress());
  Notes before;
  before.on_bytes = [&](ByteView bytes) {
    const size_t end = bytes.find("\r\n") + 2;
    plain->SetHandler(nullptr);
    server = MakeTlsServerStream(loop, std::move(plain), *server_context, hooks,
                                 std::string(bytes.substr(end)));
    server->SetHandler(&server_notes);
  };
  plain->SetHandler(&before);
  ASSERT_TRUE(Secured());
  Talk();
}

// Early data (RFC 8446 2.3) by a client of OpenSSL's own, on a blocking socket, step by step.
TEST_F(TlsStream, EarlyDataIsGivenBeforeTheHandshakeIsDone) {
  server_options.early_data = true;
  server_context = MustServer(server_options);
  SessionSlot slot;
  client_peer.session = &slot;
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  ASSERT_NE(nullptr, slot.get());
  ASSERT_GT(SSL_SESSION_get_max_early_data(slot.get()), 0u);

  SocketPair pair = UnixPair();
  server = MakeTlsServerStream(loop, pair.ours.Release(), *server_context, hooks, SocketAddress(),
                               SocketAddress());
  server_notes = Notes();
  server->SetHandler(&server_notes);
  std::string early_at_bytes;
  server_notes.on_bytes = [&](ByteView) {
    early_at_bytes += server->tls()->EarlyData() + ";";
    server->Write("answer");
  };
  event::SetNonBlocking(pair.theirs.get());
  SSL* ssl = SSL_new(client_context->get());
  SSL_set_fd(ssl, pair.theirs.get());
  SSL_set_connect_state(ssl);
  SSL_set_session(ssl, slot.get());
  size_t written = 0;
  ASSERT_EQ(1, SSL_write_early_data(ssl, "GET /", 5, &written));
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.received == "GET /"; }));
  EXPECT_EQ("1;", early_at_bytes);
  EXPECT_EQ(1, server_notes.secured);
  std::string answer;
  ASSERT_TRUE(RunUntil(loop, [&] {
    if (!SSL_is_init_finished(ssl) && SSL_do_handshake(ssl) != 1) return false;
    char buffer[64];
    const int size = SSL_read(ssl, buffer, sizeof buffer);
    if (size > 0) answer.append(buffer, static_cast<size_t>(size));
    return answer == "answer";
  }));
  ASSERT_EQ(4, SSL_write(ssl, "late", 4));
  ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.received == "GET /late"; }));
  EXPECT_EQ("1;;", early_at_bytes);
  SSL_free(ssl);
}

}  // namespace
}  // namespace framewall::tls
