// The assistant: answers that models give to messages of rooms, piece by piece. An answer belongs
// to its room: it goes on whoever leaves, and is stored as cut until it has ended.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/chat/announcer.h"
#include "backend/chat/feed.h"
#include "backend/chat/limits.h"
#include "backend/chat/records.h"
#include "backend/llm/provider.h"
#include "proxy/event/loop.h"

namespace framewall::backend::chat {

// Does the text address the assistant: "@assistant" or "@MODEL" in any case, as a word of its own?
bool AddressesAssistant(std::string_view text, std::string_view model);

class Answers final : public AnswerGiver, public LiveAnswers {
 public:
  struct Needs {
    event::EventLoop& loop;
    Records& records;
    Fanout& fanout;
    llm::Models& models;
    const ChatLimits& limits;
  };
  // All of `needs` outlive it.
  explicit Answers(const Needs& needs);
  // What is under way stays stored as cut, with what was saved of it.
  ~Answers() override;

  std::optional<Problem> OnMessage(const store::Room& room, const store::Message& message) override;
  void OnMessageDeleted(const store::Message& message) override;
  void OnRoomGone(std::string_view room) override;
  std::vector<AnswerSoFar> OfRoom(std::string_view room) const override;

  // For who asked and for the room's owner. The answer's message with kDone.
  Written Cancel(std::string_view room, int64_t number, std::string_view user);
  // Ends all answers as cut, and saves them; for the end of the program.
  void CutAll();
  // Answers under way, those included whose end is being stored.
  size_t count() const { return answers_.size(); }

 private:
  class Answer;
  void Begin(Begun begun, store::Room room, const std::string& asker);
  void Over(Answer* answer);
  void Release(const std::string& user);

  const Needs needs_;
  std::map<Answer*, std::unique_ptr<Answer>> answers_;
  std::unordered_map<std::string, size_t> by_user_;  // answers and those that are about to begin
  std::shared_ptr<Answers*> alive_;
};

}  // namespace framewall::backend::chat
