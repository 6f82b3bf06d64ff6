#include "proxy/observe/syslog.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace framewall::observe {
namespace {

constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "intern", "lpr",    "news",
    "uucp",   "clock",  "authpriv", "ftp",    "ntp",    "audit",  "alert",  "cron",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
// By syslog's number.
constexpr std::array<std::string_view, 8> kSeverities = {"emerg", "alert",  "crit", "error",
                                                         "warn",  "notice", "info", "debug"};
constexpr int kLocal7 = 23;
constexpr int kInfo = 6;

struct Settings {
  SocketAddress server;
  int facility = kLocal7;
  int severity = kInfo;
  std::string tag = "nginx";
  bool host_name = true;
};

Error Bad(std::string text) { return OperatorError(std::move(text)); }

Result<SocketAddress> ResolveServer(std::string_view text) {
  if (auto address = SocketAddress::Parse(text)) return *address;
  if (auto ip = IpAddress::Parse(text)) return SocketAddress::FromIp(*ip, 514);
  if (text.starts_with("unix:")) return SocketAddress::FromUnixPath(text.substr(5));
  const size_t colon = text.rfind(':');
  const std::string host(text.substr(0, colon));
  const std::string port(colon == std::string_view::npos ? "514" : text.substr(colon + 1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0 || found == nullptr) {
    return Bad("host not found in syslog server \"" + std::string(text) + "\"");
  }
  const SocketAddress address = SocketAddress::FromSockaddr(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

template <size_t kCount>
int IndexOf(const std::array<std::string_view, kCount>& names, std::string_view name) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

Result<Settings> ParseSettings(std::string_view target) {
  Settings settings;
  bool has_server = false;
  for (const std::string_view part : Split(target.substr(7), ',')) {
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (name == "server") {
      FW_ASSIGN(settings.server, ResolveServer(value));
      has_server = true;
    } else if (name == "facility") {
      settings.facility = IndexOf(kFacilities, value);
      if (settings.facility < 0) {
        return Bad("unknown syslog facility \"" + std::string(value) + "\"");
      }
    } else if (name == "severity") {
      settings.severity = IndexOf(kSeverities, value);
      if (settings.severity < 0) {
        return Bad("unknown syslog severity \"" + std::string(value) + "\"");
      }
    } else if (name == "tag") {
      if (value.size() > 32) return Bad("syslog tag length exceeds 32");
      for (const char c : value) {
        if (!IsAlpha(c) && !IsDigit(c) && c != '_') {
          return Bad("syslog \"tag\" only allows alphanumeric characters and underscore");
        }
      }
      settings.tag = value;
    } else if (name == "nohostname") {
      settings.host_name = false;
    } else {
      return Bad("unknown syslog parameter \"" + std::string(part) + "\"");
    }
  }
  if (!has_server) return Bad("no syslog server specified");
  return settings;
}

class SyslogSink final : public LogSink {
 public:
  explicit SyslogSink(Settings settings) : settings_(std::move(settings)) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) host_ = ToLower(name.data());
  }

  // `level` 0: the configured severity (access logs).
  void WriteLine(LogLevel level, std::string_view line) override {
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    const int number = static_cast<int>(level);
    // nginx's levels begin at 1 (emerg) where syslog's begin at 0.
    const int severity = number == 0 ? settings_.severity : number - 1;
    std::string packet = "<" + std::to_string(settings_.facility * 8 + severity) + ">";
    packet += CachedSyslogTime();
    packet += ' ';
    if (settings_.host_name) {
      packet += host_;
      packet += ' ';
    }
    packet += settings_.tag;
    packet += ": ";
    packet += line;
    Send(packet);
  }

  Status Reopen() override { return OkStatus(); }

 private:
  void Send(const std::string& packet) {
    for (int tries = 0; tries < 2; ++tries) {
      if (!fd_.valid() && !Connect()) return;
      if (::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
      // A server that came back has a new socket behind its path.
      fd_.Reset();
    }
    ++lost_;
  }

  bool Connect() {
    fd_.Reset(::socket(settings_.server.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.valid()) return false;
    if (::connect(fd_.get(), settings_.server.get(), settings_.server.length()) != 0) {
      fd_.Reset();
      ++lost_;
      return false;
    }
    return true;
  }

  Settings settings_;
  std::string host_ = "localhost";
  UniqueFd fd_;
  uint64_t lost_ = 0;
};

}  // namespace

Result<std::shared_ptr<LogSink>> OpenSyslog(std::string_view target) {
  FW_ASSIGN(Settings settings, ParseSettings(target));
  return std::shared_ptr<LogSink>(std::make_shared<SyslogSink>(std::move(settings)));
}

}  // namespace framewall::observe
