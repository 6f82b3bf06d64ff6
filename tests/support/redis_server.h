// Debian's redis-server on the loopback, each in a directory of its own: one server, Sentinels
// before masters and replicas, a Cluster.
//
//   RedisServer redis({"requirepass secret"});
//   ASSERT_TRUE(redis.Start()) << redis.Log();
//   redis.Ask({"GET", "a"});               // "1", "(nil)", "ERR ...", "[a, b]"
//   redis.Kill(); redis.Start();           // as an operator would: the same port and data
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/proxy_process.h"
#include "tests/support/temp_dir.h"

namespace framewall::test {

// redis-server and redis-sentinel are installed.
bool HasRedis();

class RedisServer {
 public:
  enum class Kind { kServer, kSentinel };
  // `lines` come after a configuration that only listens (on port() and unix_path()) and keeps
  // nothing; %%DIR%%, %%PORT%% and %%BUS%% in them are filled in.
  explicit RedisServer(std::vector<std::string> lines = {}, Kind kind = Kind::kServer);
  ~RedisServer();  // killed, stopped or not
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // True once it answers.
  bool Start();
  void Kill();  // -9, and waits for its end
  void Signal(int number) const;
  bool running() const { return pid_ > 0; }

  // One command over the Unix socket, blocking, 5 s at most; the reply as text, arrays as
  // "[a, b]". Empty where there was none.
  std::string Ask(const std::vector<std::string>& words) const;
  // The same in a connection after AUTH.
  std::string AskAs(const std::string& password, const std::vector<std::string>& words) const;
  // Asks until the reply holds `text`.
  bool AskUntil(const std::vector<std::string>& words, std::string_view text,
                std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

  uint16_t port() const { return port_.number(); }
  uint16_t bus_port() const { return bus_port_.number(); }
  std::string unix_path() const { return directory_.File("s"); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  TempDir& directory() { return directory_; }
  std::string Log() const { return directory_.Read("log") + directory_.Read("output"); }

 private:
  std::string Expand(std::string line) const;

  TempDir directory_;
  ReservedPort port_;
  ReservedPort bus_port_;
  const std::vector<std::string> lines_;
  const Kind kind_;
  pid_t pid_ = -1;
};

// Three masters with a replica each. Every slot is served, and every replica is in step, once Start
// is true. Nodes 0 to 2 begin as masters, node 3 + i replicates node i.
class RedisCluster {
 public:
  // `lines` are for every node.
  explicit RedisCluster(const std::vector<std::string>& lines = {});
  bool Start();
  RedisServer& node(size_t index) { return *nodes_.at(index); }
  size_t size() const { return nodes_.size(); }
  std::string id(size_t index) const { return ids_.at(index); }
  // The index of the node that serves `slot`, as node `asked` sees it; -1 where none does.
  int Owner(int slot, size_t asked = 0);
  std::string Logs() const;

 private:
  std::vector<std::unique_ptr<RedisServer>> nodes_;
  std::vector<std::string> ids_;
};

}  // namespace framewall::test
