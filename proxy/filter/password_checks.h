// A worker's password checks: slow hashes in threads, the same question asked once however many
// wait for it, and right passwords remembered for a short time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/clock.h"
#include "proxy/base/parse.h"
#include "proxy/event/timer.h"
#include "proxy/event/worker_threads.h"
#include "proxy/filter/password_file.h"

namespace framewall::filter {

struct PasswordLimits {
  size_t threads = 2;
  size_t queue = 64;                  // checks that wait for a thread
  Milliseconds longest_wait{30'000};  // in the queue and in the thread
  size_t remembered = 4096;           // right passwords
};

struct PasswordQuestion {
  std::string_view user;
  std::string_view password;  // at most kLongestPassword octets
  std::string_view stored;    // his hash, or the file's typical one where he is not in the file
  bool is_known = true;       // false: it is hashed for the time that it takes, and does not fit
  Milliseconds remember{0};   // a right password for so long; 0: no memory
};

enum class PasswordAnswer : uint8_t {
  kFits,
  kDiffers,
  kUnusable,  // what is stored is no hash
  kNoRoom,    // too many checks wait
  kTooLate,   // this one has waited too long
};

class PasswordChecks {
 public:
  // Ends a wait; destroyed before the answer has come, nobody is called.
  class Wait {
   public:
    virtual ~Wait() = default;
  };
  using Callback = std::function<void(PasswordAnswer)>;

  explicit PasswordChecks(event::EventLoop& loop, PasswordLimits limits = {});
  ~PasswordChecks();

  // The answer where it is at hand; else nothing, and `done` is called from the loop, unless `wait`
  // goes before. `done` may destroy its `wait`.
  std::optional<PasswordAnswer> Ask(const PasswordQuestion& question, Callback done,
                                    std::unique_ptr<Wait>* wait);

  PasswordFiles& files() { return files_; }

  // Counted: "right", "wrong", "remembered", "refused".
  std::function<void(std::string_view)> count;

 private:
  // HMAC-SHA-256 of user, password and entry, under a key of this process: what the table holds
  // says nothing of a password, and an entry that changes takes its passwords with it.
  using Digest = std::array<char, 32>;
  struct DigestHash {
    size_t operator()(const Digest& digest) const;
  };
  struct Check;
  class Waiting;
  struct Remembered {
    SteadyTime since;
    std::list<Digest>::iterator place;
  };

  Digest DigestOf(const PasswordQuestion& question) const;
  bool IsRemembered(const Digest& digest, Milliseconds time);
  void Remember(const Digest& digest);
  void Count(std::string_view outcome) const {
    if (count) count(outcome);
  }
  void OnChecked(const Digest& digest);
  void OnTooLate(const Digest& digest);
  void Finish(const Digest& digest, PasswordAnswer answer);
  void Leave(Check& check, const Waiting* waiting);

  event::EventLoop& loop_;
  const PasswordLimits limits_;
  std::array<unsigned char, 32> key_{};
  PasswordFiles files_;
  std::unordered_map<Digest, std::shared_ptr<Check>, DigestHash> running_;
  std::unordered_map<Digest, Remembered, DigestHash> remembered_;
  std::list<Digest> oldest_first_;
  event::WorkerThreads threads_;
};

}  // namespace framewall::filter
