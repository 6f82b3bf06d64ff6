// Heads of requests and responses. Views point into the arena of their HeaderMap.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/http/headers.h"
#include "proxy/http/method.h"

namespace framewall::http {

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };

// "HTTP/1.1"
std::string_view VersionName(Version version);

struct RequestHead {
  explicit RequestHead(Arena* arena) : fields(arena) {}

  Method method = Method::kOther;
  std::string_view method_name;
  std::string_view target;        // as it was sent
  std::string_view request_line;  // "GET /a HTTP/1.1" as it was sent, without line end
  Version version = Version::kHttp11;
  // The version as sent, where it is not one of the enum's (HTTP/1.2 is treated as 1.1).
  std::string_view version_name;
  HeaderMap fields;

  void Clear();
};

struct ResponseHead {
  explicit ResponseHead(Arena* arena) : fields(arena) {}

  Version version = Version::kHttp11;
  int status = 200;
  std::string_view reason;       // empty: the writer uses ReasonPhrase
  std::string_view status_line;  // as received, without line end; empty for our own
  HeaderMap fields;

  void Clear();
};

// Where a message body ends (RFC 9112 6.3).
struct BodyFraming {
  enum class Kind : uint8_t {
    kNone,        // there is no body
    kLength,      // `length` octets
    kChunked,     // until the last chunk
    kUntilClose,  // responses only
  };
  Kind kind = Kind::kNone;
  uint64_t length = 0;
};

}  // namespace framewall::http
