#include "proxy/http/http1/writer.h"

#include <charconv>
#include <cstddef>

#include "proxy/http/http1/line_reader.h"
#include "proxy/http/status.h"

namespace framewall::http {
namespace {

void AppendNumber(uint64_t value, int base, std::string& out) {
  char digits[24];
  const auto result = std::to_chars(digits, digits + sizeof digits, value, base);
  out.append(digits, static_cast<size_t>(result.ptr - digits));
}

// A field value or reason. One scan finds that there is nothing to do, nearly always.
void AppendText(std::string_view text, std::string& out) {
  const char* p = text.data();
  const char* end = p + text.size();
  while (true) {
    const char* control = FindControl(p, end);
    out.append(p, static_cast<size_t>(control - p));
    if (control == end) return;
    out.push_back(*control == '\r' || *control == '\n' || *control == '\0' ? ' ' : *control);
    p = control + 1;
  }
}

void AppendTarget(std::string_view target, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const char* p = target.data();
  const char* end = p + target.size();
  while (true) {
    const char* control = FindControlOrSpace(p, end);
    out.append(p, static_cast<size_t>(control - p));
    if (control == end) return;
    const uint8_t octet = static_cast<uint8_t>(*control);
    const char escaped[] = {'%', kDigits[octet >> 4], kDigits[octet & 15]};
    out.append(escaped, sizeof escaped);
    p = control + 1;
  }
}

}  // namespace

void AppendField(std::string_view name, std::string_view value, std::string& out) {
  out.append(name);
  out.append(": ");
  AppendText(value, out);
  out.append("\r\n");
}

void AppendNumberField(std::string_view name, uint64_t value, std::string& out) {
  out.append(name);
  out.append(": ");
  AppendNumber(value, 10, out);
  out.append("\r\n");
}

void AppendStatusLine(const ResponseHead& head, std::string& out) {
  if (head.status == 200 && head.reason.empty()) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(head.status), 10, out);
  out.push_back(' ');
  AppendText(head.reason.empty() ? ReasonPhrase(head.status) : head.reason, out);
  out.append("\r\n");
}

void AppendRequestLine(const RequestHead& head, std::string& out) {
  out.append(head.method_name.empty() ? MethodName(head.method) : head.method_name);
  out.push_back(' ');
  AppendTarget(head.target, out);
  out.append(head.version == Version::kHttp10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
}

void AppendChunkSize(uint64_t size, std::string& out) {
  AppendNumber(size, 16, out);
  out.append("\r\n");
}

void AppendLastChunk(const HeaderMap* trailers, std::string& out) {
  out.append("0\r\n");
  if (trailers != nullptr) {
    for (const Field& field : *trailers) {
      if (!IsHopByHop(field.id) && field.id != FieldId::kContentLength) {
        AppendField(field.name, field.value, out);
      }
    }
  }
  out.append("\r\n");
}

bool IsHopByHop(FieldId id) {
  return id == FieldId::kConnection || id == FieldId::kTransferEncoding ||
         id == FieldId::kKeepAlive || id == FieldId::kProxyConnection;
}

}  // namespace framewall::http
