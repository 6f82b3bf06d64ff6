#include "proxy/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "proxy/base/parse.h"

namespace framewall {
namespace {

constexpr size_t kUnixPathOffset = offsetof(sockaddr_un, sun_path);
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// inet_pton takes C strings only.
template <int family>
bool TextToAddress(std::string_view text, void* out) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != text.npos) return false;
  std::memcpy(buffer.data(), text.data(), text.size());
  return ::inet_pton(family, buffer.data(), out) == 1;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  IpAddress address;
  if (TextToAddress<AF_INET>(text, address.bytes_.data())) {
    address.length_ = 4;
    return address;
  }
  if (TextToAddress<AF_INET6>(text, address.bytes_.data())) {
    address.length_ = 16;
    return address;
  }
  return std::nullopt;
}

IpAddress IpAddress::FromV4(uint32_t host_order) {
  IpAddress address;
  address.length_ = 4;
  for (size_t i = 0; i < 4; ++i) {
    address.bytes_[i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  }
  return address;
}

IpAddress IpAddress::FromV6(const std::array<uint8_t, 16>& bytes) {
  IpAddress address;
  address.length_ = 16;
  address.bytes_ = bytes;
  return address;
}

IpAddress IpAddress::Unmapped() const {
  if (!is_v6() || !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin())) {
    return *this;
  }
  IpAddress v4;
  v4.length_ = 4;
  std::copy_n(bytes_.begin() + 12, 4, v4.bytes_.begin());
  return v4;
}

std::string IpAddress::ToText() const {
  if (empty()) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

SocketAddress SocketAddress::FromSockaddr(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  if (address == nullptr || length < sizeof(sa_family_t)) return result;
  // An IP address that is cut short is none.
  if (address->sa_family == AF_INET && length < sizeof(sockaddr_in)) return result;
  if (address->sa_family == AF_INET6 && length < sizeof(sockaddr_in6)) return result;
  result.length_ = std::min<socklen_t>(length, sizeof(result.storage_));
  std::memcpy(&result.storage_, address, result.length_);
  return result;
}

SocketAddress SocketAddress::FromIp(const IpAddress& ip, uint16_t port) {
  SocketAddress result;
  if (ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.bytes().data(), 4);
    result.length_ = sizeof(v4);
    std::memcpy(&result.storage_, &v4, sizeof(v4));
  } else if (ip.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, ip.bytes().data(), 16);
    result.length_ = sizeof(v6);
    std::memcpy(&result.storage_, &v6, sizeof(v6));
  }
  return result;
}

Result<SocketAddress> SocketAddress::FromUnixPath(std::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path.find('\0') != path.npos) {
    return OperatorError("unix socket path is empty or holds a zero octet");
  }
  if (path.size() >= sizeof(address.sun_path)) {
    return OperatorError("unix socket path \"" + std::string(path) + "\" has " +
                         std::to_string(path.size()) + " octets, the system allows " +
                         std::to_string(sizeof(address.sun_path) - 1));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  SocketAddress result;
  result.length_ = static_cast<socklen_t>(kUnixPathOffset + path.size() + 1);
  std::memcpy(&result.storage_, &address, result.length_);
  return result;
}

std::optional<SocketAddress> SocketAddress::Parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    auto address = FromUnixPath(text.substr(5));
    if (!address.ok()) return std::nullopt;
    return *address;
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto port = ParseUnsigned(digits);
  if (!port || *port > 65535 || digits.size() > 5) return std::nullopt;
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::Parse(host);
  // "::1:80" would be two addresses; brackets belong to IPv6 and to nothing else.
  if (!ip || ip->is_v6() != has_brackets) return std::nullopt;
  return FromIp(*ip, static_cast<uint16_t>(*port));
}

IpAddress SocketAddress::ip() const {
  if (family() == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage_, sizeof(v4));
    return IpAddress::FromV4(ntohl(v4.sin_addr.s_addr));
  }
  if (family() == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage_, sizeof(v6));
    std::array<uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::FromV6(bytes);
  }
  return {};
}

uint16_t SocketAddress::port() const {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  if (family() != AF_INET && family() != AF_INET6) return 0;
  sockaddr_in v4;
  std::memcpy(&v4, &storage_, sizeof(v4));
  return ntohs(v4.sin_port);
}

void SocketAddress::set_port(uint16_t port) {
  if (family() != AF_INET && family() != AF_INET6) return;
  const uint16_t network_order = htons(port);
  std::memcpy(reinterpret_cast<char*>(&storage_) + offsetof(sockaddr_in, sin_port), &network_order,
              sizeof(network_order));
}

std::string SocketAddress::unix_path() const {
  if (!is_unix() || length_ <= kUnixPathOffset) return {};
  const char* path = reinterpret_cast<const char*>(&storage_) + kUnixPathOffset;
  const size_t room = length_ - kUnixPathOffset;
  // Linux's abstract names start with a zero octet; they are shown as usual, with an @.
  if (path[0] == '\0')
    return room == 1 ? std::string() : std::string("@").append(path + 1, room - 1);
  return {path, ::strnlen(path, room)};
}

std::string SocketAddress::ToText() const {
  if (empty()) return {};
  if (is_unix()) return "unix:" + unix_path();
  const IpAddress address = ip();
  std::string text;
  if (address.is_v6()) text += '[';
  text += address.ToText();
  if (address.is_v6()) text += ']';
  return text.append(":").append(std::to_string(port()));
}

std::string SocketAddress::HostText() const { return is_unix() ? "unix:" : ip().ToText(); }

bool SocketAddress::operator==(const SocketAddress& other) const {
  if (family() != other.family()) return false;
  if (is_unix()) return unix_path() == other.unix_path();
  if (ip() != other.ip() || port() != other.port()) return false;
  if (family() != AF_INET6) return true;
  // fe80::1 on two links is two addresses.
  sockaddr_in6 mine;
  sockaddr_in6 theirs;
  std::memcpy(&mine, &storage_, sizeof(mine));
  std::memcpy(&theirs, &other.storage_, sizeof(theirs));
  return mine.sin6_scope_id == theirs.sin6_scope_id;
}

std::optional<Cidr> Cidr::Parse(std::string_view text, bool* host_bits_set) {
  if (host_bits_set != nullptr) *host_bits_set = false;
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const uint64_t bits = address->is_v4() ? 32 : 128;
  uint64_t prefix = bits;
  if (slash != text.npos) {
    const auto number = ParseUnsigned(text.substr(slash + 1));
    if (!number || *number > bits) return std::nullopt;
    prefix = *number;
  }
  Cidr cidr;
  cidr.base_ = *address;
  cidr.prefix_length_ = static_cast<int>(prefix);
  for (size_t i = 0; i < bits / 8; ++i) {
    const uint64_t kept =
        std::clamp<int64_t>(static_cast<int64_t>(prefix) - 8 * static_cast<int64_t>(i), 0, 8);
    cidr.base_.bytes_[i] &= static_cast<uint8_t>(0xff00u >> kept);
  }
  if (host_bits_set != nullptr) *host_bits_set = cidr.base_ != *address;
  return cidr;
}

IpAddress Cidr::last() const {
  IpAddress end = base_;
  for (int i = 0; i < end.length_; ++i) {
    const int kept = std::clamp(prefix_length_ - 8 * i, 0, 8);
    end.bytes_[static_cast<size_t>(i)] |= static_cast<uint8_t>(0xff >> kept);
  }
  return end;
}

Cidr Cidr::Unmapped() const {
  if (!base_.is_v6() || prefix_length_ < 96 || !base_.Unmapped().is_v4()) return *this;
  Cidr v4;
  v4.base_ = base_.Unmapped();
  v4.prefix_length_ = prefix_length_ - 96;
  return v4;
}

bool Cidr::Contains(const IpAddress& address) const {
  const IpAddress asked = address.Unmapped();
  const Cidr network = Unmapped();
  // Addresses of the other family sort before or after all of ours.
  return !asked.empty() && network.base_ <= asked && asked <= network.last();
}

void CidrSet::Add(const Cidr& cidr) {
  const Cidr network = cidr.Unmapped();
  ranges_.push_back({network.base(), network.last()});
  is_built_ = false;
}

void CidrSet::Build() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> joined;
  for (const Range& range : ranges_) {
    if (!joined.empty() && range.first <= joined.back().last) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  ranges_ = std::move(joined);
  is_built_ = true;
}

bool CidrSet::Contains(const IpAddress& address) const {
  FW_CHECK(is_built_);
  const IpAddress asked = address.Unmapped();
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), asked,
      [](const IpAddress& value, const Range& range) { return value < range.first; });
  return after != ranges_.begin() && asked <= std::prev(after)->last;
}

}  // namespace framewall
