// A command on its way: its octets, who waits for the answer, and until when.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/redis/reply.h"
#include "proxy/redis/script.h"

namespace framewall::redis {

class Deadlines;
class Request;
using RequestPtr = std::shared_ptr<Request>;

// Shared by its owner's Pending, the deadlines and the connection that must match its reply. Over
// once `on_reply` is empty: what still comes for it is dropped.
class Request {
 public:
  using OnReply = std::function<void(Result<Reply>)>;

  bool over() const { return on_reply == nullptr; }
  // From EVALSHA to EVAL: for a server that does not know the script. Once.
  void SendWholeScript();
  bool sends_whole_script() const { return sends_whole_script_; }

  std::string bytes;  // as sent
  // EVALSHA: its script, else null; how many words, and where in `bytes` the arguments begin.
  const Script* script = nullptr;
  size_t words = 0;
  size_t arguments_at = 0;

  OnReply on_reply;
  std::chrono::milliseconds patience{};
  SteadyTime deadline{};
  Deadlines* deadlines = nullptr;  // where it is counted, as long as it is
  std::list<RequestPtr>::iterator place;

  int slot = -1;                // of its key
  int detours = 0;              // redirected or sent again
  bool unknown_before = false;  // NOSCRIPT was answered already
  bool asking = false;          // ASKING goes before it
  bool internal = false;        // of the client itself: not counted
  bool is_trial = false;        // the breaker's
  bool is_rejected = false;     // nobody was asked

 private:
  bool sends_whole_script_ = false;
};

// A request of `name` with one key; `key` has its prefix.
RequestPtr MakeRequest(std::string_view name, std::string_view key,
                       std::span<const std::string_view> arguments);
RequestPtr MakeRequest(const Script& script, std::string_view key,
                       std::span<const std::string_view> arguments);
// Words as they are, for the client itself.
RequestPtr MakeInternalRequest(std::initializer_list<std::string_view> words,
                               Request::OnReply on_reply);

}  // namespace framewall::redis
