#include "proxy/http/upgrade.h"

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

bool IsBase64Char(char c) { return IsAlpha(c) || IsDigit(c) || c == '+' || c == '/'; }

// 16 octets in base64: 22 digits and "==". The last digit carries two bits only.
bool IsHandshakeKey(std::string_view key) {
  if (key.size() != 24 || key.substr(22) != "==") return false;
  for (char c : key.substr(0, 22)) {
    if (!IsBase64Char(c)) return false;
  }
  return std::string_view("AQgw").find(key[21]) != std::string_view::npos;
}

bool AsksForUpgrade(const RequestHead& head) {
  return head.version == Version::kHttp11 && head.fields.ListHas(FieldId::kConnection, "upgrade");
}

}  // namespace

WebSocketHandshake CheckWebSocketHandshake(const RequestHead& head) {
  if (!AsksForUpgrade(head) || !head.fields.ListHas(FieldId::kUpgrade, "websocket")) {
    return WebSocketHandshake::kNone;
  }
  const HeaderMap& fields = head.fields;
  if (head.method != Method::kGet || fields.Count(FieldId::kHost) != 1 ||
      fields.Count(FieldId::kSecWebSocketKey) != 1 ||
      !IsHandshakeKey(fields.Get(FieldId::kSecWebSocketKey))) {
    return WebSocketHandshake::kMalformed;
  }
  if (fields.Count(FieldId::kSecWebSocketVersion) != 1 ||
      fields.Get(FieldId::kSecWebSocketVersion) != "13") {
    return WebSocketHandshake::kBadVersion;
  }
  return WebSocketHandshake::kValid;
}

std::string_view UpgradeToken(const RequestHead& head) {
  std::string_view first;
  if (!AsksForUpgrade(head)) return first;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::kUpgrade) continue;
    ForEachListElement(field.value, [&first](std::string_view element) {
      if (first.empty()) first = element;
    });
  }
  return first;
}

}  // namespace framewall::http
