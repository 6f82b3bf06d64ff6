#include "backend/chat/answers.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/event/timer.h"

namespace framewall::backend::chat {
namespace {

constexpr size_t kContextOctets = size_t{64} << 10;

Problem Of(int status, std::string code, std::string detail) {
  return {.status = status, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

// How much of `text` holds no unfinished code point at its end.
size_t WholeCharacters(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(4, text.size()); ++back) {
    const auto octet = static_cast<uint8_t>(text[text.size() - back]);
    if ((octet & 0xC0) == 0x80) continue;
    const size_t needs = octet < 0x80 ? 1 : octet < 0xE0 ? 2 : octet < 0xF0 ? 3 : 4;
    return back < needs ? text.size() - back : text.size();
  }
  return text.size();
}

// The last turns that fit, oldest first. In rooms a turn says who speaks.
std::vector<llm::Turn> TurnsOf(const store::Room& room,
                               const std::vector<store::Message>& context) {
  std::vector<llm::Turn> turns;
  size_t octets = 0;
  for (auto message = context.rbegin(); message != context.rend(); ++message) {
    if (message->text.empty()) continue;
    octets += message->text.size();
    if (octets > kContextOctets && !turns.empty()) break;
    llm::Turn turn;
    turn.role = message->role;
    if (room.kind == store::RoomKind::kRoom && message->author)
      turn.text = message->author->display_name + ": ";
    turn.text += message->text;
    turns.push_back(std::move(turn));
  }
  std::reverse(turns.begin(), turns.end());
  return turns;
}

}  // namespace

//   kGiving   the model speaks; what came goes out every piece_pause and to the disk every
//             save_pause
//   kStoring  it has ended, and its end is being stored; then answer_end is told
class Answers::Answer final : public llm::CompletionEvents {
 public:
  Answer(Answers& house, store::Room room, store::Message message, std::string asker)
      : house_(house),
        room_(std::move(room)),
        message_(std::move(message)),
        asker_(std::move(asker)),
        piece_(house.needs_.loop, [this] { TellPiece(); }),
        save_(house.needs_.loop, [this] { Save(); }),
        deadline_(house.needs_.loop, [this] {
          Finish("cut", std::nullopt,
                 Of(504, "answer_time", "The answer took too long and was cut."));
        }) {}

  void Start(const std::vector<store::Message>& context) {
    Publish(Event::Kind::kMessage, MessageText("message", message_));
    deadline_.Set(house_.needs_.limits.answer_time);
    save_.Set(house_.needs_.limits.save_pause);
    llm::CompletionRequest request;
    request.model = room_.assistant;
    request.turns = TurnsOf(room_, context);
    request.payer.user = asker_;
    completion_ = house_.needs_.models.Complete(request, this);
    if (completion_ != nullptr) return;
    Finish("failed", std::nullopt,
           Of(409, "no_assistant", "The model of this room is not offered any more."));
  }

  // llm::CompletionEvents
  void OnText(std::string_view piece) override {
    if (!giving_) return;
    const size_t room_left =
        house_.needs_.limits.answer_octets - message_.text.size() - waiting_.size();
    waiting_ += piece.substr(0, room_left);
    if (piece.size() > room_left) {
      return Finish("cut", std::nullopt,
                    Of(413, "answer_size", "The answer was too long and was cut."));
    }
    if (!piece_.active()) piece_.Set(house_.needs_.limits.piece_pause);
  }
  void OnEnd(llm::FinishReason reason, const llm::Usage& usage) override {
    const bool whole =
        reason == llm::FinishReason::kStop || reason == llm::FinishReason::kToolCalls;
    Finish(whole ? "whole" : "cut", usage, std::nullopt);
  }
  void OnError(const Problem& problem) override { Finish("failed", std::nullopt, problem); }

  void Cut() { Finish("cut", std::nullopt, std::nullopt); }
  // Its message is deleted: no word more of it.
  void Forget() {
    forgotten_ = true;
    if (!giving_) return;
    StopGiving();
    house_.Over(this);
  }

  bool giving() const { return giving_; }
  const store::Room& room() const { return room_; }
  const store::Message& message() const { return message_; }
  const std::string& asker() const { return asker_; }

 private:
  void Publish(Event::Kind kind, std::string text, uint64_t offset = 0) {
    Event event;
    event.kind = kind;
    event.room = room_.id;
    event.number = message_.number;
    event.offset = offset;
    event.text = std::move(text);
    house_.needs_.fanout.Publish(RoomTopic(room_.id), std::move(event));
  }

  void TellPiece() {
    const size_t whole = WholeCharacters(waiting_);
    if (whole == 0) return;
    const std::string piece = waiting_.substr(0, whole);
    waiting_.erase(0, whole);
    const uint64_t offset = message_.text.size();
    message_.text += piece;
    Publish(Event::Kind::kPiece, AnswerPieceText(message_, piece), offset);
  }

  void Save() {
    if (message_.text.size() != saved_) {
      saved_ = message_.text.size();
      house_.needs_.records.SaveAnswer(message_.id, message_.text, "cut", [](Result<bool> saved) {
        if (saved.ok()) return;
        MainLog().Write(LogLevel::kError,
                        "chat: an answer under way was not saved: " + saved.error().message);
      });
    }
    save_.Set(house_.needs_.limits.save_pause);
  }

  void StopGiving() {
    giving_ = false;
    piece_.Cancel();
    save_.Cancel();
    deadline_.Cancel();
    // It may be the one that is calling.
    house_.needs_.loop.Retire(std::move(completion_));
  }

  void Finish(std::string state, std::optional<llm::Usage> usage, std::optional<Problem> problem) {
    if (!giving_) return;
    StopGiving();
    TellPiece();
    message_.state = std::move(state);
    house_.needs_.records.SaveAnswer(
        message_.id, message_.text, message_.state,
        [this, house = std::weak_ptr(house_.alive_), usage,
         problem = std::move(problem)](Result<bool> saved) {
          // It lives as long as the house.
          if (house.expired()) return;
          if (!saved.ok()) {
            MainLog().Write(LogLevel::kError,
                            "chat: an answer was not stored: " + saved.error().message);
            message_.state = "failed";
          }
          if (!forgotten_) {
            Publish(Event::Kind::kAnswerEnd, AnswerEndText(message_, usage, problem));
          }
          house_.Over(this);
        });
  }

  Answers& house_;
  const store::Room room_;
  store::Message message_;  // `text` is what was told
  const std::string asker_;
  std::string waiting_;  // not told yet
  size_t saved_ = 0;
  bool giving_ = true;
  bool forgotten_ = false;
  std::unique_ptr<llm::Completion> completion_;
  event::Timer piece_;
  event::Timer save_;
  event::Timer deadline_;
};

Answers::Answers(const Needs& needs) : needs_(needs), alive_(std::make_shared<Answers*>(this)) {}
Answers::~Answers() = default;

std::optional<Problem> Answers::OnMessage(const store::Room& room, const store::Message& message) {
  if (room.assistant.empty() || message.role != "user" || !message.author) return std::nullopt;
  if (room.kind == store::RoomKind::kRoom && !AddressesAssistant(message.text, room.assistant)) {
    return std::nullopt;
  }
  const std::string asker = message.author->id;
  if (needs_.models.Find(room.assistant) == nullptr) {
    return Of(409, "no_assistant", "The model of this room is not offered any more.");
  }
  size_t& under_way = by_user_[asker];
  if (under_way >= needs_.limits.answers_per_user) {
    return Of(429, "too_many_answers",
              "At most " + std::to_string(needs_.limits.answers_per_user) +
                  " answers at a time; wait for one to end.");
  }
  ++under_way;
  needs_.records.BeginAnswer(
      room.id, asker, room.assistant, needs_.limits.context_messages,
      [this, house = std::weak_ptr(alive_), room, asker](Result<Begun> begun) {
        if (house.expired()) return;
        if (begun.ok() && begun->outcome == Outcome::kDone) {
          return Begin(std::move(begun).value(), room, asker);
        }
        Release(asker);
        if (begun.ok()) return;  // the room is gone
        Event event;
        event.kind = Event::Kind::kPassing;
        event.room = room.id;
        event.text = ErrorText({}, room.id, Of(503, "busy", "The assistant could not begin."));
        needs_.fanout.Publish(UserTopic(asker), std::move(event));
      });
  return std::nullopt;
}

void Answers::Begin(Begun begun, store::Room room, const std::string& asker) {
  begun.message.state = "streaming";
  begun.message.text.clear();
  auto answer = std::make_unique<Answer>(*this, std::move(room), std::move(begun.message), asker);
  Answer* const raw = answer.get();
  answers_.emplace(raw, std::move(answer));
  raw->Start(begun.context);
}

void Answers::Over(Answer* answer) {
  const auto at = answers_.find(answer);
  if (at == answers_.end()) return;
  Release(answer->asker());
  needs_.loop.Retire(std::move(at->second));
  answers_.erase(at);
}

void Answers::Release(const std::string& user) {
  const auto at = by_user_.find(user);
  if (at != by_user_.end() && --at->second == 0) by_user_.erase(at);
}

std::vector<AnswerSoFar> Answers::OfRoom(std::string_view room) const {
  std::vector<AnswerSoFar> live;
  for (const auto& [answer, owned] : answers_) {
    if (answer->room().id != room) continue;
    const store::Message& message = answer->message();
    live.push_back({.number = message.number, .id = message.id, .text = message.text});
  }
  std::sort(live.begin(), live.end(),
            [](const AnswerSoFar& a, const AnswerSoFar& b) { return a.number < b.number; });
  return live;
}

Written Answers::Cancel(std::string_view room, int64_t number, std::string_view user) {
  for (const auto& [answer, owned] : answers_) {
    if (answer->room().id != room || answer->message().number != number) continue;
    if (answer->asker() != user && answer->room().owner != user) {
      return {.outcome = Outcome::kForbidden, .message = {}, .room = {}};
    }
    answer->Cut();
    return {.outcome = Outcome::kDone, .message = answer->message(), .room = answer->room()};
  }
  return {.outcome = Outcome::kNotFound, .message = {}, .room = {}};
}

void Answers::OnMessageDeleted(const store::Message& message) {
  for (const auto& [answer, owned] : answers_) {
    if (answer->room().id != message.room || answer->message().number != message.number) continue;
    return answer->Forget();
  }
}

void Answers::OnRoomGone(std::string_view room) {
  std::vector<Answer*> gone;
  for (const auto& [answer, owned] : answers_) {
    if (answer->room().id == room) gone.push_back(answer);
  }
  for (Answer* const answer : gone) answer->Cut();
}

void Answers::CutAll() {
  std::vector<Answer*> all;
  for (const auto& [answer, owned] : answers_) all.push_back(answer);
  for (Answer* const answer : all) answer->Cut();
}

}  // namespace framewall::backend::chat
