#include "proxy/event/socket_stream.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace framewall::event {
namespace {

// Reads of one readiness, so that a fast sender does not starve the others.
constexpr int kReadsPerEvent = 4;
constexpr size_t kMaxVectors = 64;
// What a std::string holds without the heap.
const size_t kSmallCapacity = std::string().capacity();

// Empty where the socket is closed.
std::unique_ptr<SocketAddress> AddressOf(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  auto made = std::make_unique<SocketAddress>();
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (fd >= 0 && ask(fd, address, &length) == 0) {
    *made = SocketAddress::FromSockaddr(address, length);
  }
  return made;
}

}  // namespace

SocketStream::SocketStream(EventLoop& loop, int fd, const SocketAddress& local,
                           const SocketAddress& peer, ErrorSource peer_role)
    : loop_(loop), fd_(fd), peer_role_(peer_role) {
  if (!local.empty()) local_ = std::make_unique<SocketAddress>(local);
  if (!peer.empty()) peer_ = std::make_unique<SocketAddress>(peer);
  event_assign(&read_event_, loop_.base(), fd_, EV_READ | EV_PERSIST, OnReadEvent, this);
  event_assign(&write_event_, loop_.base(), fd_, EV_WRITE | EV_PERSIST, OnWriteEvent, this);
  WatchReading();
}

SocketStream::~SocketStream() {
  SocketStream::Close(CloseKind::kNormal);
  if (flush_requested_) loop_.ForgetFlush(this);
}

void SocketStream::SetHandler(StreamHandler* handler) {
  handler_ = handler;
  if (reading_allowed()) WatchReading();
}

const SocketAddress& SocketStream::local_address() const {
  if (local_ == nullptr) local_ = AddressOf(fd_, ::getsockname);
  return *local_;
}

const SocketAddress& SocketStream::peer_address() const {
  if (peer_ == nullptr) peer_ = AddressOf(fd_, ::getpeername);
  return *peer_;
}

// --- reading ---

void SocketStream::WatchReading() {
  if (watching_ || read_ended_ || fd_ < 0) return;
  watching_ = true;
  event_add(&read_event_, nullptr);
}

void SocketStream::AddReadPause() {
  ++pauses_;
  // Nobody will read the reason of the failure now.
  if (write_error_ != nullptr) RequestFlush();
}

void SocketStream::RemoveReadPause() {
  --pauses_;
  if (reading_allowed()) WatchReading();
}

void SocketStream::OnReadEvent(int, short, void* argument) {
  auto& stream = *static_cast<SocketStream*>(argument);
  if (!stream.reading_allowed()) {
    stream.watching_ = false;
    event_del(&stream.read_event_);
    return;
  }
  EventLoop& loop = stream.loop_;
  loop.EnterCallback();
  stream.OnReadable();
  loop.LeaveCallback();
}

void SocketStream::ReadAgain() {
  if (watching_) event_active(&read_event_, EV_READ, 0);
}

ssize_t SocketStream::Receive(char* buffer, size_t size) {
  ssize_t received;
  do {
    received = ::recv(fd_, buffer, size, 0);
  } while (received < 0 && errno == EINTR);
  return received;
}

void SocketStream::OnReadable() {
  for (int reads = 0; reads < kReadsPerEvent && reading_allowed(); ++reads) {
    const ssize_t received = Receive(loop_.read_buffer(), EventLoop::kReadBufferSize);
    if (received < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) Break(PeerError("recv() failed", errno));
      return;
    }
    if (received == 0) {
      ReadEnded();
      return;
    }
    const auto size = static_cast<size_t>(received);
    bytes_received_ += size;
    handler_->OnBytes(ByteView(loop_.read_buffer(), size));
    // A short piece was the last: the kernel need not be asked to say so.
    if (size < EventLoop::kReadBufferSize) return;
  }
}

void SocketStream::ReadEnded() {
  if (read_ended_) return;
  read_ended_ = true;
  if (watching_) {
    watching_ = false;
    event_del(&read_event_);
  }
  if (write_error_ != nullptr) {
    Break(std::move(*write_error_));
  } else if (handler_ != nullptr) {
    handler_->OnEnd();
  }
}

void SocketStream::Break(Error error) {
  if (fd_ < 0) return;
  StreamHandler* handler = std::exchange(handler_, nullptr);
  Close(CloseKind::kNormal);
  if (handler != nullptr) handler->OnBroken(error);
}

Error SocketStream::PeerError(std::string_view what, int system_errno) const {
  const bool timed_out = system_errno == ETIMEDOUT;
  return Error{timed_out ? ErrorKind::kTimeout : ErrorKind::kClosed, peer_role_, std::string(what),
               system_errno};
}

// --- writing ---

void SocketStream::Write(std::span<const ByteView> pieces) {
  if (!can_write()) return;
  for (const ByteView piece : pieces) bytes_sent_ += piece.size();
  SendRaw(pieces);
}

void SocketStream::AppendRaw(ByteView bytes) {
  if (output_.empty()) {
    if (output_.capacity() <= kSmallCapacity) output_ = loop_.TakeBuffer();
  } else if (output_start_ > output_.size() / 2) {
    output_.erase(0, std::exchange(output_start_, 0));
  }
  output_.append(bytes);
}

void SocketStream::SendRaw(std::span<const ByteView> pieces) {
  size_t total = 0;
  for (const ByteView piece : pieces) total += piece.size();
  if (total == 0) return;

  size_t skip = 0;  // octets of `pieces` that have left
  if (!blocked_ && raw_pending() + total >= kSendAtOnce) {
    std::array<iovec, kMaxVectors> vectors;
    size_t count = 0;
    size_t offered = 0;
    const auto add = [&](ByteView bytes) {
      if (bytes.empty() || count == kMaxVectors) return;
      vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
      offered += bytes.size();
    };
    const size_t queued = raw_pending();
    add(ByteView(output_).substr(output_start_));
    for (const ByteView piece : pieces) add(piece);

    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    ssize_t sent;
    do {
      sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        WriteFailed(errno);
        return;
      }
      sent = 0;
    }
    const auto gone = static_cast<size_t>(sent);
    if (gone < offered) SetBlocked(true);
    if (gone >= queued) {
      skip = gone - queued;
      ReleaseOutput();
    } else {
      output_start_ += gone;
    }
  }

  for (ByteView piece : pieces) {
    const size_t here = std::min(skip, piece.size());
    skip -= here;
    if (here < piece.size()) AppendRaw(piece.substr(here));
  }
  NoteCongestion();
  // Drained by this very call: its owner hears it from the loop, not from inside its Write.
  if (!blocked_ && (raw_pending() > 0 || was_congested_)) RequestFlush();
}

void SocketStream::RequestFlush() {
  if (flush_requested_ || fd_ < 0) return;
  flush_requested_ = true;
  loop_.RequestFlush(this);
}

void SocketStream::Flush() {
  flush_requested_ = false;
  if (fd_ < 0) return;
  BeforeFlush();
  SendQueue();
  AfterOutput();
}

void SocketStream::OnWriteEvent(int, short, void* argument) {
  auto& stream = *static_cast<SocketStream*>(argument);
  EventLoop& loop = stream.loop_;
  loop.EnterCallback();
  stream.SetBlocked(false);
  stream.SendQueue();
  stream.AfterOutput();
  loop.LeaveCallback();
}

void SocketStream::SendQueue() {
  while (fd_ >= 0 && !blocked_ && raw_pending() > 0) {
    const ssize_t sent = ::send(fd_, output_.data() + output_start_, raw_pending(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        SetBlocked(true);
      } else {
        WriteFailed(errno);
      }
      return;
    }
    const auto gone = static_cast<size_t>(sent);
    if (gone == raw_pending()) {
      ReleaseOutput();
    } else {
      output_start_ += gone;
      SetBlocked(true);  // the kernel took a part: it is full
    }
  }
}

// The write event is in the kernel exactly while `blocked_`; but an event that fires and finds the
// socket full again must not be taken out and put back.
void SocketStream::SetBlocked(bool blocked) {
  if (blocked) {
    blocked_ = true;
    if (event_pending(&write_event_, EV_WRITE, nullptr) == 0) event_add(&write_event_, nullptr);
  } else {
    blocked_ = false;
  }
}

void SocketStream::ReleaseOutput() {
  output_start_ = 0;
  output_.clear();
  if (output_.capacity() > kSmallCapacity) loop_.GiveBuffer(std::move(output_));
}

void SocketStream::WriteFailed(int system_errno) {
  write_error_ = std::make_unique<Error>(PeerError("send() failed", system_errno));
  ReleaseOutput();
  SetBlocked(false);
  RequestFlush();
}

// After output has left or failed; called from the loop only, so it may call the handler.
void SocketStream::AfterOutput() {
  if (fd_ < 0) return;
  if (!blocked_ && event_pending(&write_event_, EV_WRITE, nullptr) != 0) event_del(&write_event_);
  if (write_error_ != nullptr) {
    if (read_ended_ || pauses_ > 0) Break(std::move(*write_error_));
    return;
  }
  if (was_congested_ && pending_output() <= kLowMark) {
    was_congested_ = false;
    if (handler_ != nullptr) handler_->OnDrained();
    if (fd_ < 0) return;
  }
  if (end_requested_ && !end_sent_ && pending_output() == 0) {
    end_sent_ = true;
    SendEnd();
  }
  if (tell_when_sent_ && fd_ >= 0 && pending_output() == 0) {
    tell_when_sent_ = false;
    if (handler_ != nullptr) handler_->OnAllSent();
  }
}

void SocketStream::NotifyWhenSent() {
  if (fd_ < 0) return;
  tell_when_sent_ = true;
  RequestFlush();
}

void SocketStream::SendEnd() { ::shutdown(fd_, SHUT_WR); }

void SocketStream::ShutdownWrite() {
  if (end_requested_ || fd_ < 0) return;
  end_requested_ = true;
  RequestFlush();
}

void SocketStream::Close(CloseKind kind) {
  if (fd_ < 0) return;
  if (kind == CloseKind::kReset) {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else if (flush_requested_ && !blocked_ && raw_pending() > 0) {
    // Written in this very callback: it has not been tried yet.
    [[maybe_unused]] const ssize_t sent =
        ::send(fd_, output_.data() + output_start_, raw_pending(), MSG_NOSIGNAL);
  }
  StopEvents();
  ::close(std::exchange(fd_, -1));
  ReleaseOutput();
}

int SocketStream::ReleaseDescriptor() {
  if (fd_ < 0) return -1;
  StopEvents();
  ReleaseOutput();
  return std::exchange(fd_, -1);
}

void SocketStream::StopEvents() {
  if (watching_) event_del(&read_event_);
  if (event_pending(&write_event_, EV_WRITE, nullptr) != 0) event_del(&write_event_);
  watching_ = false;
  blocked_ = false;
}

}  // namespace framewall::event
