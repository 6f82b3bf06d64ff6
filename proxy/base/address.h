// Network addresses: one peer (IpAddress, SocketAddress), one network (Cidr), many (CidrSet).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace framewall {

// An IPv4 or IPv6 address without port.
class IpAddress {
 public:
  IpAddress() = default;
  static std::optional<IpAddress> Parse(std::string_view text);
  static IpAddress FromV4(uint32_t host_order);
  static IpAddress FromV6(const std::array<uint8_t, 16>& bytes);

  bool is_v4() const { return length_ == 4; }
  bool is_v6() const { return length_ == 16; }
  bool empty() const { return length_ == 0; }
  // ::ffff:a.b.c.d as its IPv4 address; any other as it is.
  IpAddress Unmapped() const;
  // 4 or 16 octets in network order ($binary_remote_addr).
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), length_}; }
  // RFC 5952 text for IPv6, dotted for IPv4.
  std::string ToText() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  friend class Cidr;
  uint8_t length_ = 0;
  std::array<uint8_t, 16> bytes_{};
};

// What accept, connect and bind take: IPv4, IPv6 or a Unix path.
class SocketAddress {
 public:
  SocketAddress() = default;
  static SocketAddress FromSockaddr(const sockaddr* address, socklen_t length);
  static SocketAddress FromIp(const IpAddress& ip, uint16_t port);
  // Fails where the path does not fit sockaddr_un.
  static Result<SocketAddress> FromUnixPath(std::string_view path);
  // "1.2.3.4:80", "[::1]:80", "unix:/path"; a port is required for IP addresses.
  static std::optional<SocketAddress> Parse(std::string_view text);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  int family() const { return length_ == 0 ? AF_UNSPEC : storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  bool empty() const { return length_ == 0; }
  // Empty for Unix sockets.
  IpAddress ip() const;
  // 0 for Unix sockets.
  uint16_t port() const;
  void set_port(uint16_t port);
  std::string unix_path() const;
  // "1.2.3.4:80", "[::1]:80", "unix:/path" ("unix:" for an unnamed peer).
  std::string ToText() const;
  // Address without port: "1.2.3.4", "::1", "unix:".
  std::string HostText() const;
  bool operator==(const SocketAddress& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// A network: address and prefix length.
class Cidr {
 public:
  // "10.0.0.0/8", "::1", "192.168.1.1"; nothing where it is malformed.
  // `host_bits_set` (if given) tells that bits beyond the prefix were set and cleared.
  static std::optional<Cidr> Parse(std::string_view text, bool* host_bits_set = nullptr);
  // IPv4 in IPv6 clothes (::ffff:a.b.c.d) counts as IPv4, as in nginx: "::/0" does not hold it.
  bool Contains(const IpAddress& address) const;
  // The highest address inside.
  IpAddress last() const;
  const IpAddress& base() const { return base_; }
  int prefix_length() const { return prefix_length_; }
  // ::ffff:a.b.c.d/96 and longer as the IPv4 network that it is.
  Cidr Unmapped() const;
  bool operator==(const Cidr&) const = default;

 private:
  IpAddress base_;
  int prefix_length_ = 0;
};

// Many networks, asked by binary search. Add all, Build once, then ask.
class CidrSet {
 public:
  void Add(const Cidr& cidr);
  // Sorts and joins; again after a later Add.
  void Build();
  // As Cidr::Contains for any of them. Requires: Build was called after the last Add.
  bool Contains(const IpAddress& address) const;
  bool empty() const { return ranges_.empty(); }

 private:
  // First and last address; after Build sorted and disjoint, IPv4 before IPv6.
  struct Range {
    IpAddress first;
    IpAddress last;
  };
  std::vector<Range> ranges_;
  bool is_built_ = true;
};

}  // namespace framewall
