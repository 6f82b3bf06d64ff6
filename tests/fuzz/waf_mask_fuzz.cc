// Bodies, URIs and header fields on their way into an audit record: whatever they are, masking
// ends, and whatever stands in a field beside it, the value of a secret is gone. Octet 0 chooses
// the type that the body claims to have.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/encoding.h"
#include "waf/mask_body.h"
#include "waf/mask_json.h"
#include "waf/mask_multipart.h"

namespace framewall::waf {
namespace {

constexpr std::array<std::string_view, 6> kTypes = {"",
                                                    "application/json",
                                                    "application/x-www-form-urlencoded",
                                                    "multipart/form-data; boundary=B",
                                                    "multipart/form-data",
                                                    "text/plain"};
constexpr std::string_view kCanary = "canary0123456789";

void CheckGone(std::string_view type, const std::string& body) {
  const SecretFields fields;
  std::string out;
  FW_CHECK(MaskBody({fields}, type, body, nullptr, &out));
  FW_CHECK(out.find(kCanary) == std::string::npos);
}

void Check(std::string_view text, unsigned kind) {
  const SecretFields fields;
  SecretValues found;
  const MaskContext context{fields, &found};
  std::string out;
  if (!MaskBody(context, kTypes[kind % kTypes.size()], text, &found, &out)) FW_CHECK(out.empty());
  for (const std::string_view name :
       {"Authorization", "Cookie", "Set-Cookie", "Sec-WebSocket-Protocol", "Referer", "X-Any"}) {
    out.clear();
    if (!MaskHeader(context, name, text, &out)) FW_CHECK(out.empty());
  }
  out.clear();
  if (!MaskUrl(context, text, &out)) FW_CHECK(out.empty());
  out.clear();
  if (!MaskFreeText(context, text, &out)) FW_CHECK(out.empty());
  out.clear();
  if (!found.Replace(text, &out)) FW_CHECK(out.empty());

  if (text.find(kCanary.substr(0, 4)) != std::string_view::npos) return;
  std::string json = "{\"note\":\"";
  AppendJsonEscaped(json, text);
  CheckGone(kTypes[1], json + "\",\"password\":\"" + std::string(kCanary) + "\"}");
  CheckGone(kTypes[2], "note=" + PercentEncode(text, UriEscape::kUriComponent) +
                           "&password=" + std::string(kCanary));
  if (text.find("--") == std::string_view::npos) {
    CheckGone(kTypes[3],
              "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n" + std::string(text) +
                  "\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" +
                  std::string(kCanary) + "\r\n--B--\r\n");
  }
}

}  // namespace
}  // namespace framewall::waf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  framewall::waf::Check({reinterpret_cast<const char*>(data) + 1, size - 1}, data[0]);
  return 0;
}
