#include "backend/auth/password_hasher.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <array>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

// A new salt with libxcrypt's own cost for yescrypt.
std::string NewSetting() {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  const std::string salt = RandomBytes(16);
  const char* made = crypt_gensalt_rn("$y$", 0, salt.data(), static_cast<int>(salt.size()),
                                      setting.data(), static_cast<int>(setting.size()));
  FW_CHECK(made != nullptr);
  return made;
}

// Empty where crypt(3) refuses, or would see only the beginning.
std::string Crypt(const std::string& password, const std::string& setting) {
  if (password.find('\0') != std::string::npos) return {};
  // 32 KiB, which crypt_r wants zeroed.
  const auto state = std::make_unique<crypt_data>();
  const char* hash = crypt_r(password.c_str(), setting.c_str(), state.get());
  std::string copy;
  if (hash != nullptr && hash[0] != '*') copy = hash;
  OPENSSL_cleanse(state.get(), sizeof(crypt_data));
  return copy;
}

}  // namespace

class PasswordHasher::Job final : public event::WorkerThreads::Job {
 public:
  // `stored`: empty to make a new hash.
  Job(std::string password, std::string stored)
      : password_(std::move(password)), stored_(std::move(stored)) {}
  ~Job() override { OPENSSL_cleanse(password_.data(), password_.size()); }

  void Run() override {
    hash_ = Crypt(password_, stored_.empty() ? NewSetting() : stored_);
    fits_ = !hash_.empty() && EqualsConstantTime(hash_, stored_);
  }
  const std::string& hash() const { return hash_; }
  bool fits() const { return fits_; }

 private:
  std::string password_;
  std::string stored_;
  std::string hash_;
  bool fits_ = false;
};

PasswordHasher::PasswordHasher(event::EventLoop& loop, size_t threads, size_t queue)
    : loop_(loop),
      threads_(loop, threads, queue),
      // 43 characters of hash behind the salt, as real ones have.
      nobodys_(NewSetting() + "$" + Base64UrlEncode(RandomBytes(32))) {}

PasswordHasher::~PasswordHasher() { Stop(); }

bool PasswordHasher::Hash(std::string password, OnHash done) {
  return Submit(std::make_shared<Job>(std::move(password), std::string()), [done = std::move(done)](
                                                                               const Job& job) {
    if (!job.hash().empty()) return done(job.hash());
    done(Error{ErrorKind::kOther, ErrorSource::kInternal, "crypt_r() makes no yescrypt hash", 0});
  });
}

bool PasswordHasher::Check(std::string password, std::string stored, OnChecked done) {
  if (stored.empty()) stored = nobodys_;
  return Submit(std::make_shared<Job>(std::move(password), std::move(stored)),
                [done = std::move(done)](const Job& job) { done(job.fits()); });
}

bool PasswordHasher::Submit(std::shared_ptr<Job> job, std::function<void(const Job&)> done) {
  const uint64_t number = ++last_;
  auto running = std::make_shared<Running>();
  running->job = job;
  running->done = std::move(done);
  running->ticket = threads_.Submit(std::move(job), [this, number] {
    const auto found = running_.find(number);
    const std::shared_ptr<Running> ended = found->second;
    running_.erase(found);
    // It is its ticket that calls.
    loop_.Retire(ended);
    ended->done(*ended->job);
    // What it holds may own us.
    ended->done = nullptr;
  });
  if (running->ticket == nullptr) return false;
  running_.emplace(number, std::move(running));
  return true;
}

void PasswordHasher::Stop() { running_.clear(); }

}  // namespace framewall::backend::auth
