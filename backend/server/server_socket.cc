#include "backend/server/server_socket.h"

#include <utility>

namespace framewall::backend::server {
namespace {

using ws::CloseCode;
using ws::CodeOf;

// How long a peer may take to answer a Close.
constexpr Milliseconds kCloseTimeout{5000};

ws::ReaderOptions ReaderOptionsOf(const SocketOptions& options) {
  ws::ReaderOptions reader;
  reader.role = ws::Role::kServer;
  reader.max_message = options.max_message;
  reader.max_frame = options.max_message;
  reader.binary_allowed = false;
  return reader;
}

std::string TextFrame(std::string_view text) {
  ws::FrameHeader header;
  header.opcode = ws::Opcode::kText;
  header.length = text.size();
  const ws::FrameHead head(header);
  std::string frame;
  frame.reserve(head.view().size() + text.size());
  frame.append(head.view()).append(text);
  return frame;
}

}  // namespace

// --- What the user holds ------------------------------------------------------------------------

namespace {

class ServerSocket final : public Socket {
 public:
  explicit ServerSocket(std::shared_ptr<SocketCore> core) : core_(std::move(core)) {}
  ~ServerSocket() override {
    core_->SetEvents(nullptr);
    core_->Close(CodeOf(CloseCode::kGoingAway), {});
  }
  void SetEvents(SocketEvents* events) override { core_->SetEvents(events); }
  void Send(std::string_view text) override { core_->Send(TextFrame(text)); }
  void Send(const Frame& frame) override { core_->Send(*frame); }
  void Close(uint16_t code, std::string_view reason) override { core_->Close(code, reason); }
  size_t unsent() const override { return core_->unsent(); }

 private:
  const std::shared_ptr<SocketCore> core_;
};

}  // namespace

Socket::Frame Socket::MakeFrame(std::string_view text) {
  return std::make_shared<const std::string>(TextFrame(text));
}

std::unique_ptr<Socket> MakeServerSocket(Services& services, std::unique_ptr<event::Stream> stream,
                                         const SocketOptions& options, std::string input) {
  auto core = std::make_shared<SocketCore>(services, std::move(stream), options, std::move(input));
  services.sockets.insert(core);
  services.on_socket_count();
  return std::make_unique<ServerSocket>(std::move(core));
}

// --- The wire -----------------------------------------------------------------------------------

SocketCore::SocketCore(Services& services, std::unique_ptr<event::Stream> stream,
                       const SocketOptions& options, std::string input)
    : services_(services),
      options_(options),
      stream_(std::move(stream)),
      reader_(ReaderOptionsOf(options), nullptr),
      writer_(ws::WriterOptions(), nullptr),
      timer_(*services.loop, [this] { OnTimer(); }),
      waiting_(std::move(input)),
      pause_(stream_->PauseReading()) {
  stream_->SetHandler(this);
  timer_.Set(Milliseconds(options_.ping_interval_ms));
}

SocketCore::~SocketCore() { pause_.Release(); }

void SocketCore::SetEvents(SocketEvents* events) {
  events_ = events;
  if (events_ == nullptr || state_ == State::kOver) return;
  services_.loop->Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->ReadWaiting();
  });
}

void SocketCore::ReadWaiting() {
  if (events_ == nullptr || reading_ || state_ == State::kOver) return;
  pause_.Release();
  const std::string waiting = std::exchange(waiting_, {});
  if (!waiting.empty()) Read(waiting);
}

void SocketCore::OnBytes(ByteView bytes) {
  heard_ = true;
  if (events_ == nullptr && state_ == State::kOpen) {
    waiting_.append(bytes);
    if (!pause_.active()) pause_ = stream_->PauseReading();
    return;
  }
  Read(bytes);
}

void SocketCore::Read(ByteView input) {
  const std::shared_ptr<SocketCore> self = shared_from_this();
  reading_ = true;
  while (!input.empty() && state_ != State::kOver) {
    const ws::ReadEvent event = reader_.Read(&input);
    if (event == ws::ReadEvent::kClose) {
      close_received_ = true;
      const uint16_t code = reader_.close_code();
      if (state_ == State::kOpen) {
        // Echoed, as RFC 6455 5.5.1 says.
        BeginClose(code, {});
        TellClosed(code);
      }
      if (state_ == State::kClosing) stream_->NotifyWhenSent();
      continue;
    }
    if (state_ != State::kOpen) continue;
    switch (event) {
      case ws::ReadEvent::kMessage:
        if (events_ != nullptr) events_->OnMessage(reader_.payload());
        break;
      case ws::ReadEvent::kPing:
        Pong(reader_.control_payload());
        break;
      case ws::ReadEvent::kViolation: {
        const uint16_t code = CodeOf(reader_.violation().close_code);
        BeginClose(code, reader_.violation().text);
        TellClosed(code);
        break;
      }
      default:
        break;
    }
  }
  reading_ = false;
  if (state_ != State::kOver) reader_.ReleaseMessage();
}

void SocketCore::Send(std::string_view frame) {
  if (state_ != State::kOpen) return;
  stream_->Write(frame);
  if (stream_->pending_output() <= options_.max_unsent) return;
  // What waits is read or not; nothing is added to it but the reason.
  const uint16_t code = CodeOf(CloseCode::kTryAgainLater);
  Close(code, "reads too slowly");
}

void SocketCore::Pong(ByteView payload) {
  // Of many pings the last one counts (RFC 6455 5.5.3); who does not read gets none.
  if (stream_->congested()) return;
  std::string frame;
  writer_.WritePong(payload, frame);
  stream_->Write(frame);
}

void SocketCore::Close(uint16_t code, std::string_view reason) {
  if (state_ != State::kOpen) return;
  BeginClose(code, reason);
  services_.loop->Post([weak = weak_from_this(), code] {
    if (const auto self = weak.lock()) self->TellClosed(code);
  });
}

void SocketCore::BeginClose(uint16_t code, std::string_view reason) {
  state_ = State::kClosing;
  std::string frame;
  writer_.WriteClose(code, reason, frame);
  stream_->Write(frame);
  // The peer's Close is read, whoever listens.
  pause_.Release();
  timer_.Set(kCloseTimeout);
}

void SocketCore::TellClosed(uint16_t code) {
  if (std::exchange(told_, true)) return;
  if (services_.observer != nullptr) services_.observer->OnSocketClosed(code);
  if (SocketEvents* events = std::exchange(events_, nullptr)) events->OnClosed(code);
}

void SocketCore::OnTimer() {
  if (state_ == State::kClosing || !heard_) return End(CodeOf(CloseCode::kAbnormal));
  heard_ = false;
  // A ping behind much else would be late anyway; whether the peer reads is seen all the same.
  std::string frame;
  writer_.WritePing({}, frame);
  stream_->Write(frame);
  timer_.Set(Milliseconds(options_.ping_interval_ms));
}

void SocketCore::OnEnd() { End(CodeOf(CloseCode::kAbnormal)); }
void SocketCore::OnBroken(const Error&) { End(CodeOf(CloseCode::kAbnormal)); }
void SocketCore::OnAllSent() {
  if (close_received_) End(CodeOf(CloseCode::kNormal));
}

void SocketCore::End(uint16_t code) {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  const std::shared_ptr<SocketCore> self = shared_from_this();
  timer_.Cancel();
  pause_.Release();
  stream_->SetHandler(nullptr);
  stream_->Close();
  services_.sockets.erase(self);
  services_.loop->Retire(std::shared_ptr<void>(self));
  TellClosed(code);
  services_.on_socket_count();
}

}  // namespace framewall::backend::server
