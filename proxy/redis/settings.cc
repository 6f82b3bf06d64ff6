#include "proxy/redis/settings.h"

#include "proxy/base/text.h"

namespace framewall::redis {

std::string Endpoint::ToText() const {
  if (is_unix()) return "unix:" + unix_path;
  const bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Status Validate(const Settings& settings) {
  if (settings.servers.empty()) return OperatorError("no server");
  for (const Endpoint& server : settings.servers) {
    if (server.is_unix() && settings.mode != Mode::kSingle) {
      return OperatorError("a Unix socket can only be a Redis of its own, found " +
                           server.ToText());
    }
    if (!server.is_unix() && (server.host.empty() || server.port == 0)) {
      return OperatorError("a server needs a host and a port, found \"" + server.ToText() + "\"");
    }
  }
  switch (settings.mode) {
    case Mode::kSingle:
      if (settings.servers.size() > 1) {
        return OperatorError("one server expected, found " +
                             std::to_string(settings.servers.size()) +
                             "; several are for Sentinel or Cluster");
      }
      break;
    case Mode::kSentinel:
      if (settings.master_name.empty()) {
        return OperatorError("Sentinels need the name of the master");
      }
      break;
    case Mode::kCluster:
      if (settings.database != 0) {
        return OperatorError("a Cluster has database 0 only, found " +
                             std::to_string(settings.database));
      }
      break;
  }
  if (settings.database < 0) return OperatorError("a database number cannot be negative");
  if (!settings.user.empty() && settings.password.empty()) {
    return OperatorError("user \"" + settings.user + "\" needs a password");
  }
  if (settings.client_name.find_first_of(" \r\n\t") != std::string::npos) {
    return OperatorError("a client name has no spaces, found \"" + settings.client_name + "\"");
  }
  if (settings.deadline.count() <= 0 || settings.connect_timeout.count() <= 0) {
    return OperatorError("a deadline is longer than 0");
  }
  if (settings.breaker_failures < 1 || settings.stalled_after_deadlines < 1) {
    return OperatorError("a count of failures begins with 1");
  }
  return OkStatus();
}

}  // namespace framewall::redis
