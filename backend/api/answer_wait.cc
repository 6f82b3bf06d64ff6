#include "backend/api/answer_wait.h"

#include <optional>
#include <string_view>

#include "backend/api/nodes.h"
#include "backend/base/problem.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

std::string_view TextOf(json::Value object, std::string_view name) {
  const std::optional<json::Value> value = object.Find(name);
  return value && value->kind() == json::Kind::kString ? value->AsString() : std::string_view();
}

json::Node NodeOf(const store::Message& message) {
  const auto document = json::Document::Parse(MessageText(message));
  return document.ok() ? json::Node::Copy(document->root()) : json::Node::Object();
}

// What the chat's messages have beside those of the API.
bool IsOfTheChat(std::string_view member) {
  return member == "type" || member == "usage" || member == "problem";
}

Problem RoomIsGone() {
  return {.status = 410, .code = "gone", .detail = "The room is gone.", .fields = {}};
}

}  // namespace

class AnswerWaits::Wait final : public chat::Listener,
                                public std::enable_shared_from_this<AnswerWaits::Wait> {
 public:
  Wait(AnswerWaits& waits, server::CallRef call, const store::Message& message)
      : waits_(waits),
        call_(std::move(call)),
        key_(message.room, call_->identity().user),
        asked_(message.number),
        node_(NodeOf(message)) {}

  void Listen() {
    subscription_ = waits_.fanout_.Subscribe(chat::RoomTopic(key_.first), this);
    call_->OnGone([weak = weak_from_this()] {
      if (const auto wait = weak.lock()) wait->waits_.Over(wait->key_);
    });
  }

  void OnEvent(const chat::EventRef& event) override {
    using Kind = chat::Event::Kind;
    if (event->kind == Kind::kRemoved) return Fail(RoomIsGone());
    if (event->kind == Kind::kMessage && answer_ == 0 && event->number > asked_) {
      if (IsOurs(*event)) answer_ = event->number;
    } else if (event->kind == Kind::kAnswerEnd && answer_ != 0 && event->number == answer_) {
      End(*event);
    }
  }

  void Fail(const Problem& problem) {
    const auto problem_text = json::Document::Parse(ProblemText(problem));
    if (problem_text.ok()) node_.Set("problem", json::Node::Copy(problem_text->root()));
    Answer();
  }

 private:
  bool IsOurs(const chat::Event& event) const {
    const auto document = json::Document::Parse(event.text);
    if (!document.ok() || TextOf(document->root(), "role") != "assistant") return false;
    const std::optional<json::Value> asked_by = document->root().Find("asked_by");
    return asked_by && TextOf(*asked_by, "id") == key_.second;
  }

  void End(const chat::Event& event) {
    const auto document = json::Document::Parse(event.text);
    if (!document.ok()) return Answer();
    json::Node answer = json::Node::Object();
    json::MemberCursor cursor(document->root());
    while (const std::optional<json::Member> member = cursor.Next()) {
      if (!IsOfTheChat(member->name)) answer.Set(member->name, json::Node::Copy(member->value));
    }
    node_.Set("answer", std::move(answer));
    if (const auto problem = document->root().Find("problem")) {
      node_.Set("problem", json::Node::Copy(*problem));
    }
    Answer();
  }

  void Answer() {
    const auto self = shared_from_this();
    waits_.Over(key_);
    server::Reply reply{.status = 201, .body = node_.Text()};
    reply.fields.emplace_back("location",
                              std::string(call_->path()) + "/" + std::to_string(asked_));
    call_->Answer(std::move(reply));
  }

  AnswerWaits& waits_;
  const server::CallRef call_;
  const Key key_;
  const int64_t asked_;  // the number of the question
  int64_t answer_ = 0;   // that of the answer, once it has begun
  json::Node node_;
  std::unique_ptr<chat::Fanout::Subscription> subscription_;
};

AnswerWaits::~AnswerWaits() = default;

void AnswerWaits::Begin(const server::CallRef& call, const store::Message& message) {
  const auto wait = std::make_shared<Wait>(*this, call, message);
  waits_[{message.room, call->identity().user}] = wait;
  wait->Listen();
}

void AnswerWaits::Fail(const std::string& room, const std::string& user, const Problem& problem) {
  const auto found = waits_.find({room, user});
  if (found == waits_.end()) return;
  const std::shared_ptr<Wait> wait = found->second;
  wait->Fail(problem);
}

void AnswerWaits::Over(const Key& key) { waits_.erase(Key(key)); }

}  // namespace framewall::backend::api
