// Link: what is said on a connection: the greeting, commands, replies in order, stalls.
#include <algorithm>
#include <utility>

#include "proxy/redis/command_format.h"
#include "proxy/redis/link.h"

namespace framewall::redis {

// --- the greeting: one flight, ready when the last answer is there ---

void Link::Greet() {
  if (!greeting_.password.empty()) {
    if (greeting_.user.empty()) {
      SayStep(Step::kAuth, {"AUTH", greeting_.password});
    } else {
      SayStep(Step::kAuth, {"AUTH", greeting_.user, greeting_.password});
    }
  }
  if (!settings_.client_name.empty()) {
    SayStep(Step::kName, {"CLIENT", "SETNAME", settings_.client_name});
  }
  if (greeting_.database != 0) {
    SayStep(Step::kSelect, {"SELECT", std::to_string(greeting_.database)});
  }
  if (greeting_.must_be_master) SayStep(Step::kRole, {"ROLE"});
  // At least one answer, or a stalled server would look ready.
  if (steps_.empty()) SayStep(Step::kPing, {"PING"});
}

void Link::SayStep(Step step, std::initializer_list<std::string_view> words) {
  steps_.push_back(step);
  stream_->Write(FormatCommand(words));
}

void Link::OnGreetingReply(const Reply& reply) {
  const Step step = steps_.front();
  steps_.pop_front();
  const auto fail = [this](std::string why) {
    Lose(ErrorKind::kRefused, std::move(why), 0, Loss::kSuspect);
  };
  switch (step) {
    case Step::kAuth:
      if (reply.is_error()) return fail("AUTH failed: " + reply.text);
      break;
    case Step::kSelect:
      if (reply.is_error()) {
        return fail("SELECT " + std::to_string(greeting_.database) + " failed: " + reply.text);
      }
      break;
    case Step::kRole:
      if (!reply.is_array() || reply.elements.empty() || reply.elements[0].text != "master") {
        return fail(reply.is_error() ? "ROLE failed: " + reply.text : "it is not a master");
      }
      break;
    case Step::kName:
    case Step::kPing:
      // An ACL may forbid the name; only what makes every command fail is a reason.
      if (reply.error_code() == "NOAUTH" ||
          (reply.is_error() && step == Step::kPing && reply.error_code() != "NOPERM")) {
        return fail(reply.text);
      }
      break;
  }
  if (steps_.empty()) BecomeReady();
}

// --- commands out ---

void Link::Flush() {
  static const std::string asking = FormatCommand({"ASKING"});
  const SteadyTime now = std::chrono::steady_clock::now();  // a turn may have been long
  while (!unsent_.empty()) {
    RequestPtr request = std::move(unsent_.front());
    unsent_.pop_front();
    // Its owner has decided without us: it must not count there.
    if (request->over()) continue;
    if (request->asking) {
      stream_->Write(asking);
      sent_.push_back({nullptr, now});
    }
    stream_->Write(request->bytes);
    sent_.push_back({std::move(request), now});
  }
  WatchForStall();
}

// --- replies in ---

void Link::OnBytes(ByteView bytes) {
  ReplyReader* const reader = reader_.get();
  reader->Feed(bytes);
  // A reply may end this connection; its reader then lives until the end of the turn.
  while (reader_.get() == reader) {
    Result<std::optional<Reply>> next = reader->Next();
    if (!next.ok()) {
      Lose(next.error().kind, next.error().message, 0, Loss::kSuspect);
      return;
    }
    if (!next->has_value()) break;
    if (!steps_.empty()) {
      OnGreetingReply(**next);
    } else {
      TakeReply(std::move(**next));
    }
  }
  if (reader_.get() == reader) WatchForStall();
}

void Link::TakeReply(Reply reply) {
  if (sent_.empty()) {
    Lose(ErrorKind::kSyntax, "a reply that nobody asked for", 0, Loss::kSuspect);
    return;
  }
  const RequestPtr request = std::move(sent_.front().request);
  sent_.pop_front();
  ++answers_;
  back_off_.Reset();
  if (request == nullptr) return;
  if (request->sends_whole_script()) EndLoading(request->script);
  if (request->over()) {
    if (!request->internal) ++counters_.late;
    return;
  }
  owner_.OnReply(*this, request, std::move(reply));
}

bool Link::BeginLoading(const Script* script) {
  if (std::find(loading_.begin(), loading_.end(), script) != loading_.end()) return false;
  loading_.push_back(script);
  return true;
}

void Link::EndLoading(const Script* script) { std::erase(loading_, script); }

// --- stalls ---

SteadyTime Link::StallsAt() const {
  const Sent& oldest = sent_.front();
  auto deadline = settings_.deadline;
  // A command may have been given more time; our own questions are short.
  if (oldest.request != nullptr && !oldest.request->internal) {
    deadline = std::max(deadline, oldest.request->patience);
  }
  return oldest.at + deadline * settings_.stalled_after_deadlines;
}

void Link::WatchForStall() {
  if (sent_.empty()) {
    stall_timer_.Cancel();
    return;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(StallsAt() - std::chrono::steady_clock::now());
  stall_timer_.Set(std::max(left, std::chrono::milliseconds(1)));
}

void Link::OnStall() {
  if (state_ != State::kReady || sent_.empty()) return;
  const SteadyTime now = CachedNow().steady;
  // Replies may have moved the oldest.
  if (now < StallsAt()) {
    WatchForStall();
    return;
  }
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - sent_.front().at);
  Lose(ErrorKind::kTimeout,
       "no answer for " + std::to_string(waited.count()) + " ms, connection dropped", 0,
       Loss::kSuspect);
}

}  // namespace framewall::redis
