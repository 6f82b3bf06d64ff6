// A message as a test reads it off a wire: by its own simple rules, not by ours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/wire.h"

namespace framewall::test {

struct HttpMessage {
  std::string start_line;  // "HTTP/1.1 200 OK", "GET / HTTP/1.1"; empty: nothing came
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // chunks are joined
  std::vector<std::pair<std::string, std::string>> trailers;
  std::string raw;        // as it came
  bool complete = false;  // false: the connection ended or went silent too early

  int status() const;
  // The first field of that name, case-blind; empty where there is none.
  std::string Header(std::string_view name) const;
  size_t CountHeaders(std::string_view name) const;
};

enum class BodyRule {
  kByHead,   // Content-Length, chunked, else: a request has none, a response runs to the end
  kNoBody,   // answers to HEAD
  kOnlyHead  // leave the body on the wire
};

// Reads one message. `pending` holds what was read too much, from call to call.
HttpMessage ReadMessage(Wire& wire, std::string& pending, BodyRule rule);

}  // namespace framewall::test
