#include "backend/llm/answer_cache.h"

#include <algorithm>
#include <map>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/event/timer.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;

// What an entry costs besides its texts.
constexpr size_t kEntryOctets = 256;
// Of an answer; a longer one is not kept.
constexpr size_t kLongestKept = size_t{1024} * 1024;

// The same text for the same value: members by name, without white space.
void AppendCanonical(const json::Value& value, std::string& out) {
  if (value.kind() == Kind::kObject) {
    std::map<std::string_view, json::Value> members;
    json::MemberCursor at(value);
    while (const auto member = at.Next()) members.emplace(member->name, member->value);
    out += '{';
    for (const auto& [name, inner] : members) {
      out += json::Node(name).Text();
      out += ':';
      AppendCanonical(inner, out);
      out += ',';
    }
    out += '}';
  } else if (value.kind() == Kind::kArray) {
    out += '[';
    for (size_t i = 0; i < value.size(); ++i) {
      AppendCanonical(value.At(i), out);
      out += ',';
    }
    out += ']';
  } else {
    out += value.Text();
  }
}

// Lengths in front, so that no two lists of texts look the same.
void AppendText(std::string_view text, std::string& out) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

void AppendOwn(const CompletionRequest& request, std::string& out) {
  for (const Turn& turn : request.turns) {
    AppendText(turn.role, out);
    AppendText(turn.text, out);
    for (const std::string& image : turn.images) AppendText(image, out);
  }
  out += '|' + std::to_string(request.temperature.value_or(-1)) + '|' +
         std::to_string(request.top_p.value_or(-1)) + '|' +
         std::to_string(request.max_tokens.value_or(-1)) + '|' +
         std::to_string(request.seed.value_or(-1)) + '|';
  for (const std::string& stop : request.stop) AppendText(stop, out);
  AppendText(request.answer_format, out);
}

bool HasTools(const CompletionRequest& request) {
  return !request.tools.empty() ||
         std::any_of(request.turns.begin(), request.turns.end(), [](const Turn& turn) {
           return turn.role == "tool" || !turn.tool_calls.empty();
         });
}

class CachedCompletion final : public Completion {
 public:
  CachedCompletion(event::EventLoop& loop, std::shared_ptr<const AnswerCache::Answer> answer,
                   CompletionEvents* events)
      : answer_(std::move(answer)), events_(events), timer_(loop, [this] { Say(); }) {
    timer_.Set(std::chrono::milliseconds(0));
  }
  void Pause() override {
    if (pauses_++ == 0) timer_.Cancel();
  }
  void Resume() override {
    if (--pauses_ == 0 && !over_) timer_.Set(std::chrono::milliseconds(0));
  }

 private:
  // A few each turn: others want theirs too.
  void Say() {
    constexpr size_t kAtOnce = 64;
    for (size_t i = 0; i < kAtOnce && next_ < answer_->pieces.size() && pauses_ == 0; ++i) {
      events_->OnText(answer_->pieces[next_++]);
    }
    if (pauses_ > 0) return;
    if (next_ < answer_->pieces.size()) return timer_.Set(std::chrono::milliseconds(0));
    over_ = true;
    events_->OnEnd(FinishReason::kStop, answer_->usage);
  }

  const std::shared_ptr<const AnswerCache::Answer> answer_;
  CompletionEvents* const events_;
  size_t next_ = 0;
  int pauses_ = 0;
  bool over_ = false;
  event::Timer timer_;
};

class KeepingCompletion final : public Completion, private CompletionEvents {
 public:
  KeepingCompletion(AnswerCache& cache, std::string key, const StartCached& start,
                    CompletionEvents* events)
      : cache_(cache), key_(std::move(key)), events_(events), inner_(start(this)) {}

  void Pause() override { inner_->Pause(); }
  void Resume() override { inner_->Resume(); }

 private:
  void OnText(std::string_view piece) override {
    octets_ += piece.size();
    if (octets_ > kLongestKept) keeps_ = false;
    if (keeps_) answer_.pieces.emplace_back(piece);
    events_->OnText(piece);
  }
  // Neither can be replayed as it came.
  void OnReasoning(std::string_view piece) override {
    keeps_ = false;
    events_->OnReasoning(piece);
  }
  void OnToolCall(const ToolCallPiece& piece) override {
    keeps_ = false;
    events_->OnToolCall(piece);
  }
  void OnEnd(FinishReason reason, const Usage& usage) override {
    if (keeps_ && reason == FinishReason::kStop) {
      answer_.usage = usage;
      cache_.Keep(key_, std::move(answer_));
    }
    events_->OnEnd(reason, usage);
  }
  void OnError(const Problem& problem) override { events_->OnError(problem); }

  AnswerCache& cache_;
  const std::string key_;
  CompletionEvents* const events_;
  AnswerCache::Answer answer_;
  size_t octets_ = 0;
  bool keeps_ = true;
  const std::unique_ptr<Completion> inner_;
};

}  // namespace

std::string AnswerCache::KeyOf(const CompletionRequest& request) {
  const bool deterministic =
      request.seed.has_value() || (request.temperature.has_value() && *request.temperature == 0);
  if (!deterministic || HasTools(request)) return {};
  std::string text;
  AppendText(request.payer.user, text);
  AppendText(request.model, text);
  text += static_cast<char>('0' + static_cast<int>(request.dialect));
  AppendOwn(request, text);
  if (request.dialect != Dialect::kOwn) {
    // Members that only the provider knows count too.
    const auto body = json::Document::Parse(
        request.body,
        {.octets = size_t{64} * 1024 * 1024, .depth = 128, .values = size_t{1'000'000}});
    if (!body.ok() || body->root().kind() != Kind::kObject) return {};
    json::Node rest = json::Node::Object();
    json::MemberCursor at(body->root());
    while (const auto member = at.Next()) {
      if (member->name == "stream" || member->name == "stream_options") continue;
      rest.Set(member->name, json::Node::Copy(member->value));
    }
    AppendCanonical(rest.view(), text);
  }
  return Sha256(text);
}

std::shared_ptr<const AnswerCache::Answer> AnswerCache::Find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->answer;
}

void AnswerCache::Keep(const std::string& key, Answer answer) {
  size_t octets = kEntryOctets + 2 * key.size();
  for (const std::string& piece : answer.pieces) octets += sizeof(std::string) + piece.size();
  if (const auto old = by_key_.find(key); old != by_key_.end()) Drop(old->second);
  if (octets > limit_) return;
  while (octets_ + octets > limit_) Drop(std::prev(entries_.end()));
  entries_.push_front({key, std::make_shared<const Answer>(std::move(answer)), octets});
  by_key_[key] = entries_.begin();
  octets_ += octets;
}

void AnswerCache::Drop(std::list<Entry>::iterator entry) {
  octets_ -= entry->octets;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::unique_ptr<Completion> CompleteFromCache(event::EventLoop& loop,
                                              std::shared_ptr<const AnswerCache::Answer> answer,
                                              CompletionEvents* events) {
  return std::make_unique<CachedCompletion>(loop, std::move(answer), events);
}

std::unique_ptr<Completion> CompleteAndKeep(AnswerCache& cache, std::string key,
                                            const StartCached& start, CompletionEvents* events) {
  return std::make_unique<KeepingCompletion>(cache, std::move(key), start, events);
}

}  // namespace framewall::backend::llm
