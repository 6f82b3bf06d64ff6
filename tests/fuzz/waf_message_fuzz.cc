// Payloads of WebSocket messages: whatever they are, reading ends within its limits, loses nothing
// and reads a beginning as it reads the whole. Octet 0 chooses the frame's kind and the limits,
// octet 1 where the payload is cut.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "waf/message_binary.h"
#include "waf/message_metadata.h"
#include "waf/message_payload.h"

namespace framewall::waf {
namespace {

bool IsIn(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void CheckReading(std::string_view bytes, bool is_binary, bool is_cut, std::size_t count,
                  std::size_t octets) {
  MessageArguments arguments(count, octets);
  const ReadPayloadResult result = ReadPayload({bytes, is_binary, is_cut}, &arguments);
  FW_CHECK(arguments.size() <= count);
  FW_CHECK(arguments.octets() <= octets);
  std::size_t total = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    FW_CHECK(!arguments[i].name.empty());
    total += arguments[i].name.size() + arguments[i].value.size();
  }
  FW_CHECK(total == arguments.octets());
  FW_CHECK(result.rest.empty() || (result.full && IsIn(result.rest, bytes)));
  if (result.full) {
    arguments.AddBeginning(MessageArguments::Origin::kPost, "message", result.rest);
    FW_CHECK(arguments.size() <= count + 1 && arguments.octets() <= octets);
    return;
  }
  // Text is there as it came, but for the mark of its encoding.
  if (result.kind == PayloadKind::kText) {
    FW_CHECK(arguments.size() >= 1);
    FW_CHECK(arguments[0].name == "message");
    FW_CHECK(bytes.ends_with(arguments[0].value) && bytes.size() - arguments[0].value.size() <= 3);
  }
}

void CheckBinary(std::string_view bytes, bool is_cut) {
  const char* before = bytes.data();
  for (const std::string_view text : TextsInBinary(bytes, is_cut)) {
    FW_CHECK(!text.empty() && IsIn(text, bytes));
    FW_CHECK(text.data() >= before);
    before = text.data();
  }
}

}  // namespace
}  // namespace framewall::waf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace framewall::waf;
  if (size < 2) return 0;
  const bool is_binary = (data[0] & 1) != 0;
  const std::size_t count = (data[0] & 2) != 0 ? 3 : 10000;
  const std::size_t octets = (data[0] & 4) != 0 ? 64 : std::size_t{1} << 26;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(data[1], bytes.size());
  CheckReading(bytes, is_binary, false, count, octets);
  CheckReading(bytes.substr(0, bytes.size() - cut), is_binary, true, count, octets);
  CheckBinary(bytes, false);
  CheckBinary(bytes.substr(0, cut), true);
  const std::string plain = WithoutXmpMarkup(bytes);
  FW_CHECK(plain.size() <= 2 * bytes.size());
  return 0;
}
