#include "waf/audit_policy.h"

namespace framewall::waf {
namespace {

std::optional<int> SetOrNot(int value) {
  return value == -1 ? std::nullopt : std::optional<int>(value);
}

}  // namespace

AuditPolicy AuditPolicy::Of(const Log& log) {
  AuditPolicy policy;
  policy.status = AuditStatusOf(log);
  policy.type = AuditTypeOf(log);
  policy.format = log.m_format;
  policy.parts = SetOrNot(AuditPartsOf(log));
  policy.file_mode = SetOrNot(AuditFileModeOf(log));
  policy.directory_mode = SetOrNot(AuditDirectoryModeOf(log));
  policy.path = log.m_path1;
  policy.second_path = log.m_path2;
  policy.storage_directory = log.m_storage_dir;
  policy.relevant_status = AuditRelevantStatusOf(log);
  policy.switched_by_rule = AuditSwitchedByRule(log);
  return policy;
}

void AuditPolicy::InheritFrom(const AuditPolicy& parent) {
  if (status == Log::NotSetLogStatus) status = parent.status;
  if (type == Log::NotSetAuditLogType) type = parent.type;
  if (format == Log::NotSetAuditLogFormat) format = parent.format;
  if (!parts) parts = parent.parts;
  if (!file_mode) file_mode = parent.file_mode;
  if (!directory_mode) directory_mode = parent.directory_mode;
  if (path.empty()) path = parent.path;
  if (second_path.empty()) second_path = parent.second_path;
  if (storage_directory.empty()) storage_directory = parent.storage_directory;
  if (relevant_status.empty()) relevant_status = parent.relevant_status;
  switched_by_rule = switched_by_rule || parent.switched_by_rule;
}

bool AuditPolicy::MayWrite() const {
  if (type == Log::HttpsAuditLogType) return false;
  return status == Log::OnAuditLogStatus || status == Log::RelevantOnlyAuditLogStatus ||
         switched_by_rule;
}

int AuditPolicy::Parts() const {
  static const int kDefault = Log().getParts();
  return parts.value_or(kDefault);
}

AuditRelevance::AuditRelevance(const AuditPolicy& policy) : status_(policy.status) {
  judge_.setRelevantStatus(policy.relevant_status);
}

bool AuditRelevance::Deserves(const lib::Transaction& transaction) const {
  using Log = AuditPolicy::Log;
  const auto status =
      transaction.m_ctlAuditEngine == Log::NotSetLogStatus ? status_ : transaction.m_ctlAuditEngine;
  if (status == Log::OnAuditLogStatus) return true;
  if (status != Log::RelevantOnlyAuditLogStatus) return false;
  for (const lib::RuleMessage& message : transaction.m_rulesMessages) {
    if (!message.m_noAuditLog) return true;
  }
  return StatusIsRelevant(transaction.m_httpCodeReturned);
}

bool AuditRelevance::StatusIsRelevant(int status) const {
  if (status < 0 || status >= static_cast<int>(known_.size())) return judge_.isRelevant(status);
  signed char& known = known_[static_cast<std::size_t>(status)];
  if (known == 0) known = judge_.isRelevant(status) ? 1 : -1;
  return known > 0;
}

}  // namespace framewall::waf
