#include "proxy/http/message.h"

namespace framewall::http {

std::string_view VersionName(Version version) {
  switch (version) {
    case Version::kHttp10:
      return "HTTP/1.0";
    case Version::kHttp11:
      return "HTTP/1.1";
    case Version::kHttp2:
      return "HTTP/2.0";  // as nginx spells $server_protocol
  }
  return "HTTP/1.1";
}

void RequestHead::Clear() {
  method = Method::kOther;
  method_name = {};
  target = {};
  request_line = {};
  version = Version::kHttp11;
  version_name = {};
  fields.Clear();
}

void ResponseHead::Clear() {
  version = Version::kHttp11;
  status = 200;
  reason = {};
  status_line = {};
  fields.Clear();
}

}  // namespace framewall::http
