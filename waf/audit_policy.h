// What the rules say about the audit log, taken out of the library so that
// records can be judged and written by ourselves.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "waf/library.h"

namespace framewall::waf {

struct AuditPolicy {
  using Log = lib::audit_log::AuditLog;

  Log::AuditLogStatus status = Log::NotSetLogStatus;
  Log::AuditLogType type = Log::NotSetAuditLogType;
  Log::AuditLogFormat format = Log::NotSetAuditLogFormat;
  std::optional<int> parts;
  std::optional<int> file_mode;
  std::optional<int> directory_mode;
  std::string path;         // SecAuditLog
  std::string second_path;  // SecAuditLog2
  std::string storage_directory;
  std::string relevant_status;
  bool switched_by_rule = false;

  static AuditPolicy Of(const Log& log);

  // What this level leaves unset comes from its parent. (The library merges the
  // other way about: there a server cannot have an audit log of its own.)
  void InheritFrom(const AuditPolicy& parent);

  bool MayWrite() const;
  bool concurrent() const { return type == Log::ParallelAuditLogType; }
  bool json() const { return format == Log::JSONAuditLogFormat; }
  int Parts() const;
  int FileMode() const { return file_mode.value_or(0640); }
  int DirectoryMode() const { return directory_mode.value_or(0750); }
  // Where records (serial) or index lines (concurrent) go.
  const std::string& LinePath() const {
    return concurrent() && !second_path.empty() ? second_path : path;
  }
};

// Whether a transaction gets a record: the library's own rules for
// SecAuditEngine, ctl:auditEngine, SecAuditLogRelevantStatus and noauditlog.
class AuditRelevance {
 public:
  explicit AuditRelevance(const AuditPolicy& policy);
  bool Deserves(const lib::Transaction& transaction) const;

 private:
  bool StatusIsRelevant(int status) const;

  AuditPolicy::Log::AuditLogStatus status_;
  // The library compiles the expression for each question, so ask once a status.
  mutable lib::audit_log::AuditLog judge_;
  mutable std::array<signed char, 600> known_{};  // 0 unknown, 1 yes, -1 no
};

}  // namespace framewall::waf
