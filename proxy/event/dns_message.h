// DNS messages (RFC 1035 4): the one question a stub resolver asks and the answer to it. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/bytes.h"
#include "proxy/base/result.h"

namespace framewall::event {

enum class DnsType : uint16_t { kA = 1, kCname = 5, kAaaa = 28 };

// RFC 1035 4.1.1; higher codes are kept as they are.
enum DnsCode : int {
  kDnsNoError = 0,
  kDnsFormatError = 1,
  kDnsServerFailure = 2,
  kDnsNameError = 3,
  kDnsNotImplemented = 4,
  kDnsRefused = 5,
};

// A recursive query for `name` (no dot at its end); nothing where that is no domain name: an empty
// or too long label (63), too long a name (255).
std::optional<std::string> EncodeDnsQuery(uint16_t id, std::string_view name, DnsType type);

struct DnsAnswer {
  uint16_t id = 0;
  int code = kDnsNoError;
  bool truncated = false;
  // The question it answers, lower case. Absent (empty) with a format error, which need not
  // repeat it.
  std::string name;
  uint16_t type = 0;
  // Of the answer section; all of the asked type.
  size_t records = 0;
  std::vector<IpAddress> addresses;
  std::string cname;          // of the last CNAME, lower case
  uint32_t ttl = UINT32_MAX;  // the least of all records
};

// Fails on anything that is not a whole answer of class IN: such a datagram is as good as none. Of
// a truncated answer only header and question are looked at.
Result<DnsAnswer> ParseDnsAnswer(ByteView message);

}  // namespace framewall::event
