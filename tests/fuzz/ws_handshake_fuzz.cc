// The handshake's fields: what is parsed is parsed the same when written anew, what we answer is
// within the settings and means the same to a client of ours. Octet 0 chooses the settings.
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/ws/extensions.h"
#include "proxy/ws/handshake.h"

namespace framewall::ws {
namespace {

std::string Written(const std::vector<Extension>& extensions) {
  std::string text;
  for (const Extension& extension : extensions) {
    FW_CHECK(IsToken(extension.name));
    text.append(text.empty() ? "" : ", ").append(extension.name);
    for (const ExtensionParam& param : extension.params) {
      FW_CHECK(IsToken(param.name) && (!param.value || IsToken(*param.value)));
      text.append("; ").append(param.name);
      if (param.value) text.append("=\"").append(*param.value).append("\"");
    }
  }
  return text;
}

bool InRange(int bits, int most) { return bits >= 8 && bits <= most; }

void Negotiate(const std::vector<Extension>& offers, const DeflateSettings& settings) {
  const DeflateAnswer answer = NegotiateAsServer(offers, settings);
  FW_CHECK(answer.params.has_value() == !answer.text.empty());
  if (!answer.params) return;
  FW_CHECK(answer.params->server_no_context_takeover || settings.server_context_takeover);
  FW_CHECK(answer.params->client_no_context_takeover || settings.client_context_takeover);
  FW_CHECK(InRange(answer.params->server_max_window_bits, settings.server_max_window_bits));
  FW_CHECK(InRange(answer.params->client_max_window_bits, 15));
  // A client that asks for nothing in particular.
  const DeflateSettings client{
      .enabled = true, .server_context_takeover = true, .client_context_takeover = true};
  const auto agreed = CheckAnswer(answer.text, client);
  FW_CHECK(agreed.ok() && **agreed == *answer.params);
}

}  // namespace
}  // namespace framewall::ws

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall;
  using namespace framewall::ws;
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const DeflateSettings settings{.enabled = (data[0] & 1) != 0,
                                 .server_context_takeover = (data[0] & 2) != 0,
                                 .client_context_takeover = (data[0] & 4) != 0,
                                 .server_max_window_bits = (data[0] & 8) != 0 ? 10 : 15,
                                 .client_max_window_bits = (data[0] & 16) != 0 ? 11 : 15};

  if (const auto extensions = ParseExtensions(text); extensions.ok()) {
    const auto again = ParseExtensions(Written(*extensions));
    FW_CHECK(again.ok() && *again == *extensions);
    Negotiate(*extensions, settings);
  }
  if (const auto agreed = CheckAnswer(text, settings); agreed.ok() && *agreed) {
    FW_CHECK(settings.enabled);
    FW_CHECK((*agreed)->server_no_context_takeover || settings.server_context_takeover);
    FW_CHECK((*agreed)->client_no_context_takeover || settings.client_context_takeover);
    FW_CHECK(InRange((*agreed)->server_max_window_bits, settings.server_max_window_bits));
    FW_CHECK(InRange((*agreed)->client_max_window_bits, settings.client_max_window_bits));
  }
  if (const auto names = ParseSubprotocols(text); names.ok()) {
    for (const std::string_view name : *names) {
      FW_CHECK(IsToken(name) && CheckSubprotocolAnswer(name, *names).ok());
    }
  }
  if (IsValidKey(text)) FW_CHECK(Base64Encode(*Base64Decode(text)) == text);
  return 0;
}
