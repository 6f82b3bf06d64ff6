// One room as one socket hears it: what was missed from the database first, what is new behind it,
// each message once and in the order of its number.
//
//   kOpening      subscribed already, so nothing that is committed from now on can be missed; the
//                 database is asked whether the user may be here. Events wait.
//   kCatchingUp   `joined` was told; pages of what was missed are read and told. Events wait.
//   kLive         events are told as they come. One with a number beyond the next: kCatchingUp.
//
// Numbers decide about messages: what is below the next one was told already. Pieces of an answer
// are compared with how much of its text was told.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "backend/chat/client_message.h"
#include "backend/chat/fanout.h"
#include "backend/chat/records.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::backend::chat {

// Answers that models are giving just now.
class LiveAnswers {
 public:
  virtual ~LiveAnswers() = default;
  // With the text that was told to the room already.
  virtual std::vector<AnswerSoFar> OfRoom(std::string_view room) const = 0;
};

// Makes of stored answers what they are at the moment: streaming, with the text so far.
void ShowAsLive(const LiveAnswers& answers, std::string_view room,
                std::vector<store::Message>& messages);

// The socket that the feed goes to.
class FeedOwner {
 public:
  virtual ~FeedOwner() = default;
  virtual const Person& person() const = 0;
  virtual void Tell(std::string_view text) = 0;
  virtual void Tell(const server::Socket::Frame& frame) = 0;
  // Octets that the peer has not taken yet.
  virtual size_t unsent() const = 0;
  // The feed has begun: `joined` is to be told now, by the owner, who knows who else is there.
  virtual void OnJoined(Joined joined) = 0;
  // It cannot begin. The feed may be destroyed with Retire.
  virtual void OnNotJoined(const std::string& room, const std::string& in_reply_to,
                           const Problem& problem) = 0;
  // More waits than the socket can be told: it has to go.
  virtual void OnFeedTooSlow() = 0;
  // The database did not say what was missed: so too.
  virtual void OnFeedFailed() = 0;
  // The room is gone. As for OnNotJoined.
  virtual void OnRoomGone(const std::string& room) = 0;
};

class Feed final : public Listener {
 public:
  static constexpr int64_t kMissedTold = 1000;  // messages; older ones are left to history
  static constexpr size_t kWaiting = 2000;      // events
  static constexpr size_t kUnsentPause = size_t{256} << 10;  // octets: reads no further page

  struct Needs {
    event::EventLoop& loop;
    Records& records;
    Fanout& fanout;
    const LiveAnswers& answers;
  };
  // All of `needs` and `owner` outlive it.
  Feed(const Needs& needs, FeedOwner& owner, RoomWish wish, std::string in_reply_to);
  ~Feed() override;

  // Nothing is told from now on; it may be destroyed later.
  void Stop();
  bool joined() const { return state_ != State::kOpening; }
  void OnEvent(const EventRef& event) override;

 private:
  enum class State : uint8_t { kOpening, kCatchingUp, kLive };
  template <class T>
  Records::Done<T> Guarded(void (Feed::*then)(Result<T>));
  void OnOpened(Result<Opened> opened);
  void ReadOn();
  void OnPage(Result<Page> page);
  void TellWaiting();
  // False: there is a gap before it.
  bool Deliver(const EventRef& event);
  void TellChanged(std::vector<store::Message> changed);

  const Needs needs_;
  FeedOwner& owner_;
  const RoomWish wish_;
  const std::string in_reply_to_;
  State state_ = State::kOpening;
  bool reading_ = false;
  int64_t next_ = 0;  // number of the message to be told next
  std::deque<EventRef> waiting_;
  // How much of an answer's text was told outside pieces, by number.
  std::map<int64_t, uint64_t> answers_told_;
  event::Timer pause_;
  std::shared_ptr<Feed*> alive_;
  std::unique_ptr<Fanout::Subscription> subscription_;
};

}  // namespace framewall::backend::chat
