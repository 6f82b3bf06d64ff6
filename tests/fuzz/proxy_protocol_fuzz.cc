// The PROXY protocol's header: a prefix of a header asks for more, whatever follows it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/server/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using framewall::server::ParseProxyProtocol;
  using framewall::server::ProxyProtocolHeader;
  using Outcome = framewall::server::ProxyProtocolResult::Outcome;
  if (size == 0) return 0;
  // The first octet chooses where the input is cut.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ProxyProtocolHeader header;
  const auto whole = ParseProxyProtocol(bytes, &header);
  if (whole.outcome == Outcome::kDone && whole.size > bytes.size()) std::abort();
  ProxyProtocolHeader part_header;
  const auto part = ParseProxyProtocol(bytes.substr(0, bytes.size() * data[0] / 255), &part_header);
  // What is refused or complete early stays so.
  if (part.outcome == Outcome::kBroken && whole.outcome != Outcome::kBroken) std::abort();
  if (part.outcome == Outcome::kDone &&
      (whole.outcome != Outcome::kDone || whole.size != part.size)) {
    std::abort();
  }
  return 0;
}
