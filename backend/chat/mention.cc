// Whom a text speaks to.
#include <string>

#include "backend/chat/answers.h"
#include "proxy/base/text.h"

namespace framewall::backend::chat {
namespace {

bool IsWordOctet(char c) {
  // Octets of letters beyond ASCII belong to words.
  return IsAlpha(c) || IsDigit(c) || c == '_' || c == '@' || (static_cast<uint8_t>(c) & 0x80) != 0;
}

// "@name" with no word before or behind it: "me@assistant.example" is an address.
bool Holds(std::string_view text, std::string_view name) {
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (at > 0 && IsWordOctet(text[at - 1])) continue;
    if (!StartsWithIgnoreCase(rest, name)) continue;
    const std::string_view behind = rest.substr(name.size());
    // A full stop ends a sentence; one with a letter behind it goes on with a name.
    if (behind.empty()) return true;
    if (IsWordOctet(behind[0]) || behind[0] == '-') continue;
    if ((behind[0] == '.' || behind[0] == ':' || behind[0] == '/') && behind.size() > 1 &&
        IsWordOctet(behind[1])) {
      continue;
    }
    return true;
  }
  return false;
}

}  // namespace

bool AddressesAssistant(std::string_view text, std::string_view model) {
  return Holds(text, "assistant") || (!model.empty() && Holds(text, model));
}

}  // namespace framewall::backend::chat
