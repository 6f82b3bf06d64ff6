#include "backend/chat/feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/base/clock.h"

namespace framewall::backend::chat {
namespace {

constexpr int64_t kPageMessages = 200;
constexpr std::chrono::milliseconds kUnsentWait{20};

Problem Busy() {
  return {.status = 503,
          .code = "busy",
          .detail = "The server has too much to do; try again.",
          .fields = {},
          .retry_after = 2};
}

}  // namespace

void ShowAsLive(const LiveAnswers& answers, std::string_view room,
                std::vector<store::Message>& messages) {
  for (AnswerSoFar& answer : answers.OfRoom(room)) {
    const auto at = std::find_if(
        messages.begin(), messages.end(),
        [&](const store::Message& message) { return message.number == answer.number; });
    if (at == messages.end()) continue;
    at->state = "streaming";
    at->text = std::move(answer.text);
  }
}

Feed::Feed(const Needs& needs, FeedOwner& owner, RoomWish wish, std::string in_reply_to)
    : needs_(needs),
      owner_(owner),
      wish_(std::move(wish)),
      in_reply_to_(std::move(in_reply_to)),
      pause_(needs.loop, [this] { ReadOn(); }),
      alive_(std::make_shared<Feed*>(this)),
      subscription_(needs.fanout.Subscribe(RoomTopic(wish_.room), this)) {
  needs_.records.Open(owner_.person().id, wish_, Guarded(&Feed::OnOpened));
}

Feed::~Feed() = default;

void Feed::Stop() {
  subscription_.reset();
  alive_.reset();
  pause_.Cancel();
  waiting_.clear();
}

template <class T>
Records::Done<T> Feed::Guarded(void (Feed::*then)(Result<T>)) {
  return [weak = std::weak_ptr<Feed*>(alive_), then](Result<T> result) {
    if (const auto feed = weak.lock()) ((*feed)->*then)(std::move(result));
  };
}

void Feed::OnOpened(Result<Opened> opened) {
  if (!opened.ok()) return owner_.OnNotJoined(wish_.room, in_reply_to_, Busy());
  if (opened->outcome == Outcome::kForbidden) {
    return owner_.OnNotJoined(wish_.room, in_reply_to_,
                              {.status = 403,
                               .code = "not_member",
                               .detail = "Become a member of this room first.",
                               .fields = {}});
  }
  if (opened->outcome != Outcome::kDone) {
    return owner_.OnNotJoined(wish_.room, in_reply_to_, NotFound());
  }
  const int64_t last = opened->last;
  // A client that knows more than there is has seen another database: it gets what is to come.
  const int64_t after = std::min(wish_.after.value_or(last), last);
  next_ = std::max(after, last - kMissedTold) + 1;
  state_ = State::kCatchingUp;

  Joined joined;
  joined.in_reply_to = in_reply_to_;
  joined.room = std::move(opened->room);
  joined.role = std::move(opened->role);
  joined.last = last;
  joined.from = next_;
  joined.answers = needs_.answers.OfRoom(wish_.room);
  // Those from `from` on come as messages.
  std::erase_if(joined.answers,
                [this](const AnswerSoFar& answer) { return answer.number >= next_; });
  joined.time = CachedNow().unix_milliseconds;
  for (const AnswerSoFar& answer : joined.answers) {
    answers_told_[answer.number] = answer.text.size();
  }
  owner_.OnJoined(std::move(joined));
  TellChanged(std::move(opened->changed));
  if (next_ <= last) return ReadOn();
  TellWaiting();
}

void Feed::TellChanged(std::vector<store::Message> changed) {
  const std::vector<AnswerSoFar> live = needs_.answers.OfRoom(wish_.room);
  for (const store::Message& message : changed) {
    const bool is_live = std::any_of(live.begin(), live.end(), [&](const AnswerSoFar& answer) {
      return answer.number == message.number;
    });
    if (is_live) continue;  // `joined` has it
    if (message.deleted != 0) {
      owner_.Tell(MessageText("deleted", message));
    } else if (message.role == "assistant") {
      owner_.Tell(AnswerEndText(message, std::nullopt, std::nullopt));
    } else {
      owner_.Tell(MessageText("edited", message));
    }
  }
}

void Feed::ReadOn() {
  if (reading_) return;
  if (owner_.unsent() > kUnsentPause) return pause_.Set(kUnsentWait);
  reading_ = true;
  needs_.records.Read(
      {.room = wish_.room, .after = next_ - 1, .before = {}, .limit = kPageMessages},
      Guarded(&Feed::OnPage));
}

void Feed::OnPage(Result<Page> page) {
  reading_ = false;
  // Nothing may be left out, and nothing can be told: the client comes back and asks again.
  if (!page.ok()) return owner_.OnFeedFailed();
  if (page->outcome != Outcome::kDone) return owner_.OnRoomGone(wish_.room);
  ShowAsLive(needs_.answers, wish_.room, page->messages);
  for (const store::Message& message : page->messages) {
    if (message.number < next_) continue;
    if (message.role == "assistant") answers_told_[message.number] = message.text.size();
    next_ = message.number + 1;
    owner_.Tell(MessageText("message", message));
  }
  if (page->more) return ReadOn();
  // What the database does not have was never there: the waiting events go on from theirs.
  if (page->messages.empty()) {
    for (const EventRef& event : waiting_) {
      if (event->kind != Event::Kind::kMessage || event->number < next_) continue;
      next_ = event->number;
      break;
    }
  }
  TellWaiting();
}

void Feed::OnEvent(const EventRef& event) {
  if (event->kind == Event::Kind::kRemoved) return owner_.OnRoomGone(wish_.room);
  if (state_ == State::kLive) {
    if (Deliver(event)) return;
    state_ = State::kCatchingUp;
    waiting_.push_back(event);
    return ReadOn();
  }
  if (waiting_.size() == kWaiting) return owner_.OnFeedTooSlow();
  waiting_.push_back(event);
}

void Feed::TellWaiting() {
  while (!waiting_.empty()) {
    const EventRef event = waiting_.front();
    if (!Deliver(event)) return ReadOn();
    if (!waiting_.empty()) waiting_.pop_front();
  }
  answers_told_.clear();
  state_ = State::kLive;
}

bool Feed::Deliver(const EventRef& event) {
  switch (event->kind) {
    case Event::Kind::kMessage:
      if (event->number > next_) return false;
      if (event->number < next_) return true;
      ++next_;
      break;
    case Event::Kind::kPiece: {
      if (state_ == State::kLive) break;
      const auto told = answers_told_.find(event->number);
      if (told != answers_told_.end() && event->offset < told->second) return true;
      break;
    }
    case Event::Kind::kPassing:
      if (!event->user.empty() && event->user == owner_.person().id) return true;
      break;
    case Event::Kind::kAnswerEnd:
    case Event::Kind::kChange:
    case Event::Kind::kRoom:
    case Event::Kind::kRemoved:
      break;
  }
  owner_.Tell(event->frame);
  return true;
}

}  // namespace framewall::backend::chat
