#include "waf/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <random>
#include <utility>

#include "waf/md5.h"

namespace framewall::waf {
namespace {

// Separates the parts of a native record. Unguessable, or a body could forge parts.
std::string NewBoundary() {
  static constexpr char kLetters[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local std::random_device source;
  std::uint64_t bits = (std::uint64_t{source()} << 32) | source();
  std::string boundary;
  for (int i = 0; i < 8; ++i) {
    boundary += kLetters[bits % (sizeof kLetters - 1)];
    bits /= sizeof kLetters - 1;
  }
  return boundary;
}

int PartsOf(const lib::Transaction& transaction, int parts) {
  for (const auto& [remove, letters] : transaction.m_auditLogModifier) {
    parts = remove == 0 ? lib::audit_log::AuditLog::addParts(parts, letters)
                        : lib::audit_log::AuditLog::removeParts(parts, letters);
  }
  return parts;
}

std::string RecordText(lib::Transaction& transaction, const AuditPolicy& policy) {
  const int parts = PartsOf(transaction, policy.Parts());
  if (policy.json()) return transaction.toJSON(parts);
  return transaction.toOldAuditLogFormat(parts, "-" + NewBoundary() + "--");
}

std::string FileNamePart(std::string_view id) {
  std::string name(id.substr(0, 128));
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && c != '.' && c != '_' && c != '-' && c != '@') c = '_';
  }
  return name;
}

std::string TimeText(const char* format, const std::tm& time) {
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &time));
}

bool MakeDirectory(const std::string& path, int mode, std::string* error) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0 || errno == EEXIST) return true;
  *error = SystemError("mkdir", path, errno);
  return false;
}

}  // namespace

AuditLog::AuditLog(AuditPolicy policy, std::shared_ptr<AuditFile> file)
    : policy_(std::move(policy)), relevance_(policy_), file_(std::move(file)) {}

bool AuditLog::Record(lib::Transaction& transaction, TransactionMask& mask,
                      std::string* error) const {
  if (!relevance_.Deserves(transaction)) return true;
  mask.MaskForRecord();
  const std::string record = RecordText(transaction, policy_);
  bool written;
  if (policy_.concurrent()) {
    written = RecordInOwnFile(transaction, record, error);
  } else if (file_) {
    written = file_->Append(record, error);
  } else {
    return true;  // no SecAuditLog: warned of at the start
  }
  if (!written) {
    *error =
        "ModSecurity: audit record of transaction " + *transaction.m_id + " is lost: " + *error;
  }
  return written;
}

bool AuditLog::RecordInOwnFile(lib::Transaction& transaction, const std::string& record,
                               std::string* error) const {
  if (policy_.storage_directory.empty()) return true;
  std::tm time{};
  ::localtime_r(&transaction.m_timeStamp, &time);
  const std::string day = policy_.storage_directory + TimeText("/%Y%m%d", time);
  const std::string minute = day + TimeText("/%Y%m%d-%H%M", time);
  const std::string name =
      minute + TimeText("/%Y%m%d-%H%M%S-", time) + FileNamePart(*transaction.m_id);

  AuditFile file(name, policy_.FileMode());
  if (!file.Open(error)) {
    if (!MakeDirectory(day, policy_.DirectoryMode(), error)) return false;
    if (!MakeDirectory(minute, policy_.DirectoryMode(), error)) return false;
    if (!file.Open(error)) return false;
  }
  if (!file.Append(record, error)) return false;
  if (!file_) return true;
  return file_->Append(transaction.toOldAuditLogFormatIndex(
                           name, static_cast<double>(record.size()), Md5Hex(record)),
                       error);
}

bool PrepareStorageDirectory(const std::string& path, int mode, FileOwner owner,
                             std::string* error) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    // Parents are passed through, not owned, by the workers.
    if (!MakeDirectory(path.substr(0, slash), 0755, error)) return false;
  }
  if (!MakeDirectory(path, mode, error)) return false;
  if (::geteuid() == 0 && ::chown(path.c_str(), owner.user, owner.group) != 0) {
    *error = SystemError("chown", path, errno);
    return false;
  }
  return true;
}

}  // namespace framewall::waf
