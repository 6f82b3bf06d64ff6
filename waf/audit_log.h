// Writes the audit records of one rule set, as its policy says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "waf/audit_file.h"
#include "waf/audit_policy.h"
#include "waf/transaction_mask.h"

namespace framewall::waf {

class AuditLog {
 public:
  // `file` takes the records (serial) or the index lines (concurrent); may be
  // null for a concurrent log without an index.
  AuditLog(AuditPolicy policy, std::shared_ptr<AuditFile> file);

  // Writes the record of a finished transaction if it deserves one, without the
  // secrets that `mask` (of the same transaction) knows. False where one was due
  // and is lost, with `error` filled.
  bool Record(lib::Transaction& transaction, TransactionMask& mask, std::string* error) const;

  const AuditPolicy& policy() const { return policy_; }

 private:
  bool RecordInOwnFile(lib::Transaction& transaction, const std::string& record,
                       std::string* error) const;

  AuditPolicy policy_;
  AuditRelevance relevance_;
  std::shared_ptr<AuditFile> file_;
};

// The directory of a concurrent log.
struct AuditStorage {
  std::string path;
  int mode = 0750;
};

// Makes the storage directory of a concurrent log, with its parents, and gives
// it to `owner` where we may.
bool PrepareStorageDirectory(const std::string& path, int mode, FileOwner owner,
                             std::string* error);

}  // namespace framewall::waf
