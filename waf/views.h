// What the engine is shown of a request and of a response. Views only: every
// byte belongs to the caller and is needed for the length of the call alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace framewall::waf {

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// A TX variable that rules see from phase 1 on. Captures and ws_ names are not for callers.
struct VariableView {
  std::string_view name;
  std::string_view value;
};

struct RequestView {
  std::string_view method;
  // The target as the client sent it, undecoded, with its query.
  std::string_view target;
  // "1.1", "2.0": the digits alone.
  std::string_view http_version;
  // Addresses as text without brackets or port. The client is the real one,
  // after trusted hops were taken off.
  std::string_view client_address;
  std::uint16_t client_port = 0;
  std::string_view server_address;
  std::uint16_t server_port = 0;
  // Host without its port; stands in where no Host field is among `headers`.
  std::string_view hostname;
  std::span<const HeaderView> headers;
  std::span<const VariableView> variables;
};

struct ResponseView {
  int status = 0;
  // "HTTP/1.1"
  std::string_view protocol;
  std::span<const HeaderView> headers;
};

}  // namespace framewall::waf
