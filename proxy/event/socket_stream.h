// What every stream over a socket shares: events, pauses, the output queue, flush and close.
// TcpStream is this alone; tls::TlsStream puts records between it and its handler.
//
//   reading:  one persistent, level-triggered event for the life of the connection. A pause does
//             nothing by itself; only if the socket becomes readable while paused is the event
//             taken out (and put back on resume). So a pause of a quiet peer costs no system call.
//   writing:  Queue -> Flush at the end of the callback -> send. Only when the kernel refuses does
//             a write event exist.
//   failure:  a failed send drops the output and lets reading find the reason, because the peer's
//             last words (an early response) may wait in the socket; where nobody reads, OnBroken
//             comes at once.
#pragma once

#include <event2/event_struct.h>

#include <memory>
#include <span>
#include <string>

#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

class SocketStream : public Stream, public Flushable {
 public:
  // Takes over `fd`. Addresses may be empty: the kernel is then asked when somebody wants to know.
  // `peer_role`: the source of errors of the peer.
  SocketStream(EventLoop& loop, int fd, const SocketAddress& local, const SocketAddress& peer,
               ErrorSource peer_role);
  ~SocketStream() override;
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  void SetHandler(StreamHandler* handler) override;
  void Write(std::span<const ByteView> pieces) override;
  size_t pending_output() const override { return raw_pending(); }
  void NotifyWhenSent() override;
  void ShutdownWrite() override;
  void Close(CloseKind kind) override;
  bool closed() const override { return fd_ < 0; }
  const SocketAddress& local_address() const override;
  const SocketAddress& peer_address() const override;
  uint64_t bytes_received() const override { return bytes_received_; }
  uint64_t bytes_sent() const override { return bytes_sent_; }
  int fd() const override { return fd_; }

  void Flush() override;

  // Gives the descriptor up, for a stream that builds on this one's connection. What was queued
  // is lost; this stream is closed then.
  int ReleaseDescriptor();

 protected:
  // Output of this many octets together is sent at once, without being copied.
  static constexpr size_t kSendAtOnce = 16384;

  void AddReadPause() override;
  void RemoveReadPause() override;

  // The socket is readable, and nobody pauses. May be called once more without need.
  virtual void OnReadable();
  // Before queued output is sent: the place to make more of it.
  virtual void BeforeFlush() {}
  // Sends the end of our direction; everything queued has left.
  virtual void SendEnd();

  EventLoop& loop() { return loop_; }
  StreamHandler* handler() const { return handler_; }
  bool reading_allowed() const {
    return fd_ >= 0 && pauses_ == 0 && handler_ != nullptr && !read_ended_;
  }
  bool can_write() const { return fd_ >= 0 && !end_requested_ && write_error_ == nullptr; }
  bool end_requested() const { return end_requested_; }
  ErrorSource peer_role() const { return peer_role_; }

  // Bytes for the socket, as they are; counts nothing.
  void SendRaw(std::span<const ByteView> pieces);
  // Queues; the caller asks for a flush.
  void AppendRaw(ByteView bytes);
  size_t raw_pending() const { return output_.size() - output_start_; }
  void RequestFlush();
  // Sends what is queued, now, as much as the kernel takes.
  void SendQueue();
  // To be called when pending_output() may have grown past the high mark.
  void NoteCongestion() {
    if (pending_output() > kHighMark) was_congested_ = true;
  }
  // Reading: one recv. Octets, 0 at the end, -1 with errno.
  ssize_t Receive(char* buffer, size_t size);
  // recv gave an end or failed: tells the handler. No call follows OnBroken.
  void ReadEnded();
  void Break(Error error);
  Error PeerError(std::string_view what, int system_errno) const;
  // Calls OnReadable from the loop though the kernel has nothing new (bytes wait above it).
  void ReadAgain();

  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;

 private:
  static void OnReadEvent(int fd, short what, void* argument);
  static void OnWriteEvent(int fd, short what, void* argument);
  void WatchReading();
  void StopEvents();
  void SetBlocked(bool blocked);
  void WriteFailed(int system_errno);
  void AfterOutput();
  void ReleaseOutput();

  EventLoop& loop_;
  int fd_;
  const ErrorSource peer_role_;
  // Made when somebody asks: an idle connection does without.
  mutable std::unique_ptr<SocketAddress> local_;
  mutable std::unique_ptr<SocketAddress> peer_;
  StreamHandler* handler_ = nullptr;
  ::event read_event_;
  ::event write_event_;
  std::string output_;
  size_t output_start_ = 0;
  std::unique_ptr<Error> write_error_;
  int pauses_ = 0;
  bool watching_ = false;  // the read event is in the kernel
  bool blocked_ = false;   // the write event is
  bool flush_requested_ = false;
  bool read_ended_ = false;
  bool end_requested_ = false;
  bool end_sent_ = false;
  bool was_congested_ = false;
  bool tell_when_sent_ = false;
};

}  // namespace framewall::event
