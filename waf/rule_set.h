// Rules as loaded for one level of configuration, and the loader that makes
// them. Built in the master before the fork; constant from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waf/engine.h"

namespace framewall::waf {

enum class EngineMode { kOff, kDetectionOnly, kOn };
enum class BodyLimitAction { kProcessPartial, kReject };

// One `modsecurity_rules`, `modsecurity_rules_file` or `modsecurity_rules_remote`.
struct RuleSource {
  enum class Kind { kInline, kFile, kRemote };
  Kind kind = Kind::kInline;
  // The rules themselves, the path, or the URL.
  std::string text;
  // Of kRemote alone.
  std::string key;
  // Where the directive stands: names inline rules in messages and logs, and is
  // where relative names inside them (`Include`, `@pmFromFile`) start. `line`
  // is that of the first line of `text`.
  std::string file;
  int line = 1;
};

struct RuleError {
  std::string file;
  int line = 0;  // 0: unknown
  std::string message;

  // "rules/x.conf:12: message"
  std::string Text() const;
};

// Something in the rules that works but not as its author may think.
struct RuleWarning {
  enum class Kind {
    kPersistentCollection,  // initcol, setsid, setuid: kept per worker, lost on reload
    kAuditWithoutFile,      // SecAuditEngine without SecAuditLog: no record is kept
    kAuditHttps,            // SecAuditLogType HTTPS: would block, no record is kept
    kDebugLog,              // SecDebugLog: written by the library under a blocking lock
  };
  Kind kind = Kind::kPersistentCollection;
  std::int64_t rule_id = 0;
  std::string file;
  int line = 0;
  std::string message;

  std::string Text() const;
};

// Immutable and shared: by every location that adds no rules of its own, and
// (through the fork) by every worker.
class RuleSet {
 public:
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  // With kOff no Transaction need be made at all. Rules can still change it for
  // one transaction (ctl:ruleEngine). Unset is DetectionOnly, as in the library.
  EngineMode engine_mode() const;
  std::size_t rule_count() const;

  // SecRequestBodyAccess; unset is on, as in the library.
  bool inspects_request_bodies() const;
  // SecRequestBodyLimit; 0: none.
  std::uint64_t request_body_limit() const;
  // SecRequestBodyNoFilesLimit; 0: none.
  std::uint64_t request_body_no_files_limit() const;
  // Unset: nothing is refused or cut for its size.
  std::optional<BodyLimitAction> request_body_limit_action() const;

  // SecResponseBodyAccess; unset is off.
  bool inspects_response_bodies() const;
  std::uint64_t response_body_limit() const;
  std::optional<BodyLimitAction> response_body_limit_action() const;
  // Is a body of this Content-Type (parameters and case do not matter) one of
  // SecResponseBodyMimeType? Where none is set, all are.
  bool InspectsResponseType(std::string_view content_type) const;

  // Distinct ids of all rules, ascending: the labels of the metric by rule.
  std::vector<std::int64_t> rule_ids() const;
  const std::vector<RuleWarning>& warnings() const;

 private:
  friend class RuleLoader;
  friend class Transaction;
  struct State;
  explicit RuleSet(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Loads the rules of one configuration. A file named by many servers is read
// and parsed once and its rules are shared. Use a new loader for a reload:
// files are read anew then. `engine` outlives the loader.
class RuleLoader {
 public:
  // Relative rule files and audit paths start at `base_directory` (the prefix).
  RuleLoader(Engine& engine, std::string base_directory);
  ~RuleLoader();
  RuleLoader(const RuleLoader&) = delete;
  RuleLoader& operator=(const RuleLoader&) = delete;

  // The rules of a level: its own `sources` in their order, then `parent`'s, as
  // nginx's connector merges them: the level's own rules run first, its own
  // settings win, an id may stand only once. Without sources the parent itself
  // is returned (null without a parent). Null after a failure, with everything
  // that is wrong appended to `errors`.
  std::shared_ptr<const RuleSet> Load(std::shared_ptr<const RuleSet> parent,
                                      std::span<const RuleSource> sources,
                                      std::vector<RuleError>* errors);

  // How many files were parsed so far; a file used twice counts once.
  std::size_t files_parsed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace framewall::waf
