#include "backend/chat/session.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"

namespace framewall::backend::chat {
namespace {

using Type = ClientMessage::Type;

constexpr std::chrono::milliseconds kTypingPause{1000};
// Timers are set anew after so long: what is meant may lie beyond what a timer takes.
constexpr int64_t kLongestTimer = 3'600'000;

Problem Of(int status, std::string code, std::string detail, int retry_after = 0) {
  return {.status = status,
          .code = std::move(code),
          .detail = std::move(detail),
          .fields = {},
          .retry_after = retry_after};
}

MessageLimits ParserLimits(const ChatLimits& limits) {
  return {.octets = limits.text_octets,
          .characters = limits.text_characters,
          .rooms = limits.rooms,
          .page = limits.page_most};
}

}  // namespace

Session::Session(std::shared_ptr<House> house, Identity identity, Person person)
    : house_(std::move(house)),
      identity_(std::move(identity)),
      person_(std::move(person)),
      rate_(static_cast<double>(house_->limits.messages_per_second),
            static_cast<double>(house_->limits.burst)),
      time_(house_->loop, [this] { OnTime(); }) {}

Session::~Session() {
  for (const auto& [id, room] : rooms_) {
    if (room.present) house_->presence.Leave(id, person_.id);
  }
}

void Session::Start(std::unique_ptr<server::Socket> socket) {
  socket_ = std::move(socket);
  own_events_ = house_->fanout.Subscribe(UserTopic(person_.id), this);
  time_.Set(house_->limits.hello_time);
  socket_->SetEvents(this);
}

// --- the socket ---

void Session::Close(uint16_t code, std::string_view reason) {
  if (over_) return;
  over_ = true;
  time_.Cancel();
  socket_->Close(code, reason);
}

void Session::OnClosed(uint16_t /*code*/) {
  over_ = true;
  time_.Cancel();
  house_->on_over(this);
}

void Session::Tell(std::string_view text) {
  if (!over_) socket_->Send(text);
}

void Session::Tell(const server::Socket::Frame& frame) {
  if (!over_) socket_->Send(frame);
}

size_t Session::unsent() const { return over_ ? 0 : socket_->unsent(); }

void Session::Refuse(std::string_view ref, std::string_view room, const Problem& problem) {
  Tell(ErrorText(ref, room, problem));
}

void Session::OnTime() {
  if (!greeted_) return Close(kCloseNoHello, "no hello");
  if (identity_.expires != 0 && identity_.expires <= CachedNow().unix_milliseconds) {
    return Close(kCloseToken, "token expired");
  }
  SetExpiry();
}

void Session::SetExpiry() {
  if (identity_.expires == 0) return time_.Cancel();
  const int64_t left = identity_.expires - CachedNow().unix_milliseconds;
  time_.Set(std::chrono::milliseconds(std::clamp<int64_t>(left, 1, kLongestTimer)));
}

// --- what the client says ---

void Session::OnMessage(std::string_view text) {
  if (over_) return;
  ParsedMessage parsed = ParseClientMessage(text, ParserLimits(house_->limits));
  Refusal* const refusal = std::get_if<Refusal>(&parsed);
  ClientMessage* const message = std::get_if<ClientMessage>(&parsed);
  const std::string& ref = refusal != nullptr ? refusal->in_reply_to : message->ref;
  if (!rate_.Take()) {
    Refuse(ref, refusal != nullptr ? refusal->room : message->room,
           Of(429, "rate",
              "More than " + std::to_string(house_->limits.messages_per_second) +
                  " messages a second.",
              1));
    if (++refused_in_row_ >= house_->limits.refused_in_row)
      Close(kCloseTooMany, "too many messages");
    return;
  }
  refused_in_row_ = 0;
  if (refusal != nullptr) {
    Refuse(ref, refusal->room, refusal->problem);
    if (refusal->ends || !greeted_) {
      Close(kCloseNotTheProtocol, refusal->ends ? refusal->problem.code : "no hello");
    }
    return;
  }
  if (!greeted_ && message->type != Type::kHello) {
    Refuse(ref, {}, Of(400, "no_hello", "The first message is \"hello\"."));
    return Close(kCloseNotTheProtocol, "no hello");
  }
  Do(std::move(*message));
}

void Session::Do(ClientMessage message) {
  switch (message.type) {
    case Type::kHello:
      return Greet(message);
    case Type::kJoin:
      return Join(std::move(message.rooms.front()), message.ref);
    case Type::kAuth:
      return TakeToken(message);
    case Type::kPing:
      return Tell(PongText(message.ref, CachedNow().unix_milliseconds));
    default:
      break;
  }
  if (FindJoined(message.room) == nullptr) {
    return Refuse(message.ref, message.room, Of(409, "not_joined", "Join the room first."));
  }
  switch (message.type) {
    case Type::kLeave:
      Leave(message.room);
      return Tell(LeftText(message.ref, message.room, "asked"));
    case Type::kMessage:
      return Say(std::move(message));
    case Type::kEdit:
      return Edit(std::move(message));
    case Type::kDelete:
      return Delete(std::move(message));
    case Type::kTyping:
      return ShowTyping(message);
    case Type::kPresence:
      return Tell(OnlineText(message.ref, message.room, house_->presence.Online(message.room),
                             house_->presence.Count(message.room)));
    case Type::kHistory:
      return ShowHistory(std::move(message));
    case Type::kCancel:
      return Cancel(message);
    default:
      return;
  }
}

void Session::Greet(const ClientMessage& message) {
  if (greeted_) return Refuse(message.ref, {}, Of(409, "greeted", "\"hello\" is said once."));
  greeted_ = true;
  SetExpiry();
  const ChatLimits& limits = house_->limits;
  Welcome welcome;
  welcome.user = person_;
  welcome.session = identity_.session;
  welcome.expires = identity_.expires;
  welcome.time = CachedNow().unix_milliseconds;
  welcome.limits = {.text_octets = limits.text_octets,
                    .text_characters = limits.text_characters,
                    .message_octets = limits.message_octets,
                    .rooms = limits.rooms,
                    .messages_per_second = limits.messages_per_second,
                    .burst = limits.burst,
                    .history = static_cast<size_t>(limits.page_most),
                    .answers = limits.answers_per_user,
                    .sockets = limits.sockets_per_user};
  Tell(WelcomeText(welcome));
  for (const RoomWish& wish : message.rooms) Join(wish, message.ref);
}

void Session::TakeToken(const ClientMessage& message) {
  Result<Identity> identity = house_->tokens.VerifyAccessToken(message.token);
  if (!identity.ok()) {
    MainLog().Write(LogLevel::kInfo, "chat: a token of user " + identity_.user +
                                         " was refused: " + identity.error().message);
    return Close(kCloseToken, "token refused");
  }
  if (identity->user != identity_.user) return Close(kCloseToken, "token refused");
  identity_ = std::move(identity).value();
  SetExpiry();
  Tell(AuthenticatedText(message.ref, identity_.expires));
}

// --- rooms ---

Session::Room* Session::FindJoined(const std::string& room) {
  const auto at = rooms_.find(room);
  return at == rooms_.end() || !at->second.feed->joined() ? nullptr : &at->second;
}

void Session::Join(RoomWish wish, const std::string& ref) {
  // Who joins again begins again.
  Leave(wish.room);
  if (rooms_.size() >= house_->limits.rooms) {
    return Refuse(ref, wish.room,
                  Of(429, "too_many_rooms",
                     "At most " + std::to_string(house_->limits.rooms) + " rooms to a socket."));
  }
  const std::string room = wish.room;
  rooms_[room].feed = std::make_unique<Feed>(
      Feed::Needs{house_->loop, house_->records, house_->fanout, house_->answers}, *this,
      std::move(wish), ref);
}

bool Session::Leave(const std::string& room) {
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return false;
  if (at->second.present) house_->presence.Leave(room, person_.id);
  // It may be the one that is calling.
  at->second.feed->Stop();
  house_->loop.Retire(std::move(at->second.feed));
  rooms_.erase(at);
  return true;
}

void Session::OnJoined(Joined joined) {
  const auto at = rooms_.find(joined.room.id);
  if (at == rooms_.end()) return;
  at->second.present = true;
  house_->presence.Enter(joined.room.id, person_);
  joined.online = house_->presence.Online(joined.room.id);
  joined.count = house_->presence.Count(joined.room.id);
  Tell(JoinedText(joined));
}

void Session::OnNotJoined(const std::string& room, const std::string& in_reply_to,
                          const Problem& problem) {
  const std::string name = room;  // the feed's own, which goes
  Refuse(in_reply_to, name, problem);
  Leave(name);
}

void Session::OnFeedFailed() { Close(ws::CodeOf(ws::CloseCode::kInternalError), "internal error"); }

void Session::OnFeedTooSlow() {
  Close(ws::CodeOf(ws::CloseCode::kTryAgainLater), "reads too slowly");
}

void Session::OnRoomGone(const std::string& room) {
  const std::string name = room;
  if (Leave(name)) Tell(LeftText({}, name, "deleted"));
}

void Session::OnEvent(const EventRef& event) {
  if (!greeted_) return;
  if (!event->text.empty()) Tell(event->frame);
  if (event->kind == Event::Kind::kRemoved && Leave(event->room)) {
    Tell(LeftText({}, event->room, "removed"));
  }
}

// --- messages ---

template <class T>
bool Session::Refused(const Result<T>& result, std::string_view ref, std::string_view room) {
  if (!result.ok()) {
    const bool is_busy = result.error().kind == ErrorKind::kUnavailable;
    Refuse(ref, room,
           is_busy ? Of(503, "busy", "The server has too much to do; try again.", 2)
                   : Of(500, "internal", "Something went wrong here; it is in our log."));
    return true;
  }
  switch (result->outcome) {
    case Outcome::kDone:
    case Outcome::kRepeated:
      return false;
    case Outcome::kNotFound:
      Refuse(ref, room, NotFound());
      return true;
    case Outcome::kForbidden:
      Refuse(ref, room, Of(403, "forbidden", "This is not yours to do."));
      return true;
    case Outcome::kGone:
      Refuse(ref, room, Of(410, "gone", "This message is deleted."));
      return true;
  }
  return true;
}

void Session::Say(ClientMessage message) {
  house_->records.Add(person_.id, message.room, message.client_id, std::move(message.text),
                      [house = std::weak_ptr(house_), weak = weak_from_this(), ref = message.ref,
                       room = message.room](Result<Written> written) {
                        const auto session = weak.lock();
                        if (session != nullptr && session->Refused(written, ref, room)) return;
                        if (!written.ok()) return;
                        const bool repeated = written->outcome == Outcome::kRepeated;
                        if (session != nullptr)
                          session->Tell(AckText(ref, written->message, repeated));
                        const auto all = house.lock();
                        if (written->outcome != Outcome::kDone || all == nullptr) return;
                        const auto problem =
                            all->announcer.MessageAdded(written->room, written->message);
                        if (problem && session != nullptr) session->Refuse(ref, room, *problem);
                      });
}

void Session::Edit(ClientMessage message) {
  house_->records.Edit(person_.id, message.room, message.number, std::move(message.text),
                       [house = std::weak_ptr(house_), weak = weak_from_this(), ref = message.ref,
                        room = message.room](Result<Written> written) {
                         const auto session = weak.lock();
                         if (session != nullptr && session->Refused(written, ref, room)) return;
                         if (!written.ok() || written->outcome != Outcome::kDone) return;
                         if (session != nullptr) {
                           session->Tell(AckText(ref, written->message, std::nullopt));
                         }
                         if (const auto all = house.lock()) {
                           all->announcer.MessageEdited(written->message);
                         }
                       });
}

void Session::Delete(ClientMessage message) {
  house_->records.Delete(person_.id, message.room, message.number,
                         [house = std::weak_ptr(house_), weak = weak_from_this(), ref = message.ref,
                          room = message.room](Result<Written> written) {
                           const auto session = weak.lock();
                           if (session != nullptr && session->Refused(written, ref, room)) return;
                           if (!written.ok() || written->outcome != Outcome::kDone) return;
                           if (session != nullptr) {
                             session->Tell(AckText(ref, written->message, std::nullopt));
                           }
                           if (const auto all = house.lock()) {
                             all->announcer.MessageDeleted(written->message);
                           }
                         });
}

void Session::ShowTyping(const ClientMessage& message) {
  Room& room = *FindJoined(message.room);
  const SteadyTime now = CachedNow().steady;
  // That somebody has stopped is told at once; the rest at a pace.
  const bool too_soon = now - room.typing_told < kTypingPause;
  if (too_soon && (message.active || !room.typing)) return;
  room.typing = message.active;
  room.typing_told = now;
  Event event;
  event.kind = Event::Kind::kPassing;
  event.room = message.room;
  event.user = person_.id;
  event.text = TypingText(message.room, person_, message.active);
  house_->fanout.Publish(RoomTopic(message.room), std::move(event));
}

void Session::ShowHistory(ClientMessage message) {
  house_->records.Read(
      {.room = message.room,
       .after = message.after,
       .before = message.before,
       .limit = message.limit == 0 ? house_->limits.page_default : message.limit},
      [weak = weak_from_this(), ref = message.ref, room = message.room](Result<Page> page) {
        const auto session = weak.lock();
        if (session == nullptr || session->Refused(page, ref, room)) return;
        // He may have been removed meanwhile.
        if (session->FindJoined(room) == nullptr) return;
        ShowAsLive(session->house_->answers, room, page->messages);
        session->Tell(HistoryText(ref, room, page->messages, page->more));
      });
}

void Session::Cancel(const ClientMessage& message) {
  const Result<Written> cancelled =
      house_->answers.Cancel(message.room, message.number, person_.id);
  if (Refused(cancelled, message.ref, message.room)) return;
  Tell(AckText(message.ref, cancelled->message, std::nullopt));
}

}  // namespace framewall::backend::chat
