#include "waf/message_payload.h"

#include <algorithm>
#include <optional>

#include "waf/message_binary.h"
#include "waf/message_json.h"
#include "waf/message_metadata.h"
#include "waf/message_text.h"

namespace framewall::waf {
namespace {

using Origin = MessageArguments::Origin;

constexpr std::string_view kTextName = "message";
constexpr std::string_view kJsonName = "json";

// From the first character that is no white space, if that opens a JSON container or string.
bool LooksLikeJson(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\x1e");
  return first != text.npos && (text[first] == '{' || text[first] == '[' || text[first] == '"');
}
bool LooksLikeJsonContainer(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && (text[first] == '{' || text[first] == '[');
}

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

// Puts values where they belong, looking into each.
class Values {
 public:
  explicit Values(MessageArguments* arguments) : arguments_(arguments) {}

  // Where a value that was not taken leaves the reading: false.
  bool Take(Origin origin, std::string_view name, std::string_view value, bool is_cut, int level) {
    if (level < kDeepestNesting && LooksLikeJsonContainer(value)) {
      switch (TakeJson(name, value, is_cut, level + 1)) {
        case JsonOutcome::kRead:
          return true;
        case JsonOutcome::kStopped:
          return false;
        case JsonOutcome::kBroken:
          break;
      }
    }
    if (!arguments_->Add(origin, name, value)) return false;
    if (level >= kDeepestNesting) return true;
    const std::optional<std::string> decoded = DecodeBase64Text(value);
    if (!decoded) return true;
    return Take(origin, std::string(name) + ".base64", *decoded, is_cut, level + 1);
  }

  // JSON inside a string. kBroken leaves no trace; so does JSON that says nothing ("{}", "[ ]"),
  // which is shown as the text it is.
  JsonOutcome TakeJson(std::string_view name, std::string_view text, bool is_cut, int level) {
    const std::size_t before = arguments_->size();
    Leaves leaves(*this, level);
    const JsonOutcome outcome = ReadJson(text, name, is_cut, leaves).outcome;
    if (outcome == JsonOutcome::kBroken) arguments_->Truncate(before);
    if (outcome == JsonOutcome::kRead && arguments_->size() == before) return JsonOutcome::kBroken;
    return outcome;
  }

  // JSON that is the message. On kStopped `taken` says how far it went.
  JsonResult TakeMessage(std::string_view text, bool is_cut) {
    const std::size_t before = arguments_->size();
    Leaves leaves(*this, 0);
    const JsonResult result = ReadJson(text, kJsonName, is_cut, leaves);
    if (result.outcome == JsonOutcome::kBroken) arguments_->Truncate(before);
    return result;
  }

 private:
  class Leaves final : public JsonLeaves {
   public:
    Leaves(Values& values, int level) : values_(values), level_(level) {}
    bool OnLeaf(std::string_view name, std::string_view value, LeafKind kind) override {
      if (kind == LeafKind::kOther) return values_.arguments_->Add(Origin::kJson, name, value);
      const std::size_t before = values_.arguments_->size();
      const bool taken =
          values_.Take(Origin::kJson, name, value, kind == LeafKind::kCutString, level_);
      // Half of a value would be judged twice: it stands in the rest too.
      if (!taken) values_.arguments_->Truncate(before);
      return taken;
    }

   private:
    Values& values_;
    int level_;
  };

  MessageArguments* arguments_;
};

// The message as text; what does not fit is the rest.
ReadPayloadResult TakeText(std::string_view text, PayloadKind kind, MessageArguments* arguments) {
  const std::size_t before = arguments->size();
  bool taken = arguments->Add(Origin::kPost, kTextName, text);
  if (const auto decoded = DecodeBase64Text(text); taken && decoded) {
    taken = Values(arguments).Take(Origin::kPost, "message.base64", *decoded, false, 1);
  }
  if (taken) return {kind, false, {}};
  arguments->Truncate(before);
  return {kind, true, text};
}

ReadPayloadResult TakeForm(std::string_view text, MessageArguments* arguments) {
  Values values(arguments);
  std::string name;
  std::string value;
  std::string_view left = text;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('&'), left.size());
    const std::string_view field = left.substr(0, end);
    const std::size_t equals = field.find('=');
    DecodeFormPart(field.substr(0, equals), &name);
    DecodeFormPart(field.substr(equals + 1), &value);
    const std::size_t before = arguments->size();
    if (!values.Take(Origin::kPost, name, value, false, 0)) {
      arguments->Truncate(before);
      return {PayloadKind::kForm, true, left};
    }
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return {PayloadKind::kForm, false, {}};
}

ReadPayloadResult TakeBinary(const PayloadView& payload, MessageArguments* arguments) {
  Values values(arguments);
  std::size_t index = 0;
  for (const std::string_view text : TextsInBinary(payload.bytes, payload.is_cut)) {
    const std::string name = "message.text_" + std::to_string(index++);
    const std::size_t before = arguments->size();
    const bool taken = HasXmp(text)
                           ? values.Take(Origin::kPost, name, WithoutXmpMarkup(text), false, 0)
                           : values.Take(Origin::kPost, name, text, false, 0);
    if (!taken) {
      arguments->Truncate(before);
      const auto at = static_cast<std::size_t>(text.data() - payload.bytes.data());
      return {PayloadKind::kBinary, true, payload.bytes.substr(at)};
    }
  }
  return {PayloadKind::kBinary, false, {}};
}

// Nothing where `json` is none.
std::optional<ReadPayloadResult> TakeJson(std::string_view json, const PayloadView& payload,
                                          PayloadKind kind, MessageArguments* arguments) {
  const JsonResult result = Values(arguments).TakeMessage(json, payload.is_cut);
  switch (result.outcome) {
    case JsonOutcome::kRead:
      return ReadPayloadResult{kind, false, {}};
    case JsonOutcome::kStopped:
      return ReadPayloadResult{kind, true, json.substr(result.taken)};
    case JsonOutcome::kBroken:
      break;
  }
  return std::nullopt;
}

bool IsBinary(const PayloadView& payload) {
  if (!payload.is_binary) return false;
  return !IsText(payload.is_cut ? WithoutPartialSequence(payload.bytes) : payload.bytes);
}

}  // namespace

std::string_view NameOf(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kText:
      return "text";
    case PayloadKind::kJson:
      return "json";
    case PayloadKind::kSocketIo:
      return "socketio";
    case PayloadKind::kForm:
      return "form";
    case PayloadKind::kBinary:
      return "binary";
    case PayloadKind::kXml:
      return "xml";
  }
  return "text";
}

MessageArguments::MessageArguments(std::size_t count, std::size_t octets, std::size_t overhead)
    : count_limit_(count), octet_limit_(octets), overhead_(overhead) {}

std::size_t MessageArguments::Room() const {
  const std::size_t used = bytes_.size() + (entries_.size() + 1) * overhead_;
  return used < octet_limit_ ? octet_limit_ - used : 0;
}

bool MessageArguments::Add(Origin origin, std::string_view name, std::string_view value) {
  if (entries_.size() >= count_limit_ || name.size() + value.size() > Room()) return false;
  entries_.push_back({origin, bytes_.size(), name.size(), value.size()});
  bytes_ += name;
  bytes_ += value;
  return true;
}

void MessageArguments::AddBeginning(Origin origin, std::string_view name, std::string_view value) {
  const std::size_t room = Room();
  if (name.size() >= room) return;
  value = value.substr(0, room - name.size());
  entries_.push_back({origin, bytes_.size(), name.size(), value.size()});
  bytes_ += name;
  bytes_ += value;
}

void MessageArguments::Truncate(std::size_t size) {
  if (size >= entries_.size()) return;
  bytes_.resize(entries_[size].at);
  entries_.resize(size);
}

MessageArguments::Argument MessageArguments::operator[](std::size_t index) const {
  const Entry& entry = entries_[index];
  const std::string_view bytes(bytes_);
  return {entry.origin, bytes.substr(entry.at, entry.name_size),
          bytes.substr(entry.at + entry.name_size, entry.value_size)};
}

ReadPayloadResult ReadPayload(const PayloadView& payload, MessageArguments* arguments) {
  if (IsBinary(payload)) return TakeBinary(payload, arguments);
  const std::string_view text = WithoutMark(payload.bytes);
  if (const auto packet = ReadSocketIo(text)) {
    const std::size_t before = arguments->size();
    if (!packet->space.empty() &&
        !arguments->Add(Origin::kPost, "socketio.namespace", packet->space)) {
      return {PayloadKind::kSocketIo, true, text};
    }
    if (auto result = TakeJson(packet->json, payload, PayloadKind::kSocketIo, arguments)) {
      return *result;
    }
    arguments->Truncate(before);
  }
  if (LooksLikeJson(text)) {
    if (auto result = TakeJson(text, payload, PayloadKind::kJson, arguments)) {
      // Whoever takes the message for text sees the quotes too.
      if (result->full || LooksLikeJsonContainer(text)) return *result;
      return TakeText(text, PayloadKind::kJson, arguments);
    }
  }
  if (IsForm(text)) {
    ReadPayloadResult result = TakeForm(text, arguments);
    // "allow_url_include=1" says something as a whole. With "&" in it only a form would be so.
    if (!result.full && text.find('&') == text.npos) {
      result = TakeText(text, PayloadKind::kForm, arguments);
    }
    return result;
  }
  return TakeText(text, PayloadKind::kText, arguments);
}

PayloadKind GuessKind(const PayloadView& payload) {
  if (IsBinary(payload)) return PayloadKind::kBinary;
  const std::string_view text = WithoutMark(payload.bytes);
  if (LooksLikeJsonContainer(text)) return PayloadKind::kJson;
  return ReadSocketIo(text) ? PayloadKind::kSocketIo : PayloadKind::kText;
}

}  // namespace framewall::waf
