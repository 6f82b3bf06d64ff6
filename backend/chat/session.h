// One socket of a user: what it says is done, what it has joined is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/auth/token_verifier.h"
#include "backend/base/identity.h"
#include "backend/chat/announcer.h"
#include "backend/chat/answers.h"
#include "backend/chat/feed.h"
#include "backend/chat/limits.h"
#include "backend/chat/presence.h"
#include "backend/chat/rate.h"
#include "backend/chat/records.h"
#include "backend/server/socket.h"
#include "proxy/event/timer.h"

namespace framewall::backend::chat {

// Close codes of ours; docs/chat-protocol.md has them all.
inline constexpr uint16_t kCloseNotTheProtocol = 4400;
inline constexpr uint16_t kCloseToken = 4401;
inline constexpr uint16_t kCloseSessionOver = 4403;
inline constexpr uint16_t kCloseNoHello = 4408;
inline constexpr uint16_t kCloseTooMany = 4429;

class Session final : public server::SocketEvents,
                      public FeedOwner,
                      public Listener,
                      public std::enable_shared_from_this<Session> {
 public:
  // What all sessions use. A message that is being stored is announced although its sender has
  // gone: hence shared.
  struct House {
    event::EventLoop& loop;
    Records& records;
    Fanout& fanout;
    Presence& presence;
    Answers& answers;
    Announcer& announcer;
    auth::TokenVerifier& tokens;
    const ChatLimits& limits;
    // The session is over: takes it out and frees it at the end of the turn.
    std::function<void(Session*)> on_over;
  };

  Session(std::shared_ptr<House> house, Identity identity, Person person);
  ~Session() override;
  // Once, after it stands in a shared_ptr.
  void Start(std::unique_ptr<server::Socket> socket);

  const Identity& identity() const { return identity_; }
  void Close(uint16_t code, std::string_view reason);

  // server::SocketEvents
  void OnMessage(std::string_view text) override;
  void OnClosed(uint16_t code) override;
  // Listener: of the user's topic
  void OnEvent(const EventRef& event) override;
  // FeedOwner
  const Person& person() const override { return person_; }
  void Tell(std::string_view text) override;
  void Tell(const server::Socket::Frame& frame) override;
  size_t unsent() const override;
  void OnJoined(Joined joined) override;
  void OnNotJoined(const std::string& room, const std::string& in_reply_to,
                   const Problem& problem) override;
  void OnFeedTooSlow() override;
  void OnFeedFailed() override;
  void OnRoomGone(const std::string& room) override;

 private:
  struct Room {
    std::unique_ptr<Feed> feed;
    bool present = false;  // counted among those who are there
    bool typing = false;   // was told last
    SteadyTime typing_told{};
  };
  enum class Sender : uint8_t { kPaced, kTooFast };
  Sender CountRefusal(bool refused);
  void Greet(const ClientMessage& message);
  void Do(ClientMessage message);
  void Join(RoomWish wish, const std::string& ref);
  // False: it was not joined.
  bool Leave(const std::string& room);
  void Say(ClientMessage message);
  void Edit(ClientMessage message);
  void Delete(ClientMessage message);
  void ShowTyping(const ClientMessage& message);
  void ShowHistory(ClientMessage message);
  void Cancel(const ClientMessage& message);
  void TakeToken(const ClientMessage& message);
  void Refuse(std::string_view ref, std::string_view room, const Problem& problem);
  // The refusal of `outcome`, or of the database; true: it was told.
  template <class T>
  bool Refused(const Result<T>& result, std::string_view ref, std::string_view room);
  void SetExpiry();
  void OnTime();
  Room* FindJoined(const std::string& room);

  const std::shared_ptr<House> house_;
  Identity identity_;
  Person person_;
  std::unique_ptr<server::Socket> socket_;
  std::unique_ptr<Fanout::Subscription> own_events_;
  std::unordered_map<std::string, Room> rooms_;
  Rate rate_;
  size_t refused_in_row_ = 0;
  bool greeted_ = false;
  bool over_ = false;
  event::Timer time_;  // for hello, then for the end of the token
};

}  // namespace framewall::backend::chat
