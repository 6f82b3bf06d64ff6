#include "proxy/server/proxy_protocol.h"

#include <array>
#include <cstring>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"

namespace framewall::server {
namespace {

using Outcome = ProxyProtocolResult::Outcome;

constexpr std::string_view kVersion1 = "PROXY ";
constexpr std::string_view kVersion2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kMaxVersion1 = 107;
constexpr size_t kMaxVersion2 = 4096;

ProxyProtocolResult Broken() { return {Outcome::kBroken, 0}; }

bool ParseEnd(std::string_view ip_text, std::string_view port_text, bool v4, SocketAddress* out) {
  const auto ip = IpAddress::Parse(ip_text);
  const auto port = ParseUnsigned(port_text);
  if (!ip || !port || *port > 65535 || ip->is_v4() != v4) return false;
  *out = SocketAddress::FromIp(*ip, static_cast<uint16_t>(*port));
  return true;
}

ProxyProtocolResult ParseText(std::string_view bytes, ProxyProtocolHeader* header) {
  const size_t end = bytes.substr(0, kMaxVersion1).find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() >= kMaxVersion1 ? Broken() : ProxyProtocolResult{Outcome::kMore, 0};
  }
  if (end == 0 || bytes[end - 1] != '\r') return Broken();
  const std::vector<std::string_view> parts = Split(bytes.substr(0, end - 1), ' ');
  const ProxyProtocolResult done{Outcome::kDone, end + 1};
  if (parts.size() >= 2 && parts[1] == "UNKNOWN") return done;
  if (parts.size() != 6 || (parts[1] != "TCP4" && parts[1] != "TCP6")) return Broken();
  const bool v4 = parts[1] == "TCP4";
  if (!ParseEnd(parts[2], parts[4], v4, &header->source) ||
      !ParseEnd(parts[3], parts[5], v4, &header->destination)) {
    return Broken();
  }
  header->has_addresses = true;
  return done;
}

SocketAddress AddressAt(std::string_view bytes, size_t ip_at, size_t port_at, bool v4) {
  IpAddress ip;
  if (v4) {
    ip = IpAddress::FromV4(ReadBig32(bytes.substr(ip_at)));
  } else {
    std::array<uint8_t, 16> octets;
    std::memcpy(octets.data(), bytes.data() + ip_at, 16);
    ip = IpAddress::FromV6(octets);
  }
  return SocketAddress::FromIp(ip, ReadBig16(bytes.substr(port_at)));
}

ProxyProtocolResult ParseBinary(std::string_view bytes, ProxyProtocolHeader* header) {
  if (bytes.size() < 16) return {Outcome::kMore, 0};
  const uint8_t version_command = ByteAt(bytes, 12);
  const uint8_t family = ByteAt(bytes, 13);
  const size_t length = ReadBig16(bytes.substr(14));
  if (version_command >> 4 != 2 || (version_command & 0x0f) > 1 || 16 + length > kMaxVersion2) {
    return Broken();
  }
  if (bytes.size() < 16 + length) return {Outcome::kMore, 0};
  const ProxyProtocolResult done{Outcome::kDone, 16 + length};
  const std::string_view body = bytes.substr(16, length);
  if ((version_command & 0x0f) == 0) return done;  // LOCAL: a health check of the balancer
  if (family == 0x11) {
    if (length < 12) return Broken();
    header->source = AddressAt(body, 0, 8, true);
    header->destination = AddressAt(body, 4, 10, true);
    header->has_addresses = true;
  } else if (family == 0x21) {
    if (length < 36) return Broken();
    header->source = AddressAt(body, 0, 32, false);
    header->destination = AddressAt(body, 16, 34, false);
    header->has_addresses = true;
  }
  return done;
}

}  // namespace

ProxyProtocolResult ParseProxyProtocol(std::string_view bytes, ProxyProtocolHeader* header) {
  const auto begins = [bytes](std::string_view mark) {
    const size_t common = std::min(bytes.size(), mark.size());
    return bytes.substr(0, common) == mark.substr(0, common);
  };
  if (begins(kVersion1)) {
    if (bytes.size() < kVersion1.size()) return {Outcome::kMore, 0};
    return ParseText(bytes, header);
  }
  if (begins(kVersion2)) {
    if (bytes.size() < kVersion2.size()) return {Outcome::kMore, 0};
    return ParseBinary(bytes, header);
  }
  return Broken();
}

std::string PrintableStart(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 64)) text += c >= ' ' && c < 0x7f ? c : '.';
  return text;
}

}  // namespace framewall::server
