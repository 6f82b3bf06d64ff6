// The one libmodsecurity instance of a process, and what belongs to a process
// rather than to a rule set: seeds and audit files.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::waf {

struct FileOwner {
  uid_t user = 0;
  gid_t group = 0;
};

// Made once in the master, before any rule is loaded and before the fork; the
// workers use the copy the fork gives them. Never destroyed: the library's
// destructor runs the global clean-ups of curl and libxml2.
class Engine {
 public:
  // The engine of this process. The first call makes it; `product` ("framewall/0.1.0")
  // is what audit records name as connector.
  static Engine& Create(std::string_view product);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // In each worker, right after the fork: without it all workers draw the same
  // "random" numbers.
  void SeedWorker();

  // Opens every audit file of every living rule set anew by its path; on USR1
  // first in the master, then in each worker. The master names the workers'
  // user as `owner`, so that the workers may open the file themselves. A file
  // that cannot be opened keeps its old descriptor. Returns what failed, one
  // line for the error log each.
  std::vector<std::string> ReopenAuditLogs(std::optional<FileOwner> owner = std::nullopt);

  // In the master, after the rules were loaded and before the fork: makes the
  // directories of concurrent audit logs, gives them and the audit files to
  // `owner`. Returns what failed.
  std::vector<std::string> PrepareAuditStorage(FileOwner owner);

  // "ModSecurity v3.0.9 (Linux)"
  std::string version() const;

 private:
  friend class RuleLoader;
  friend class Transaction;
  struct State;
  explicit Engine(State* state) : state_(state) {}

  State* const state_;
};

}  // namespace framewall::waf
