#include "proxy/ws/handshake.h"

#include <algorithm>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"

namespace framewall::ws {
namespace {

constexpr size_t kKeyOctets = 16;
// RFC 6455 1.3: the same for everybody.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

Error FieldError(ErrorSource source, std::string_view what) {
  return {ErrorKind::kSyntax, source, std::string("Sec-WebSocket-Protocol ").append(what), 0};
}

}  // namespace

bool IsValidKey(std::string_view key) {
  if (key.size() != (kKeyOctets + 2) / 3 * 4) return false;
  const auto octets = Base64Decode(key);
  return octets && octets->size() == kKeyOctets;
}

std::string AcceptFor(std::string_view key) {
  return Base64Encode(Sha1(std::string(key).append(kGuid)));
}

std::string NewKey() { return Base64Encode(RandomBytes(kKeyOctets)); }

Result<std::vector<std::string_view>> ParseSubprotocols(std::string_view field) {
  std::vector<std::string_view> names;
  for (std::string_view element : Split(field, ',')) {
    element = Trim(element);
    if (element.empty()) continue;  // RFC 9110 5.6.1.2
    if (!IsToken(element)) {
      return FieldError(ErrorSource::kClient, "has an element that is not a token");
    }
    if (std::find(names.begin(), names.end(), element) != names.end()) {
      return FieldError(ErrorSource::kClient, "names a protocol twice");
    }
    if (names.size() == kMostSubprotocols) {
      return FieldError(ErrorSource::kClient, "names too many protocols");
    }
    names.push_back(element);
  }
  if (names.empty()) return FieldError(ErrorSource::kClient, "names no protocol");
  return names;
}

Status CheckSubprotocolAnswer(std::string_view field, const std::vector<std::string_view>& asked) {
  if (std::find(asked.begin(), asked.end(), Trim(field)) != asked.end()) return OkStatus();
  return FieldError(ErrorSource::kUpstream, "of the answer was not asked for");
}

}  // namespace framewall::ws
