#include "backend/llm/prompt_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "backend/base/time.h"
#include "backend/llm/openai_chat.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/text.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Node;

constexpr std::string_view kKeyPrefix = "fw_";
constexpr size_t kKeyOctets = 43;  // behind it

bool IsKeyOctet(char c) { return IsAlpha(c) || IsDigit(c) || c == '-' || c == '_'; }

// Somebody pasted a key into a prompt.
std::string WithoutKeys(std::string text) {
  for (size_t at = 0; (at = text.find(kKeyPrefix, at)) != text.npos;) {
    const size_t begin = at + kKeyPrefix.size();
    size_t end = begin;
    while (end < text.size() && IsKeyOctet(text[end])) ++end;
    if (end - begin >= kKeyOctets) text.replace(begin, end - begin, "***");
    at = begin;
  }
  return text;
}

// Texts of a line, as far as they fit.
class Texts {
 public:
  explicit Texts(size_t room) : room_(room) {}
  void Append(std::string& to, std::string_view piece) {
    size_t size = std::min(piece.size(), room_);
    if (size < piece.size()) {
      cut_ = true;
      while (size > 0 && (static_cast<uint8_t>(piece[size]) & 0xc0) == 0x80) --size;
    }
    room_ = cut_ ? 0 : room_ - size;
    to += piece.substr(0, size);
  }
  Node Take(std::string_view text) {
    std::string taken;
    Append(taken, text);
    return WithoutKeys(std::move(taken));
  }
  bool cut() const { return cut_; }

 private:
  size_t room_;
  bool cut_ = false;
};

struct CallText {
  std::string name;
  std::string arguments;
};

Node TurnNode(const Turn& turn, Texts& texts) {
  Node node = Node::Object();
  node.Set("role", turn.role).Set("text", texts.Take(turn.text));
  if (!turn.images.empty()) node.Set("images", turn.images.size());
  if (!turn.tool_calls.empty()) {
    Node calls = Node::Array();
    for (const ToolCall& call : turn.tool_calls) {
      Node name = texts.Take(call.name);
      calls.Add(
          Node::Object().Set("name", std::move(name)).Set("arguments", texts.Take(call.arguments)));
    }
    node.Set("tool_calls", std::move(calls));
  }
  return node;
}

Node Head(const Payer& payer, const std::string& model) {
  Node line = Node::Object();
  line.Set("time", Rfc3339(UnixMilliseconds())).Set("user", payer.user);
  if (!payer.key.empty()) line.Set("key", payer.key);
  line.Set("model", model);
  return line;
}

class LoggedCompletion final : public Completion, private CompletionEvents {
 public:
  LoggedCompletion(PromptLog& log, const CompletionRequest& request, const StartLogged& start,
                   CompletionEvents* events)
      : log_(log),
        events_(events),
        line_(Head(request.payer, request.model)),
        said_(log.octets()),
        started_(CachedNow().steady),
        inner_(start(this)) {
    Texts asked(log.octets());
    // The last turns say most, should not all of them fit.
    std::vector<Node> nodes;
    for (size_t i = request.turns.size(); i-- > 0;) {
      nodes.push_back(TurnNode(request.turns[i], asked));
    }
    Node prompt = Node::Array();
    for (size_t i = nodes.size(); i-- > 0;) prompt.Add(std::move(nodes[i]));
    line_.Set("prompt", std::move(prompt));
    cut_ = asked.cut();
  }
  ~LoggedCompletion() override {
    inner_ = nullptr;
    Tell("gone", nullptr);
  }
  bool started() const { return inner_ != nullptr; }
  // It was never one.
  void Forget() { told_ = true; }

  void Pause() override { inner_->Pause(); }
  void Resume() override { inner_->Resume(); }

 private:
  void OnText(std::string_view piece) override {
    said_.Append(answer_, piece);
    events_->OnText(piece);
  }
  void OnReasoning(std::string_view piece) override {
    said_.Append(reasoning_, piece);
    events_->OnReasoning(piece);
  }
  void OnToolCall(const ToolCallPiece& piece) override {
    if (piece.index == calls_.size()) calls_.emplace_back();
    if (piece.index < calls_.size()) {
      said_.Append(calls_[piece.index].name, piece.name);
      said_.Append(calls_[piece.index].arguments, piece.arguments);
    }
    events_->OnToolCall(piece);
  }
  void OnEnd(FinishReason reason, const Usage& usage) override {
    Tell(FinishReasonName(reason), &usage);
    events_->OnEnd(reason, usage);
  }
  void OnError(const Problem& problem) override {
    Tell(problem.code, nullptr);
    events_->OnError(problem);
  }

  void Tell(std::string_view end, const Usage* usage) {
    if (std::exchange(told_, true)) return;
    line_.Set("answer", WithoutKeys(std::move(answer_)));
    if (!reasoning_.empty()) line_.Set("reasoning", WithoutKeys(std::move(reasoning_)));
    if (!calls_.empty()) {
      Node calls = Node::Array();
      for (CallText& call : calls_) {
        calls.Add(Node::Object()
                      .Set("name", call.name)
                      .Set("arguments", WithoutKeys(std::move(call.arguments))));
      }
      line_.Set("tool_calls", std::move(calls));
    }
    line_.Set("end", end);
    if (usage != nullptr) {
      line_.Set("prompt_tokens", usage->prompt_tokens);
      line_.Set("completion_tokens", usage->completion_tokens);
      line_.Set("estimated", usage->estimated);
    }
    const auto took = CachedNow().steady - started_;
    line_.Set("milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    if (cut_ || said_.cut()) line_.Set("cut", true);
    log_.Write(line_.Text() + "\n");
  }

  PromptLog& log_;
  CompletionEvents* const events_;
  Node line_;
  Texts said_;
  const SteadyTime started_;
  std::string answer_;
  std::string reasoning_;
  std::vector<CallText> calls_;
  bool cut_ = false;
  bool told_ = false;
  std::unique_ptr<Completion> inner_;
};

class EmbeddingLine {
 public:
  EmbeddingLine(PromptLog& log, const EmbeddingRequest& request)
      : log_(log), line_(Head(request.payer, request.model)) {
    Texts texts(log.octets());
    Node inputs = Node::Array();
    for (const std::string& input : request.inputs) inputs.Add(texts.Take(input));
    line_.Set("inputs", std::move(inputs));
    if (texts.cut()) line_.Set("cut", true);
  }
  ~EmbeddingLine() { Tell("gone"); }
  EmbeddingLine(const EmbeddingLine&) = delete;
  EmbeddingLine& operator=(const EmbeddingLine&) = delete;

  void Tell(std::string_view end) {
    if (std::exchange(told_, true)) return;
    line_.Set("end", end);
    log_.Write(line_.Text() + "\n");
  }

 private:
  PromptLog& log_;
  Node line_;
  bool told_ = false;
};

}  // namespace

Result<std::unique_ptr<PromptLog>> PromptLog::Open(std::string path, size_t octets) {
  std::unique_ptr<PromptLog> log(new PromptLog(std::move(path), octets));
  FW_TRY(log->Reopen());
  return log;
}

Status PromptLog::Reopen() {
  UniqueFd fresh(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fresh.valid()) {
    Error error = SystemError("llm.prompt_log: open() \"" + path_ + "\" failed", errno);
    error.source = ErrorSource::kOperator;
    return error;
  }
  file_ = std::move(fresh);
  return OkStatus();
}

void PromptLog::Write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(file_.get(), line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int reason = errno;
      MainLog().Write(LogLevel::kError, "llm.prompt_log: write() to \"" + path_ + "\" failed",
                      nullptr, reason);
      return;
    }
    line.remove_prefix(static_cast<size_t>(written));
  }
}

std::unique_ptr<Completion> CompleteLogged(PromptLog& log, const CompletionRequest& request,
                                           const StartLogged& start, CompletionEvents* events) {
  auto logged = std::make_unique<LoggedCompletion>(log, request, start, events);
  if (logged->started()) return logged;
  logged->Forget();
  return nullptr;
}

std::unique_ptr<Completion> EmbedLogged(PromptLog& log, const EmbeddingRequest& request,
                                        const StartLoggedEmbedding& start, EmbeddingDone done) {
  const auto line = std::make_shared<EmbeddingLine>(log, request);
  return start({[line, then = std::move(done.done)](Embeddings embeddings) {
                  line->Tell("stop");
                  then(std::move(embeddings));
                },
                [line, then = std::move(done.failed)](const Problem& problem) {
                  line->Tell(problem.code);
                  then(problem);
                }});
}

}  // namespace framewall::backend::llm
