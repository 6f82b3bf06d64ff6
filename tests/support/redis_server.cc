#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <sstream>

namespace framewall::test {
namespace {

constexpr char kServerBinary[] = "/usr/bin/redis-server";
constexpr char kSentinelBinary[] = "/usr/bin/redis-sentinel";

// A blocking connection; -1 where there is none.
int Connect(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    return -1;
  }
  const timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  return fd;
}

void Send(int fd, const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t now = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return;
    sent += static_cast<size_t>(now);
  }
}

std::string ReadExactly(int fd, size_t size) {
  std::string text(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t now = ::recv(fd, text.data() + got, size - got, 0);
    if (now <= 0) return {};
    got += static_cast<size_t>(now);
  }
  return text;
}

std::string ReadLine(int fd) {
  std::string line;
  while (!line.ends_with("\r\n")) {
    const std::string one = ReadExactly(fd, 1);
    if (one.empty()) return {};
    line += one;
  }
  return line.substr(0, line.size() - 2);
}

std::string ReadReply(int fd) {
  const std::string line = ReadLine(fd);
  if (line.empty()) return {};
  const std::string rest = line.substr(1);
  switch (line[0]) {
    case '$': {
      if (rest == "-1") return "(nil)";
      const std::string text = ReadExactly(fd, std::stoul(rest) + 2);
      return text.substr(0, text.empty() ? 0 : text.size() - 2);
    }
    case '*': {
      if (rest == "-1") return "(nil)";
      std::string all = "[";
      for (int i = 0; i < std::stoi(rest); ++i) all += (i == 0 ? "" : ", ") + ReadReply(fd);
      return all + "]";
    }
    default:
      return rest;
  }
}

std::string ReplaceAll(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

bool HasRedis() {
  return ::access(kServerBinary, X_OK) == 0 && ::access(kSentinelBinary, X_OK) == 0;
}

RedisServer::RedisServer(std::vector<std::string> lines, Kind kind)
    : lines_(std::move(lines)), kind_(kind) {
  std::string text =
      "bind 127.0.0.1\nprotected-mode no\nport %%PORT%%\nunixsocket %%DIR%%/s\ndaemonize no\n"
      "dir %%DIR%%\nlogfile %%DIR%%/log\n";
  if (kind_ == Kind::kServer) text += "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\n";
  for (const std::string& line : lines_) text += line + "\n";
  directory_.Write("redis.conf", Expand(std::move(text)));
}

RedisServer::~RedisServer() { Kill(); }

std::string RedisServer::Expand(std::string line) const {
  line = ReplaceAll(std::move(line), "%%DIR%%", directory_.path());
  line = ReplaceAll(std::move(line), "%%PORT%%", std::to_string(port()));
  return ReplaceAll(std::move(line), "%%BUS%%", std::to_string(bus_port()));
}

bool RedisServer::Start() {
  const std::string output = directory_.File("output");
  const std::string config = directory_.File("redis.conf");
  const char* binary = kind_ == Kind::kServer ? kServerBinary : kSentinelBinary;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int fd = ::open(output.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execl(binary, binary, config.c_str(), nullptr);
    ::_exit(127);
  }
  return Eventually([this] {
           if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
             pid_ = -1;
             return true;
           }
           return !Ask({"PING"}).empty();
         }) &&
         pid_ > 0;
}

void RedisServer::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::Signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::string RedisServer::Ask(const std::vector<std::string>& words) const {
  const int fd = Connect(unix_path());
  if (fd < 0) return {};
  Send(fd, words);
  std::string reply = ReadReply(fd);
  ::close(fd);
  return reply;
}

std::string RedisServer::AskAs(const std::string& password,
                               const std::vector<std::string>& words) const {
  const int fd = Connect(unix_path());
  if (fd < 0) return {};
  Send(fd, {"AUTH", password});
  ReadReply(fd);
  Send(fd, words);
  std::string reply = ReadReply(fd);
  ::close(fd);
  return reply;
}

bool RedisServer::AskUntil(const std::vector<std::string>& words, std::string_view text,
                           std::chrono::milliseconds patience) const {
  return Eventually([&] { return Ask(words).find(text) != std::string::npos; }, patience);
}

RedisCluster::RedisCluster(const std::vector<std::string>& lines) {
  std::vector<std::string> all = {"cluster-enabled yes", "cluster-port %%BUS%%",
                                  "cluster-node-timeout 1000", "cluster-replica-validity-factor 0"};
  all.insert(all.end(), lines.begin(), lines.end());
  for (int i = 0; i < 6; ++i) nodes_.push_back(std::make_unique<RedisServer>(all));
}

bool RedisCluster::Start() {
  constexpr int kBounds[] = {0, 5461, 10923, 16384};
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->Start()) return false;
    ids_.push_back(nodes_[i]->Ask({"CLUSTER", "MYID"}));
    nodes_[i]->Ask({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    if (i < 3) {
      nodes_[i]->Ask({"CLUSTER", "ADDSLOTSRANGE", std::to_string(kBounds[i]),
                      std::to_string(kBounds[i + 1] - 1)});
    }
    if (i > 0) {
      nodes_[0]->Ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[i]->port()),
                      std::to_string(nodes_[i]->bus_port())});
    }
  }
  // Everybody knows everybody, then replicas choose, then all agree.
  for (const auto& node : nodes_) {
    if (!node->AskUntil({"CLUSTER", "INFO"}, "cluster_known_nodes:6")) return false;
  }
  for (size_t i = 3; i < nodes_.size(); ++i) {
    if (!nodes_[i]->AskUntil({"CLUSTER", "REPLICATE", ids_[i - 3]}, "OK")) return false;
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->AskUntil({"CLUSTER", "INFO"}, "cluster_state:ok")) return false;
    if (i >= 3 && !nodes_[i]->AskUntil({"INFO", "replication"}, "master_link_status:up")) {
      return false;
    }
  }
  return Eventually([this] {
    for (const auto& node : nodes_) {
      const std::string table = node->Ask({"CLUSTER", "NODES"});
      std::istringstream lines(table);
      int replicas = 0;
      for (std::string line; std::getline(lines, line);) {
        replicas += line.find("slave ") != std::string::npos;
      }
      if (replicas != 3) return false;
    }
    return true;
  });
}

int RedisCluster::Owner(int slot, size_t asked) {
  std::istringstream lines(nodes_[asked]->Ask({"CLUSTER", "NODES"}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id;
    std::string word;
    words >> id;
    for (int i = 0; i < 7; ++i) words >> word;  // up to the link's state
    while (words >> word) {
      if (word[0] == '[') continue;
      const size_t dash = word.find('-');
      const int first = std::stoi(word);
      const int last = dash == word.npos ? first : std::stoi(word.substr(dash + 1));
      if (slot < first || slot > last) continue;
      for (size_t i = 0; i < ids_.size(); ++i) {
        if (ids_[i] == id) return static_cast<int>(i);
      }
    }
  }
  return -1;
}

std::string RedisCluster::Logs() const {
  std::string all;
  for (const auto& node : nodes_) all += node->Log() + "\n";
  return all;
}

}  // namespace framewall::test
