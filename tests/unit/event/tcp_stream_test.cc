#include "proxy/event/tcp_stream.h"

#include <sys/ioctl.h>

#include "tests/unit/event/support.h"

namespace framewall::event {
namespace {

class TcpStream : public ::testing::Test {
 protected:
  void Open(SocketPair pair) {
    theirs = std::move(pair.theirs);
    stream = MakeTcpStream(loop, pair.ours.Release(), SocketAddress(), SocketAddress());
    stream->SetHandler(&notes);
  }
  // As if from a callback of somebody else.
  void InCallback(const std::function<void()>& what) {
    loop.EnterCallback();
    what();
    loop.LeaveCallback();
  }
  static void ShrinkSendBuffer(int fd) {
    int size = 4096;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  // Reads at the other end until `size` octets have come.
  std::string ReadWhileRunning(size_t size) {
    std::string all;
    SetNonBlocking(theirs.get());
    EXPECT_TRUE(RunUntil(loop, [&] {
      all += ReadSome(theirs.get());
      return all.size() >= size;
    }));
    return all;
  }

  EventLoop loop;
  UniqueFd theirs;
  Notes notes;
  std::unique_ptr<Stream> stream;
};

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 7 % 23);
  return bytes;
}

TEST_F(TcpStream, GivesBytesAndTheEnd) {
  Open(UnixPair());
  Send(theirs.get(), "hello");
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "hello"; }));
  EXPECT_EQ(5u, stream->bytes_received());
  EXPECT_EQ(0, notes.ends);
  ::shutdown(theirs.get(), SHUT_WR);
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.ends == 1; }));
  RunIdle(loop);
  EXPECT_EQ(1, notes.ends);
  // Half closed: we may still speak.
  stream->Write("bye");
  RunIdle(loop);
  EXPECT_EQ("bye", ReadSome(theirs.get()));
}

TEST_F(TcpStream, SmallWritesLeaveTogetherWhenTheCallbackReturns) {
  Open(UnixPair());
  InCallback([&] {
    stream->Write("one ");
    stream->Write("two ");
    const std::string third(16384 - 8 - 1, 'x');
    stream->Write(third);
    EXPECT_EQ(16383u, stream->pending_output());
    EXPECT_TRUE(NothingToRead(theirs.get()));
  });
  EXPECT_EQ(0u, stream->pending_output());
  EXPECT_EQ(16383u, ReadSome(theirs.get()).size());
  EXPECT_EQ(16383u, stream->bytes_sent());
}

TEST_F(TcpStream, ManyBytesLeaveAtOnce) {
  Open(UnixPair());
  InCallback([&] {
    stream->Write("head ");
    const std::string body = Pattern(16384 - 5);
    stream->Write(body);
    EXPECT_EQ(0u, stream->pending_output());
    EXPECT_EQ("head " + body, ReadSome(theirs.get()));
  });
}

TEST_F(TcpStream, KeepsOrderThroughPartialWrites) {
  Open(UnixPair());
  ShrinkSendBuffer(stream->fd());
  const std::string sent = Pattern(300000);
  InCallback([&] {
    stream->Write("<");
    const ByteView view(sent);
    const ByteView pieces[] = {view.substr(0, 1), view.substr(1, 99999), ByteView(),
                               view.substr(100000)};
    stream->Write(pieces);
    stream->Write(">");
  });
  EXPECT_TRUE(stream->congested());
  EXPECT_EQ("<" + sent + ">", ReadWhileRunning(300002));
  EXPECT_EQ(0u, stream->pending_output());
  EXPECT_EQ(1, notes.drained);
}

TEST_F(TcpStream, ManyPiecesAllArrive) {
  Open(UnixPair());
  const std::string sent = Pattern(200 * 200);
  std::vector<ByteView> pieces;
  for (size_t i = 0; i < 200; ++i) pieces.push_back(ByteView(sent).substr(i * 200, 200));
  InCallback([&] { stream->Write(pieces); });
  EXPECT_EQ(sent, ReadWhileRunning(sent.size()));
}

TEST_F(TcpStream, DrainedComesOnlyAfterCongestion) {
  Open(UnixPair());
  ShrinkSendBuffer(stream->fd());
  InCallback([&] { stream->Write(Pattern(60000)); });
  EXPECT_GT(stream->pending_output(), 0u);
  EXPECT_FALSE(stream->congested());
  ReadWhileRunning(60000);
  EXPECT_EQ(0, notes.drained);
}

TEST_F(TcpStream, DrainedMayWriteMore) {
  Open(UnixPair());
  ShrinkSendBuffer(stream->fd());
  notes.on_drained = [&] {
    EXPECT_LE(stream->pending_output(), Stream::kLowMark);
    if (notes.drained < 3) stream->Write(Pattern(200000));
  };
  InCallback([&] { stream->Write(Pattern(200000)); });
  ReadWhileRunning(600000);
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.drained == 3; }));
}

TEST_F(TcpStream, ReadsNothingWhileAnyPauseLives) {
  Open(UnixPair());
  ReadPause first = stream->PauseReading();
  ReadPause second = stream->PauseReading();
  Send(theirs.get(), "x");
  RunIdle(loop);
  first.Release();
  RunIdle(loop);
  EXPECT_EQ("", notes.received);
  second.Release();
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "x"; }));
}

TEST_F(TcpStream, APauseInsideTheCallbackStopsFurtherReads) {
  Open(TcpPair());
  ReadPause pause;
  notes.on_bytes = [&](ByteView) { pause = stream->PauseReading(); };
  Send(theirs.get(), "one");
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "one"; }));
  Send(theirs.get(), "two");
  RunIdle(loop);
  EXPECT_EQ("one", notes.received);
  pause.Release();
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "onetwo"; }));
}

TEST_F(TcpStream, WithoutAHandlerTheBytesWait) {
  Open(UnixPair());
  stream->SetHandler(nullptr);
  Send(theirs.get(), "early");
  RunIdle(loop);
  stream->SetHandler(&notes);
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "early"; }));
}

TEST_F(TcpStream, ShutdownSendsTheEndAfterEverythingQueued) {
  Open(UnixPair());
  ShrinkSendBuffer(stream->fd());
  InCallback([&] {
    stream->Write(Pattern(100000));
    stream->ShutdownWrite();
    stream->Write("not after the end");
  });
  SetNonBlocking(theirs.get());
  std::string all;
  bool ended = false;
  ASSERT_TRUE(RunUntil(loop, [&] {
    char buffer[8192];
    const ssize_t size = ::recv(theirs.get(), buffer, sizeof buffer, 0);
    if (size > 0) all.append(buffer, static_cast<size_t>(size));
    ended = size == 0;
    return ended;
  }));
  EXPECT_EQ(Pattern(100000), all);
  Send(theirs.get(), "still heard");
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "still heard"; }));
}

TEST_F(TcpStream, APeersResetIsBroken) {
  Open(TcpPair());
  const linger now{1, 0};
  ::setsockopt(theirs.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  theirs.Reset();
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.broken == 1; }));
  EXPECT_EQ(ECONNRESET, notes.last_error.system_errno);
  EXPECT_EQ(ErrorKind::kClosed, notes.last_error.kind);
  EXPECT_EQ("recv() failed", notes.last_error.message);
  EXPECT_EQ(0, notes.ends);
  EXPECT_TRUE(stream->closed());
}

TEST_F(TcpStream, ThePeersLastWordsComeBeforeTheFailureOfOurWrite) {
  Open(UnixPair());
  Send(theirs.get(), "413 too large");
  theirs.Reset();
  InCallback([&] { stream->Write("more of the body"); });
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.broken == 1; }));
  EXPECT_EQ("413 too large", notes.received);
  EXPECT_EQ("send() failed", notes.last_error.message);
  EXPECT_EQ(EPIPE, notes.last_error.system_errno);
  EXPECT_EQ(0, notes.ends);
}

TEST_F(TcpStream, AFailedWriteIsToldThoughReadingIsPaused) {
  Open(UnixPair());
  ReadPause pause = stream->PauseReading();
  theirs.Reset();
  InCallback([&] {
    stream->Write(Pattern(20000));
    EXPECT_EQ(0, notes.broken);
  });
  EXPECT_EQ(1, notes.broken);
  pause.Release();
}

TEST_F(TcpStream, AfterCloseNothingComes) {
  Open(UnixPair());
  notes.on_bytes = [&](ByteView) { stream->Close(); };
  const std::string two_reads(EventLoop::kReadBufferSize + 1, 'x');
  int size = 1 << 20;
  ::setsockopt(theirs.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  Send(theirs.get(), two_reads);
  ASSERT_TRUE(RunUntil(loop, [&] { return stream->closed(); }));
  RunIdle(loop);
  EXPECT_EQ(EventLoop::kReadBufferSize, notes.received.size());
  EXPECT_EQ(0, notes.ends + notes.broken);
  stream->Write("ignored");
  stream->ShutdownWrite();
  stream->Close();
  EXPECT_EQ(-1, stream->fd());
}

TEST_F(TcpStream, CloseTriesWhatTheCallbackWrote) {
  Open(UnixPair());
  InCallback([&] {
    stream->Write("last");
    stream->Close();
  });
  EXPECT_EQ("last", ReadAll(theirs.get()));
}

TEST_F(TcpStream, CanCloseWithAReset) {
  Open(TcpPair());
  stream->Close(Stream::CloseKind::kReset);
  char byte;
  EXPECT_EQ(-1, ::recv(theirs.get(), &byte, 1, 0));
  EXPECT_EQ(ECONNRESET, errno);
}

TEST_F(TcpStream, MayBeRetiredInItsOwnCallback) {
  Open(UnixPair());
  notes.on_bytes = [&](ByteView) {
    stream->Write("parting");
    loop.Retire(std::move(stream));
  };
  Send(theirs.get(), "x");
  ASSERT_TRUE(RunUntil(loop, [&] { return stream == nullptr; }));
  EXPECT_EQ("parting", ReadAll(theirs.get()));
}

TEST_F(TcpStream, HandlerMayChangeInsideTheCallback) {
  Open(UnixPair());
  Notes next;
  notes.on_bytes = [&](ByteView) { stream->SetHandler(&next); };
  Send(theirs.get(), "a");
  ASSERT_TRUE(RunUntil(loop, [&] { return notes.received == "a"; }));
  Send(theirs.get(), "b");
  ASSERT_TRUE(RunUntil(loop, [&] { return next.received == "b"; }));
  EXPECT_EQ("a", notes.received);
  stream->SetHandler(nullptr);
}

}  // namespace
}  // namespace framewall::event
