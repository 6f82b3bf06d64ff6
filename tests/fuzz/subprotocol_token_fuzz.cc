// The token among a handshake's sub-protocols: each line is a Sec-WebSocket-Protocol field. What is
// left of the list holds no token any more, and everything else that was asked for, in its order.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/exchange/identity.h"

namespace framewall::exchange {
namespace {

bool IsInOrder(std::string_view rest, const std::string& all) {
  size_t at = 0;
  bool in_order = true;
  ForEachListElement(rest, [&](std::string_view name) {
    const size_t found = all.find(name, at);
    in_order = in_order && found != std::string::npos;
    if (found != std::string::npos) at = found + name.size();
  });
  return in_order;
}

void Check(std::string_view text) {
  Arena arena;
  http::RequestHead request(&arena);
  for (const std::string_view line : Split(text, '\n')) {
    request.fields.Add("Sec-WebSocket-Protocol", line);
  }
  FW_CHECK(!FindSubprotocolToken(request).any);  // no handshake
  request.fields.Add("Upgrade", "websocket");
  const SubprotocolToken found = FindSubprotocolToken(request);
  FW_CHECK(found.any || found.token.empty());
  FW_CHECK(IsInOrder(found.others, request.fields.Joined(http::FieldId::kSecWebSocketProtocol)));
  request.fields.Set(http::FieldId::kSecWebSocketProtocol, found.others);
  const SubprotocolToken again = FindSubprotocolToken(request);
  FW_CHECK(!again.any && again.token.empty() && again.others == found.others);
}

}  // namespace
}  // namespace framewall::exchange

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  framewall::exchange::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
