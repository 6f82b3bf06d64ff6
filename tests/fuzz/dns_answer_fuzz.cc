// Answers of name servers: whatever comes, it is refused or its parts lie within limits.
#include <cstddef>
#include <cstdint>

#include "proxy/base/check.h"
#include "proxy/event/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall;  // NOLINT
  const auto answer = event::ParseDnsAnswer({reinterpret_cast<const char*>(data), size});
  if (answer.ok()) {
    FW_CHECK(answer->name.size() <= 255 && answer->cname.size() <= 255);
    FW_CHECK(answer->addresses.size() <= answer->records);
  }
  return 0;
}
