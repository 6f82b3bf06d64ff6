#include "proxy/http/http1/start_line.h"

#include <cstddef>

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

constexpr MessageError kInvalidMethod{400, "client sent invalid method"};
constexpr MessageError kInvalidRequest{400, "client sent invalid request"};
constexpr MessageError kInvalidVersion{505, "client sent invalid version"};
constexpr MessageError kHttp09{400, "client sent HTTP/0.9 request"};

constexpr std::string_view kHttpSlash = "HTTP/";

// "HTTP/" at `p`; kMore while it may still become it.
LineOutcome ReadHttpSlash(const char* p, const char* end, const char** next) {
  for (char expected : kHttpSlash) {
    *next = p;
    if (p == end) return LineOutcome::kMore;
    if (*p++ != expected) return LineOutcome::kInvalid;
  }
  *next = p;
  return LineOutcome::kLine;
}

// The minor version: up to three digits, as nginx counts them; any but zero behaves as 1.1.
LineOutcome ReadMinor(const char* p, const char* end, Version* version, const char** next) {
  const char* start = p;
  bool is_zero = true;
  while (p != end && IsDigit(*p) && p - start < 3) {
    is_zero = is_zero && *p == '0';
    ++p;
  }
  *next = p;
  if (p == end) return LineOutcome::kMore;
  if (p == start || IsDigit(*p)) return LineOutcome::kInvalid;
  *version = is_zero ? Version::kHttp10 : Version::kHttp11;
  return LineOutcome::kLine;
}

// "HTTP/" major "." minor of a request line.
LineOutcome ReadVersion(const char* p, const char* end, RequestHead* head, const char** next,
                        MessageError* error) {
  const char* start = p;
  *error = kInvalidRequest;
  LineOutcome outcome = ReadHttpSlash(p, end, next);
  if (outcome != LineOutcome::kLine) return outcome;
  p = *next;
  if (p == end) return LineOutcome::kMore;
  if (*p < '1' || *p > '9') return LineOutcome::kInvalid;
  if (*p != '1') {
    *error = kInvalidVersion;
    return LineOutcome::kInvalid;
  }
  *next = ++p;
  if (p == end) return LineOutcome::kMore;
  if (*p != '.') {
    if (IsDigit(*p)) *error = kInvalidVersion;
    return LineOutcome::kInvalid;
  }
  outcome = ReadMinor(p + 1, end, &head->version, next);
  if (outcome != LineOutcome::kLine) return outcome;
  const std::string_view name(start, static_cast<size_t>(*next - start));
  if (name != VersionName(head->version)) head->version_name = name;
  return LineOutcome::kLine;
}

}  // namespace

LineOutcome ReadRequestLine(const char* p, const char* end, RequestHead* head, const char** next,
                            MessageError* error) {
  const char* start = p;
  while (p != end && IsTokenChar(*p)) ++p;
  *next = p;
  if (p == end) return LineOutcome::kMore;
  if (*p != ' ' || p == start) {
    *error = kInvalidMethod;
    return LineOutcome::kInvalid;
  }
  head->method_name = {start, static_cast<size_t>(p - start)};

  const char* target = ++p;
  p = FindControlOrSpace(p, end);
  *next = p;
  if (p == end) return LineOutcome::kMore;
  if (*p != ' ' || p == target) {
    const bool ends_here = p != target && (*p == '\r' || *p == '\n');
    *error = ends_here ? kHttp09 : kInvalidRequest;
    return LineOutcome::kInvalid;
  }
  head->target = {target, static_cast<size_t>(p - target)};

  LineOutcome outcome = ReadVersion(p + 1, end, head, next, error);
  if (outcome != LineOutcome::kLine) return outcome;
  p = *next;
  outcome = ReadLineEnd(p, end, next);
  if (outcome != LineOutcome::kLine) {
    *error = kInvalidRequest;
    return outcome;
  }
  head->request_line = {start, static_cast<size_t>(p - start)};
  head->method = FindMethod(head->method_name);
  return LineOutcome::kLine;
}

LineOutcome ReadStatusLine(const char* p, const char* end, ResponseHead* head, const char** next) {
  const char* start = p;
  LineOutcome outcome = ReadHttpSlash(p, end, next);
  if (outcome != LineOutcome::kLine) return outcome;
  p = *next;
  for (char expected : std::string_view("1.")) {
    *next = p;
    if (p == end) return LineOutcome::kMore;
    if (*p++ != expected) return LineOutcome::kInvalid;
  }
  outcome = ReadMinor(p, end, &head->version, next);
  if (outcome != LineOutcome::kLine) return outcome;
  p = *next;
  if (*p++ != ' ') return LineOutcome::kInvalid;

  int status = 0;
  for (int digit = 0; digit < 3; ++digit, ++p) {
    *next = p;
    if (p == end) return LineOutcome::kMore;
    if (!IsDigit(*p)) return LineOutcome::kInvalid;
    status = status * 10 + (*p - '0');
  }
  *next = p;
  if (p == end) return LineOutcome::kMore;
  if (status < 100) return LineOutcome::kInvalid;
  const char* reason = p;
  if (*p == ' ') {
    reason = ++p;
    p = FindControl(p, end);
    *next = p;
    if (p == end) return LineOutcome::kMore;
  }
  const char* line_end = p;
  outcome = ReadLineEnd(p, end, next);
  if (outcome != LineOutcome::kLine) return outcome;
  head->status = status;
  head->reason = {reason, static_cast<size_t>(line_end - reason)};
  head->status_line = {start, static_cast<size_t>(line_end - start)};
  return LineOutcome::kLine;
}

}  // namespace framewall::http
