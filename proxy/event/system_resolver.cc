#include "proxy/event/system_resolver.h"

#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "proxy/base/unique_fd.h"
#include "proxy/event/resolver.h"
#include "proxy/event/tcp_stream.h"

namespace framewall::event {

// Both sides', the thread's and ours.
struct SystemQuery::Shared {
  std::mutex mutex;
  std::optional<Result<std::vector<IpAddress>>> answer;

  void Set(Result<std::vector<IpAddress>> result) {
    const std::lock_guard lock(mutex);
    answer.emplace(std::move(result));
  }
};

SystemQuery::SystemQuery(EventLoop& loop, const std::string& name, OnAnswer answer)
    : loop_(loop), answer_(std::move(answer)), shared_(std::make_shared<Shared>()) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    shared_->Set(SystemError("socketpair() failed", errno));
    loop_.Post([this, watch = std::weak_ptr<Shared>(shared_)] {
      if (!watch.expired()) Answer();
    });
    return;
  }
  bell_ = MakeTcpStream(loop_, ends[0], SocketAddress(), SocketAddress(), ErrorSource::kInternal);
  bell_->SetHandler(this);
  UniqueFd rope(ends[1]);  // closed where no thread takes it: the end comes at once
  // Signals are for the loop's thread.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([shared = shared_, name, fd = std::move(rope)]() mutable {
      shared->Set(ResolveBlocking(name));
      fd.Reset();
    }).detach();
  } catch (const std::system_error& error) {
    shared_->Set(SystemError("no thread to resolve \"" + name + "\"", error.code().value()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SystemQuery::~SystemQuery() = default;

void SystemQuery::Answer() {
  if (!answer_) return;
  const OnAnswer answer = std::exchange(answer_, nullptr);
  std::optional<Result<std::vector<IpAddress>>> result;
  {
    const std::lock_guard lock(shared_->mutex);
    result = std::move(shared_->answer);
  }
  if (!result.has_value()) result.emplace(SystemError("no answer", EAGAIN));
  answer(std::move(*result));
}

}  // namespace framewall::event
