#include "proxy/process/listen_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "proxy/base/log.h"
#include "proxy/base/parse.h"

namespace framewall::process {

// The descriptor, shared by the cycles that have it.
struct ListenSockets::Socket {
  UniqueFd fd;
  SocketAddress address;
  // As the kernel has them.
  bool deferred = false;
  int backlog = -1;
  bool unlink_file = true;  // of a Unix socket, with the last cycle that has it

  ~Socket() {
    if (!fd.valid() || !address.is_unix() || !unlink_file) return;
    const std::string path = address.unix_path();
    if (path.empty() || path[0] == '@') return;
    if (::unlink(path.c_str()) != 0) {
      MainLog().Write(LogLevel::kEmerg, "unlink() " + path + " failed", nullptr, errno);
    }
  }
};

// What it is to one cycle.
struct ListenSockets::Entry {
  std::shared_ptr<Socket> socket;
  bool reuseport = false;
  int index = 0;  // among those of its address: whose it is with reuseport
};

ListenSockets::ListenSockets() = default;
ListenSockets::~ListenSockets() = default;

namespace {

constexpr int kDefaultBacklog = 511;
constexpr int kTries = 5;
constexpr std::chrono::milliseconds kTryAgainAfter{500};

enum class Opened { kYes, kInUse, kFailed };

int BacklogOf(const config::ListenConfig& options) {
  return options.backlog < 0 ? kDefaultBacklog : options.backlog;
}

bool IsWildcard(const SocketAddress& address) {
  if (address.is_unix()) return false;
  const IpAddress ip = address.ip();
  return std::all_of(ip.bytes().begin(), ip.bytes().end(), [](char c) { return c == '\0'; });
}

// Failures of options are complaints: the socket serves without them.
void SetOption(int fd, int level, int option, int value, const std::string& name,
               const SocketAddress& address) {
  if (::setsockopt(fd, level, option, &value, sizeof(value)) != 0) {
    const int reason = errno;
    MainLog().Write(LogLevel::kAlert,
                    "setsockopt(" + name + ") " + address.ToText() + " failed, ignored", nullptr,
                    reason);
  }
}

void Configure(int fd, const SocketAddress& address, const config::ListenConfig& options) {
  const auto set = [&](int level, int option, int value, const std::string& name) {
    SetOption(fd, level, option, value, name, address);
  };
  if (options.receive_buffer > 0) set(SOL_SOCKET, SO_RCVBUF, options.receive_buffer, "SO_RCVBUF");
  if (options.send_buffer > 0) set(SOL_SOCKET, SO_SNDBUF, options.send_buffer, "SO_SNDBUF");
  if (options.keepalive) set(SOL_SOCKET, SO_KEEPALIVE, *options.keepalive ? 1 : 0, "SO_KEEPALIVE");
  if (address.is_unix()) return;
  // Accepted sockets inherit it, which saves a call for each of them.
  set(IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  if (options.keepalive_idle > 0) {
    set(IPPROTO_TCP, TCP_KEEPIDLE, options.keepalive_idle, "TCP_KEEPIDLE");
  }
  if (options.keepalive_interval > 0) {
    set(IPPROTO_TCP, TCP_KEEPINTVL, options.keepalive_interval, "TCP_KEEPINTVL");
  }
  if (options.keepalive_count > 0) {
    set(IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count, "TCP_KEEPCNT");
  }
  if (options.fastopen >= 0) set(IPPROTO_TCP, TCP_FASTOPEN, options.fastopen, "TCP_FASTOPEN");
}

// Logs as nginx does; `quiet_in_use`: -t, where the server that runs has the address.
Opened Failed(const std::string& what, int reason, bool quiet_in_use = false) {
  if (reason != EADDRINUSE || !quiet_in_use) {
    MainLog().Write(LogLevel::kEmerg, what + " failed", nullptr, reason);
  }
  return reason == EADDRINUSE ? Opened::kInUse : Opened::kFailed;
}

Opened OpenOne(const config::ListenConfig& options, bool test, UniqueFd* result) {
  const SocketAddress& address = options.address;
  const std::string text = address.ToText();
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Failed("socket() " + text, errno);
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
    return Failed("setsockopt(SO_REUSEADDR) " + text, errno);
  }
  if (options.reuseport && !test &&
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
    return Failed("setsockopt(SO_REUSEPORT) " + text, errno);
  }
  if (address.family() == AF_INET6) {
    const int only = options.ipv6only.value_or(true) ? 1 : 0;
    SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, only, "IPV6_V6ONLY", address);
  }
  if (::bind(fd.get(), address.get(), address.length()) != 0) {
    return Failed("bind() to " + text, errno, test);
  }
  const std::string path = address.unix_path();
  if (address.is_unix() && path[0] != '@' && ::chmod(path.c_str(), 0666) != 0) {
    MainLog().Write(LogLevel::kEmerg, "chmod() \"" + path + "\" failed", nullptr, errno);
  }
  Configure(fd.get(), address, options);
  if (::listen(fd.get(), BacklogOf(options)) != 0) {
    const int reason = errno;
    if (address.is_unix() && path[0] != '@') ::unlink(path.c_str());
    return Failed("listen() to " + text + ", backlog " + std::to_string(BacklogOf(options)), reason,
                  test);
  }
  *result = std::move(fd);
  return Opened::kYes;
}

// Wakes workers only when the first octets are there (listen ... deferred).
void SetDeferred(int fd, const config::ListenConfig& options, bool was_deferred) {
  if (options.address.is_unix() || options.deferred == was_deferred) return;
  SetOption(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.deferred ? 1 : 0, "TCP_DEFER_ACCEPT",
            options.address);
}

}  // namespace

std::vector<config::ListenConfig> AddressesToBind(const config::HttpConfig& http) {
  std::vector<config::ListenConfig> all;
  for (const auto& server : http.servers) {
    for (const config::ListenConfig& listen : server->listens) {
      const auto same = std::find_if(all.begin(), all.end(), [&listen](const auto& other) {
        return other.address == listen.address;
      });
      if (same == all.end()) {
        all.push_back(listen);
      } else if (listen.has_socket_options && !same->has_socket_options) {
        *same = listen;
      }
    }
  }
  std::vector<config::ListenConfig> bound;
  for (const config::ListenConfig& listen : all) {
    const bool covered = std::any_of(all.begin(), all.end(), [&listen](const auto& other) {
      return other.address.family() == listen.address.family() && IsWildcard(other.address) &&
             other.address.port() == listen.address.port();
    });
    const bool own = listen.bind || listen.has_socket_options || IsWildcard(listen.address);
    if (own || !covered) bound.push_back(listen);
  }
  return bound;
}

Result<std::unique_ptr<ListenSockets>> ListenSockets::Open(const config::HttpConfig& http,
                                                           int workers,
                                                           const ListenSockets* previous,
                                                           Mode mode) {
  const bool test = mode == Mode::kTest;
  auto sockets = std::make_unique<ListenSockets>();
  struct Missing {
    config::ListenConfig options;
    int index;
  };
  std::vector<Missing> missing;
  for (const config::ListenConfig& options : AddressesToBind(http)) {
    int have = 0;
    if (previous != nullptr) {
      for (const Entry& old : previous->entries_) {
        if (!(old.socket->address == options.address)) continue;
        sockets->Keep(old, options, have++);
      }
    }
    const int wanted = options.reuseport && !test ? workers : 1;
    for (; have < wanted; ++have) missing.push_back({options, have});
  }

  for (int attempt = 1; attempt <= kTries; ++attempt) {
    std::vector<Missing> in_use;
    for (Missing& wanted : missing) {
      UniqueFd fd;
      const Opened opened = OpenOne(wanted.options, test, &fd);
      if (opened == Opened::kFailed) return OperatorError("could not open listening sockets");
      if (opened == Opened::kInUse) {
        in_use.push_back(std::move(wanted));
        continue;
      }
      SetDeferred(fd.get(), wanted.options, false);
      auto socket = std::make_shared<Socket>();
      socket->fd = std::move(fd);
      socket->address = wanted.options.address;
      socket->deferred = wanted.options.deferred;
      socket->backlog = BacklogOf(wanted.options);
      sockets->entries_.push_back({std::move(socket), wanted.options.reuseport, wanted.index});
    }
    if (in_use.empty() || test) return sockets;
    missing = std::move(in_use);
    MainLog().Write(LogLevel::kNotice, "try again to bind() after 500ms");
    std::this_thread::sleep_for(kTryAgainAfter);
  }
  MainLog().Write(LogLevel::kEmerg, "still could not bind()");
  return OperatorError("still could not bind()");
}

void ListenSockets::Keep(const Entry& old, const config::ListenConfig& options, int index) {
  Socket& socket = *old.socket;
  const int fd = socket.fd.get();
  if (options.reuseport && !old.reuseport) {
    // Else the kernel would refuse the others beside it.
    SetOption(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", socket.address);
  }
  Configure(fd, socket.address, options);
  SetDeferred(fd, options, socket.deferred);
  socket.deferred = options.deferred;
  if (socket.backlog != BacklogOf(options)) {
    socket.backlog = BacklogOf(options);
    if (::listen(fd, socket.backlog) != 0) {
      MainLog().Write(LogLevel::kAlert,
                      "listen() to " + socket.address.ToText() + ", backlog " +
                          std::to_string(socket.backlog) + " failed, ignored",
                      nullptr, errno);
    }
  }
  entries_.push_back({old.socket, options.reuseport, index});
}

std::unique_ptr<ListenSockets> ListenSockets::Inherit(std::string_view variable) {
  MainLog().Write(LogLevel::kNotice,
                  "using inherited sockets from \"" + std::string(variable) + "\"");
  auto sockets = std::make_unique<ListenSockets>();
  while (!variable.empty()) {
    const size_t end = variable.find_first_of(":;");
    const std::string_view digits = variable.substr(0, end);
    const auto number = ParseUnsigned(digits);
    if (end == variable.npos || !number || *number > 0x7fffffff) {
      MainLog().Write(LogLevel::kEmerg, "invalid socket number \"" + std::string(digits) +
                                            "\" in NGINX environment variable, ignoring the rest" +
                                            " of the variable");
      break;
    }
    variable.remove_prefix(end + 1);
    const int fd = static_cast<int>(*number);
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
      MainLog().Write(LogLevel::kCrit,
                      "getsockname() of the inherited socket #" + std::to_string(fd) + " failed",
                      nullptr, errno);
      continue;
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    auto socket = std::make_shared<Socket>();
    socket->fd.Reset(fd);
    socket->address =
        SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
    int value = 0;
    socklen_t value_length = sizeof(value);
    ::getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &value_length);
    const bool reuseport = value != 0;
    value = 0;
    value_length = sizeof(value);
    if (!socket->address.is_unix()) {
      ::getsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &value, &value_length);
    }
    socket->deferred = value != 0;
    sockets->entries_.push_back({std::move(socket), reuseport, 0});
  }
  return sockets;
}

std::string ListenSockets::ForInheritance() const {
  std::string variable;
  for (const int fd : descriptors()) variable += std::to_string(fd) + ";";
  return variable;
}

std::vector<int> ListenSockets::descriptors() const {
  std::vector<int> all;
  for (const Entry& entry : entries_) all.push_back(entry.socket->fd.get());
  return all;
}

std::vector<server::ListenSocket> ListenSockets::ForWorker(int index, int workers) const {
  std::vector<server::ListenSocket> own;
  for (const Entry& entry : entries_) {
    if (entry.reuseport && entry.index % workers != index) continue;
    own.push_back({entry.socket->fd.get(), entry.socket->address});
  }
  return own;
}

void ListenSockets::CloseForeign(int index, int workers) {
  for (const Entry& entry : entries_) {
    if (entry.reuseport && entry.index % workers != index) entry.socket->fd.Reset();
  }
}

void ListenSockets::LeaveFiles(bool leave) {
  for (const Entry& entry : entries_) entry.socket->unlink_file = !leave;
}

}  // namespace framewall::process
