#include "proxy/filter/password_checks.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/base/digest.h"
#include "proxy/filter/password.h"

namespace framewall::filter {
namespace {

class HashJob final : public event::WorkerThreads::Job {
 public:
  HashJob(std::string_view password, std::string_view stored)
      : password_(password), stored_(stored) {}
  ~HashJob() override { OPENSSL_cleanse(password_.data(), password_.size()); }
  void Run() override { outcome_ = CheckPassword(password_, stored_); }
  // Once it has run.
  PasswordOutcome outcome() const { return outcome_; }

 private:
  std::string password_;
  std::string stored_;
  PasswordOutcome outcome_ = PasswordOutcome::kUnusable;
};

PasswordAnswer AnswerOf(PasswordOutcome outcome, bool is_known) {
  if (!is_known) return PasswordAnswer::kDiffers;
  switch (outcome) {
    case PasswordOutcome::kFits:
      return PasswordAnswer::kFits;
    case PasswordOutcome::kDiffers:
      return PasswordAnswer::kDiffers;
    case PasswordOutcome::kUnusable:
      return PasswordAnswer::kUnusable;
  }
  return PasswordAnswer::kDiffers;
}

}  // namespace

// One question that a thread works on, and who waits for it.
struct PasswordChecks::Check {
  Digest digest{};
  std::shared_ptr<HashJob> job;
  std::unique_ptr<event::WorkerThreads::Ticket> ticket;
  std::unique_ptr<event::Timer> deadline;
  std::vector<Waiting*> waiting;
  bool is_known = true;
  bool remember = false;
};

class PasswordChecks::Waiting final : public Wait {
 public:
  Waiting(PasswordChecks& checks, std::shared_ptr<Check> check, Callback done)
      : checks_(checks), check_(std::move(check)), done_(std::move(done)) {
    check_->waiting.push_back(this);
  }
  ~Waiting() override {
    if (done_) checks_.Leave(*check_, this);
  }
  void Answer(PasswordAnswer answer) { std::exchange(done_, nullptr)(answer); }

 private:
  PasswordChecks& checks_;
  std::shared_ptr<Check> check_;
  Callback done_;
};

size_t PasswordChecks::DigestHash::operator()(const Digest& digest) const {
  size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

PasswordChecks::PasswordChecks(event::EventLoop& loop, PasswordLimits limits)
    : loop_(loop), limits_(limits), threads_(loop, limits.threads, limits.queue) {
  FillRandom(reinterpret_cast<char*>(key_.data()), key_.size());
}

PasswordChecks::~PasswordChecks() { OPENSSL_cleanse(key_.data(), key_.size()); }

PasswordChecks::Digest PasswordChecks::DigestOf(const PasswordQuestion& question) const {
  // Each with its length before it, so that nothing moves from one part to the next.
  std::string text;
  for (const std::string_view part : {question.user, question.password, question.stored}) {
    const uint64_t size = part.size();
    text.append(reinterpret_cast<const char*>(&size), sizeof size).append(part);
  }
  text += question.is_known ? '1' : '0';
  Digest digest{};
  unsigned size = 0;
  FW_CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                reinterpret_cast<unsigned char*>(digest.data()), &size) != nullptr);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

std::optional<PasswordAnswer> PasswordChecks::Ask(const PasswordQuestion& question, Callback done,
                                                  std::unique_ptr<Wait>* wait) {
  if (IsQuickToCheck(question.stored)) {
    const PasswordAnswer answer =
        AnswerOf(CheckPassword(question.password, question.stored), question.is_known);
    Count(answer == PasswordAnswer::kFits ? "right" : "wrong");
    return answer;
  }
  const Digest digest = DigestOf(question);
  if (question.remember.count() > 0 && IsRemembered(digest, question.remember)) {
    Count("remembered");
    return PasswordAnswer::kFits;
  }
  auto found = running_.find(digest);
  if (found == running_.end()) {
    auto check = std::make_shared<Check>();
    check->digest = digest;
    check->job = std::make_shared<HashJob>(question.password, question.stored);
    check->is_known = question.is_known;
    check->ticket = threads_.Submit(check->job, [this, digest] { OnChecked(digest); });
    if (check->ticket == nullptr) {
      Count("refused");
      return PasswordAnswer::kNoRoom;
    }
    check->deadline = std::make_unique<event::Timer>(loop_, [this, digest] { OnTooLate(digest); });
    check->deadline->Set(limits_.longest_wait);
    found = running_.emplace(digest, std::move(check)).first;
  }
  Check& check = *found->second;
  check.remember = check.remember || question.remember.count() > 0;
  *wait = std::make_unique<Waiting>(*this, found->second, std::move(done));
  return std::nullopt;
}

void PasswordChecks::OnChecked(const Digest& digest) {
  const Check& check = *running_.at(digest);
  const PasswordAnswer answer = AnswerOf(check.job->outcome(), check.is_known);
  if (answer == PasswordAnswer::kFits && check.remember) Remember(digest);
  Finish(digest, answer);
}

void PasswordChecks::OnTooLate(const Digest& digest) { Finish(digest, PasswordAnswer::kTooLate); }

// Whoever is called may ask again, and end his wait or another's.
void PasswordChecks::Finish(const Digest& digest, PasswordAnswer answer) {
  const auto found = running_.find(digest);
  // It may be its timer or its ticket that calls.
  const std::shared_ptr<Check> check = found->second;
  running_.erase(found);
  check->ticket.reset();
  while (!check->waiting.empty()) {
    Waiting* next = check->waiting.back();
    check->waiting.pop_back();
    Count(answer == PasswordAnswer::kFits      ? "right"
          : answer == PasswordAnswer::kTooLate ? "refused"
                                               : "wrong");
    next->Answer(answer);
  }
  loop_.Retire(check);
}

void PasswordChecks::Leave(Check& check, const Waiting* waiting) {
  std::erase(check.waiting, waiting);
  const auto found = running_.find(check.digest);
  // Not while it is finished, nor where the same is asked anew.
  if (!check.waiting.empty() || found == running_.end() || found->second.get() != &check) return;
  check.ticket.reset();
  loop_.Retire(found->second);
  running_.erase(found);
}

bool PasswordChecks::IsRemembered(const Digest& digest, Milliseconds time) {
  const auto found = remembered_.find(digest);
  return found != remembered_.end() && CachedNow().steady - found->second.since < time;
}

void PasswordChecks::Remember(const Digest& digest) {
  if (limits_.remembered == 0) return;
  if (const auto known = remembered_.find(digest); known != remembered_.end()) {
    oldest_first_.erase(known->second.place);
    remembered_.erase(known);
  }
  if (remembered_.size() >= limits_.remembered) {
    remembered_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  oldest_first_.push_back(digest);
  remembered_.emplace(digest, Remembered{CachedNow().steady, std::prev(oldest_first_.end())});
}

}  // namespace framewall::filter
