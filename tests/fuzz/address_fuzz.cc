// Addresses and networks, one a line: what is read can be written and read again, and a set of
// networks and a map of them answer as the networks do one by one.
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/check.h"
#include "proxy/base/network_map.h"
#include "proxy/base/text.h"
#include "proxy/config/host_port.h"

namespace framewall {
namespace {

void CheckSocketAddress(std::string_view text) {
  const auto address = SocketAddress::Parse(text);
  if (!address) return;
  FW_CHECK(!address->empty() && address->length() <= sizeof(sockaddr_storage));
  const auto again = SocketAddress::Parse(address->ToText());
  FW_CHECK(again && *again == *address);
  const SocketAddress copy = SocketAddress::FromSockaddr(address->get(), address->length());
  FW_CHECK(copy == *address);
  if (!address->is_unix()) {
    FW_CHECK(SocketAddress::FromIp(address->ip(), address->port()) == *address);
  }
}

void CheckNetwork(std::string_view text, const Cidr& network) {
  FW_CHECK(network.Contains(network.base()) && network.Contains(network.last()));
  FW_CHECK(network.base() <= network.last());
  const std::string written =
      network.base().ToText() + "/" + std::to_string(network.prefix_length());
  bool host_bits_set = true;
  const auto again = Cidr::Parse(written, &host_bits_set);
  FW_CHECK(again && *again == network && !host_bits_set);
  const auto address = IpAddress::Parse(text);
  if (address) FW_CHECK(network.base() == *address && network.last() == *address);
}

void CheckHostPort(std::string_view text, bool allow_uri) {
  const auto read = config::ParseHostPort(text, allow_uri);
  if (!read.ok()) return;
  FW_CHECK(read->is_unix() != !read->host.empty());
  FW_CHECK(read->text.size() + read->uri.size() <= text.size() + 1);  // "/" before "?"
  FW_CHECK(allow_uri || read->uri.empty());
}

void Check(std::string_view text) {
  std::vector<Cidr> networks;
  std::vector<IpAddress> addresses;
  CidrSet set;
  NetworkMap map;
  for (const std::string_view line : Split(text, '\n')) {
    CheckSocketAddress(line);
    CheckHostPort(line, true);
    CheckHostPort(line, false);
    if (const auto address = IpAddress::Parse(line)) {
      FW_CHECK(IpAddress::Parse(address->ToText()) == address);
      FW_CHECK(!address->Unmapped().empty());
      addresses.push_back(*address);
    }
    bool host_bits_set = false;
    if (const auto network = Cidr::Parse(line, &host_bits_set)) {
      CheckNetwork(line, *network);
      // The ends and what lies beyond them are the interesting ones to ask for.
      addresses.push_back(network->base());
      addresses.push_back(network->last());
      // A lone address is asked for and belongs to no set.
      if (line.find('/') == line.npos) continue;
      map.Add(*network, static_cast<uint32_t>(networks.size()),
              static_cast<uint32_t>(network->Unmapped().prefix_length()));
      networks.push_back(*network);
      set.Add(*network);
    }
  }
  set.Build();
  map.Build();
  for (const IpAddress& address : addresses) {
    bool inside = false;
    uint32_t longest = NetworkMap::kNone;
    for (uint32_t i = 0; i < networks.size(); ++i) {
      if (!networks[i].Contains(address)) continue;
      const auto length = [&](uint32_t number) {
        return networks[number].Unmapped().prefix_length();
      };
      if (!inside || length(i) >= length(longest)) longest = i;
      inside = true;
    }
    FW_CHECK(map.Find(address) == longest);
    FW_CHECK(set.Contains(address) == inside);
    FW_CHECK(set.Contains(address.Unmapped()) == inside);
  }
}

}  // namespace
}  // namespace framewall

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  framewall::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
