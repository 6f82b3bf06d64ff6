#include "proxy/event/dns_message.h"

#include <array>
#include <utility>

#include "proxy/base/text.h"

namespace framewall::event {
namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 255;
constexpr uint16_t kClassIn = 1;

Error Bad(const char* what) {
  return Error{ErrorKind::kSyntax, ErrorSource::kUpstream, std::string(what) + " in DNS response",
               0};
}

void AppendBig16(std::string& out, uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

// Walks over a message. Every read checks that the octets are there.
class Reader {
 public:
  Reader(ByteView message, size_t at) : message_(message), at_(at) {}

  bool Read16(uint16_t* value) {
    if (left() < 2) return false;
    *value = ReadBig16(message_.substr(at_));
    at_ += 2;
    return true;
  }
  bool Read32(uint32_t* value) {
    if (left() < 4) return false;
    *value = ReadBig32(message_.substr(at_));
    at_ += 4;
    return true;
  }
  // A name, with compression (RFC 1035 4.1.4). Pointers may only go backwards, so it ends.
  bool ReadName(std::string* name) {
    name->clear();
    size_t at = at_;
    size_t lowest = at_;
    bool jumped = false;
    for (;;) {
      if (at >= message_.size()) return false;
      const size_t length = ByteAt(message_, at);
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return true;
      }
      if ((length & 0xc0) == 0xc0) {
        if (at + 2 > message_.size()) return false;
        const size_t target = ReadBig16(message_.substr(at)) & 0x3fffU;
        if (target >= lowest) return false;
        if (!jumped) at_ = at + 2;
        jumped = true;
        lowest = at = target;
        continue;
      }
      if (length > kMaxLabel || length > message_.size() - at - 1) return false;
      if (!name->empty()) *name += '.';
      for (const char c : message_.substr(at + 1, length)) *name += ToLowerAscii(c);
      if (name->size() > kMaxName) return false;
      at += 1 + length;
    }
  }
  bool ReadBytes(size_t size, ByteView* bytes) {
    if (left() < size) return false;
    *bytes = message_.substr(at_, size);
    at_ += size;
    return true;
  }
  size_t at() const { return at_; }

 private:
  size_t left() const { return message_.size() - at_; }
  ByteView message_;
  size_t at_;
};

Status ReadRecord(ByteView message, Reader& reader, DnsAnswer* answer) {
  std::string owner;
  uint16_t type = 0, record_class = 0, length = 0;
  uint32_t ttl = 0;
  if (!reader.ReadName(&owner)) return Bad("invalid name");
  if (!reader.Read16(&type) || !reader.Read16(&record_class) || !reader.Read32(&ttl) ||
      !reader.Read16(&length)) {
    return Bad("short record");
  }
  const size_t data_at = reader.at();
  ByteView data;
  if (!reader.ReadBytes(length, &data)) return Bad("short record");
  if (record_class != kClassIn) return Bad("unexpected RR class");
  // RFC 2181 8: with the highest bit set it counts as zero.
  if (ttl > INT32_MAX) ttl = 0;
  answer->ttl = std::min(answer->ttl, ttl);

  switch (DnsType{type}) {
    case DnsType::kA:
      if (answer->type != type) return Bad("unexpected A record");
      if (length != 4) return Bad("invalid A record");
      answer->addresses.push_back(IpAddress::FromV4(ReadBig32(data)));
      break;
    case DnsType::kAaaa: {
      if (answer->type != type) return Bad("unexpected AAAA record");
      if (length != 16) return Bad("invalid AAAA record");
      std::array<uint8_t, 16> bytes{};
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = ByteAt(data, i);
      answer->addresses.push_back(IpAddress::FromV6(bytes));
      break;
    }
    case DnsType::kCname: {
      Reader inside(message, data_at);
      if (!inside.ReadName(&answer->cname) || inside.at() != data_at + length) {
        return Bad("invalid CNAME record");
      }
      if (answer->cname.empty()) return Bad("zero-length domain name");
      break;
    }
    default:  // DNAME, RRSIG: of no use here
      break;
  }
  return OkStatus();
}

}  // namespace

std::optional<std::string> EncodeDnsQuery(uint16_t id, std::string_view name, DnsType type) {
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  std::string query;
  query.reserve(kHeaderSize + name.size() + 6);
  AppendBig16(query, id);
  AppendBig16(query, 0x0100);  // recursion desired
  AppendBig16(query, 1);       // one question, nothing else
  query.append(6, '\0');
  for (const std::string_view label : Split(name, '.')) {
    if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
    query += static_cast<char>(label.size());
    query += label;
  }
  query += '\0';
  AppendBig16(query, static_cast<uint16_t>(type));
  AppendBig16(query, kClassIn);
  return query;
}

Result<DnsAnswer> ParseDnsAnswer(ByteView message) {
  if (message.size() < kHeaderSize) return Bad("short header");
  DnsAnswer answer;
  answer.id = ReadBig16(message);
  const uint16_t flags = ReadBig16(message.substr(2));
  const uint16_t questions = ReadBig16(message.substr(4));
  const uint16_t records = ReadBig16(message.substr(6));
  // A response (0x8000) to a standard query (opcode 0).
  if ((flags & 0xf800U) != 0x8000U) return Bad("invalid flags");
  answer.code = flags & 0xf;
  answer.truncated = (flags & 0x0200U) != 0;
  if (answer.code == kDnsFormatError) return answer;
  if (questions != 1) return Bad("invalid number of questions");

  Reader reader(message, kHeaderSize);
  uint16_t question_class = 0;
  if (!reader.ReadName(&answer.name) || answer.name.empty()) return Bad("invalid question");
  if (!reader.Read16(&answer.type) || !reader.Read16(&question_class)) return Bad("short question");
  if (question_class != kClassIn) return Bad("unknown query class");
  if (answer.truncated) return answer;

  answer.records = records;
  for (size_t i = 0; i < records; ++i) FW_TRY(ReadRecord(message, reader, &answer));
  return answer;
}

}  // namespace framewall::event
