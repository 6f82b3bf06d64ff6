#include "tests/support/http_message.h"

#include <strings.h>

#include <cstdlib>

namespace framewall::test {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

bool SameName(const std::string& a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), b.size()) == 0;
}

// Octets of a message as they are asked for.
class Source {
 public:
  Source(Wire& wire, std::string& pending, std::string& raw)
      : wire_(wire), pending_(pending), raw_(raw) {}

  // Up to and with "\n"; empty where the wire ends before.
  std::string Line() {
    size_t end;
    while ((end = pending_.find('\n')) == pending_.npos) {
      if (!More()) return {};
    }
    return Take(end + 1);
  }
  bool Octets(size_t count, std::string& into) {
    while (pending_.size() < count) {
      if (!More()) {
        into += Take(pending_.size());
        return false;
      }
    }
    into += Take(count);
    return true;
  }
  void Rest(std::string& into) {
    while (More()) {
    }
    into += Take(pending_.size());
  }
  bool at_end() const { return wire_.at_end(); }

 private:
  bool More() {
    const std::string piece = wire_.ReadSome();
    pending_ += piece;
    return !piece.empty();
  }
  std::string Take(size_t count) {
    std::string taken = pending_.substr(0, count);
    pending_.erase(0, count);
    raw_ += taken;
    return taken;
  }

  Wire& wire_;
  std::string& pending_;
  std::string& raw_;
};

std::string WithoutLineEnd(std::string line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return line;
}

// False where the wire ended inside.
bool ReadFields(Source& source, Fields& fields) {
  for (;;) {
    const std::string raw_line = source.Line();
    if (raw_line.empty()) return false;
    const std::string line = WithoutLineEnd(raw_line);
    if (line.empty()) return true;
    const size_t colon = line.find(':');
    size_t value = colon == line.npos ? line.size() : colon + 1;
    while (value < line.size() && line[value] == ' ') ++value;
    fields.emplace_back(line.substr(0, colon), line.substr(value));
  }
}

bool ReadChunks(Source& source, HttpMessage& message) {
  for (;;) {
    const std::string line = source.Line();
    if (line.empty()) return false;
    const size_t size = std::strtoul(line.c_str(), nullptr, 16);
    if (size == 0) return ReadFields(source, message.trailers);
    if (!source.Octets(size, message.body)) return false;
    if (source.Line().empty()) return false;
  }
}

bool HasNoBody(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace

int HttpMessage::status() const {
  if (!start_line.starts_with("HTTP/") || start_line.size() < 12) return 0;
  return std::atoi(start_line.c_str() + 9);
}

std::string HttpMessage::Header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (SameName(field, name)) return value;
  }
  return {};
}

size_t HttpMessage::CountHeaders(std::string_view name) const {
  size_t count = 0;
  for (const auto& field : headers) count += SameName(field.first, name) ? 1 : 0;
  return count;
}

HttpMessage ReadMessage(Wire& wire, std::string& pending, BodyRule rule) {
  HttpMessage message;
  Source source(wire, pending, message.raw);
  message.start_line = WithoutLineEnd(source.Line());
  if (message.start_line.empty() || !ReadFields(source, message.headers)) return message;
  const bool is_response = message.start_line.starts_with("HTTP/");
  const std::string length = message.Header("Content-Length");
  const bool none = rule != BodyRule::kByHead || (is_response && HasNoBody(message.status()));
  if (none) {
    message.complete = true;
  } else if (message.Header("Transfer-Encoding").find("chunked") != std::string::npos) {
    message.complete = ReadChunks(source, message);
  } else if (!length.empty()) {
    message.complete = source.Octets(std::strtoul(length.c_str(), nullptr, 10), message.body);
  } else if (is_response) {
    source.Rest(message.body);
    message.complete = source.at_end();
  } else {
    message.complete = true;
  }
  return message;
}

}  // namespace framewall::test
