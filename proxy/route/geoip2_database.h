// One MaxMind database (MMDB 2.0) in memory, checked and constant; libmaxminddb behind RAII.
//
// The file is copied: whoever writes into it or cuts it afterwards changes nothing here, where a
// mapped file would end the process with SIGBUS. Copies made before a fork are shared by workers.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"

namespace framewall::route {

// Which file it is and as of when; all 0: none that could be opened.
struct FileIdentity {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_seconds = 0, modified_nanoseconds = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity IdentityOf(const std::string& path);

class Geoip2Database {
 public:
  // Reads the whole file and checks it: that its format is known, and that every node of its
  // search tree leads to a place in it. Fails with a sentence that names the file.
  static Result<std::shared_ptr<const Geoip2Database>> Open(const std::string& path);
  ~Geoip2Database();
  Geoip2Database(const Geoip2Database&) = delete;
  Geoip2Database& operator=(const Geoip2Database&) = delete;

  // Where the record of an address stands; false where it has none, or is of a family that the
  // database does not know. IPv4 in IPv6 clothes counts as IPv4.
  bool Find(const IpAddress& address, uint32_t* record) const;
  // The value at the end of a path (names of map keys, indices of arrays; ends with null), as the
  // nginx module prints it: true is "1", fractions have five digits. False where there is none, or
  // it is a map or an array.
  bool AppendValue(uint32_t record, const char* const* path, std::string& out) const;

  uint64_t build_epoch() const;
  const FileIdentity& identity() const { return identity_; }

 private:
  struct Handle;
  Geoip2Database(std::unique_ptr<Handle> handle, const FileIdentity& identity);
  Status CheckTree(const std::string& path) const;

  std::unique_ptr<Handle> handle_;
  FileIdentity identity_;
};

}  // namespace framewall::route
