#include "backend/chat/client_message.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "backend/base/characters.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "proxy/json/document.h"

namespace framewall::backend::chat {
namespace {

using Type = ClientMessage::Type;
using Value = json::Value;

constexpr int64_t kVersion = 1;
constexpr size_t kNameCharacters = 64;                // of ref and client_id
constexpr size_t kTokenOctets = size_t{16} << 10;     // what proxy/jwt takes
constexpr int64_t kLargestNumber = int64_t{1} << 53;  // what JavaScript counts exactly

struct TypeName {
  std::string_view name;
  Type type;
};
constexpr std::array kTypes = {
    TypeName{"hello", Type::kHello},     TypeName{"join", Type::kJoin},
    TypeName{"leave", Type::kLeave},     TypeName{"message", Type::kMessage},
    TypeName{"edit", Type::kEdit},       TypeName{"delete", Type::kDelete},
    TypeName{"typing", Type::kTyping},   TypeName{"presence", Type::kPresence},
    TypeName{"history", Type::kHistory}, TypeName{"cancel", Type::kCancel},
    TypeName{"auth", Type::kAuth},       TypeName{"ping", Type::kPing},
};

bool IsControl(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t' && c != '\n' && c != '\r') || octet == 0x7F;
}

// Members of one object; what is wrong with them is collected.
class Members {
 public:
  Members(Value object, std::string pointer, std::vector<FieldProblem>& problems)
      : object_(object), pointer_(std::move(pointer)), problems_(problems) {}

  // Null is as good as missing.
  std::optional<Value> Find(std::string_view name) const {
    std::optional<Value> value = object_.Find(name);
    if (value && value->kind() == json::Kind::kNull) value.reset();
    return value;
  }
  void Refuse(std::string_view name, std::string expected) {
    problems_.push_back({pointer_ + "/" + std::string(name), std::move(expected)});
  }

  std::string Id(std::string_view name) {
    const std::optional<Value> value = Find(name);
    if (value && value->kind() == json::Kind::kString && IsId(value->AsString())) {
      return std::string(value->AsString());
    }
    Refuse(name, "an id is expected: a UUID in lower case");
    return {};
  }
  // Missing: empty.
  std::string Name(std::string_view name) {
    const std::optional<Value> value = Find(name);
    if (!value) return {};
    if (value->kind() == json::Kind::kString) {
      const std::string_view text = value->AsString();
      const size_t characters = CountCharacters(text);
      if (characters >= 1 && characters <= kNameCharacters &&
          std::none_of(text.begin(), text.end(), [](char c) {
            return IsControl(c) || c == '\n' || c == '\r' || c == '\t';
          })) {
        return std::string(text);
      }
    }
    Refuse(name, "a string of 1 to 64 characters is expected");
    return {};
  }
  std::optional<int64_t> Integer(std::string_view name, int64_t least, int64_t most) {
    const std::optional<Value> value = Find(name);
    if (!value) return std::nullopt;
    if (value->kind() == json::Kind::kInteger && value->AsInteger() >= least &&
        value->AsInteger() <= most) {
      return value->AsInteger();
    }
    Refuse(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                     " is expected");
    return std::nullopt;
  }
  int64_t Number(std::string_view name) {
    const size_t before = problems_.size();
    const std::optional<int64_t> number = Integer(name, 1, kLargestNumber);
    if (!number && problems_.size() == before) Refuse(name, "a message's number is expected");
    return number.value_or(0);
  }
  std::optional<int64_t> Time(std::string_view name) {
    const std::optional<Value> value = Find(name);
    if (!value) return std::nullopt;
    if (value->kind() == json::Kind::kString) {
      if (const auto time = ParseRfc3339(value->AsString())) return time;
    }
    Refuse(name, "a time as in 2026-11-21T20:09:51.042Z is expected");
    return std::nullopt;
  }
  bool Flag(std::string_view name) {
    const std::optional<Value> value = Find(name);
    if (value && value->kind() == json::Kind::kBoolean) return value->AsBoolean();
    Refuse(name, "true or false is expected");
    return false;
  }
  std::string Text(std::string_view name, const MessageLimits& limits) {
    const std::optional<Value> value = Find(name);
    if (!value || value->kind() != json::Kind::kString) {
      Refuse(name, "a string is expected");
      return {};
    }
    std::string fault = TextFault(value->AsString(), limits);
    if (fault.empty()) return std::string(value->AsString());
    Refuse(name, std::move(fault));
    return {};
  }
  std::string Token(std::string_view name) {
    const std::optional<Value> value = Find(name);
    if (value && value->kind() == json::Kind::kString && !value->AsString().empty() &&
        value->AsString().size() <= kTokenOctets) {
      return std::string(value->AsString());
    }
    Refuse(name, "an access token is expected");
    return {};
  }
  RoomWish Wish() {
    RoomWish wish;
    wish.room = Id("room");
    wish.after = Integer("after", 0, kLargestNumber);
    wish.since = Time("since");
    return wish;
  }

 private:
  Value object_;
  std::string pointer_;
  std::vector<FieldProblem>& problems_;
};

void ReadRooms(Members& members, ClientMessage& message, const MessageLimits& limits,
               std::vector<FieldProblem>& problems) {
  const std::optional<Value> rooms = members.Find("rooms");
  if (!rooms) return;
  if (rooms->kind() != json::Kind::kArray || rooms->size() > limits.rooms) {
    members.Refuse("rooms",
                   "an array of at most " + std::to_string(limits.rooms) + " rooms is expected");
    return;
  }
  for (size_t i = 0; i < rooms->size(); ++i) {
    const Value room = rooms->At(i);
    const std::string pointer = "/rooms/" + std::to_string(i);
    if (room.kind() != json::Kind::kObject) {
      problems.push_back({pointer, "an object is expected"});
      continue;
    }
    message.rooms.push_back(Members(room, pointer, problems).Wish());
  }
}

void ReadHistory(Members& members, ClientMessage& message, const MessageLimits& limits) {
  message.room = members.Id("room");
  message.before = members.Integer("before", 1, kLargestNumber);
  message.after = members.Integer("after", 0, kLargestNumber);
  if (message.before && message.after) {
    members.Refuse("after", "one of before and after is expected, not both");
  }
  message.limit = members.Integer("limit", 1, limits.page).value_or(0);
}

void ReadMembers(Members& members, ClientMessage& message, const MessageLimits& limits,
                 std::vector<FieldProblem>& problems) {
  switch (message.type) {
    case Type::kHello:
      return ReadRooms(members, message, limits, problems);
    case Type::kJoin:
      message.rooms.push_back(members.Wish());
      message.room = message.rooms.front().room;
      return;
    case Type::kLeave:
    case Type::kPresence:
      message.room = members.Id("room");
      return;
    case Type::kMessage:
      message.room = members.Id("room");
      message.client_id = members.Name("client_id");
      if (message.client_id.empty() && !members.Find("client_id")) {
        members.Refuse("client_id", "a string of 1 to 64 characters is expected");
      }
      message.text = members.Text("text", limits);
      if (message.ref.empty()) message.ref = message.client_id;
      return;
    case Type::kEdit:
      message.room = members.Id("room");
      message.number = members.Number("number");
      message.text = members.Text("text", limits);
      return;
    case Type::kDelete:
    case Type::kCancel:
      message.room = members.Id("room");
      message.number = members.Number("number");
      return;
    case Type::kTyping:
      message.room = members.Id("room");
      message.active = members.Flag("active");
      return;
    case Type::kHistory:
      return ReadHistory(members, message, limits);
    case Type::kAuth:
      message.token = members.Token("token");
      return;
    case Type::kPing:
      return;
  }
}

Refusal NotTheProtocol(std::string code, std::string detail) {
  return {.ends = true,
          .in_reply_to = {},
          .room = {},
          .problem = {
              .status = 400, .code = std::move(code), .detail = std::move(detail), .fields = {}}};
}

}  // namespace

std::string TextFault(std::string_view text, const MessageLimits& limits) {
  if (text.size() > limits.octets) {
    return "at most " + std::to_string(limits.octets) + " octets of UTF-8 are expected";
  }
  if (CountCharacters(text) > limits.characters) {
    return "at most " + std::to_string(limits.characters) + " characters are expected";
  }
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return "control characters other than tab and line break are not expected";
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return "at least one character that is no blank is expected";
  }
  return {};
}

ParsedMessage ParseClientMessage(std::string_view json, const MessageLimits& limits) {
  // Objects of rooms with three members each, and some to spare for what we do not know.
  const json::Limits shape{
      .octets = json.size() + 1, .depth = 16, .values = 1000 + 8 * limits.rooms};
  const Result<json::Document> document = json::Document::Parse(json, shape);
  if (!document.ok()) return NotTheProtocol("not_json", "A message is one JSON object.");
  const Value root = document->root();
  if (root.kind() != json::Kind::kObject) {
    return NotTheProtocol("not_json", "A message is one JSON object.");
  }
  const std::optional<Value> type = root.Find("type");
  if (!type || type->kind() != json::Kind::kString) {
    return NotTheProtocol("no_type", "A message has a \"type\", a string.");
  }

  std::vector<FieldProblem> problems;
  Members members(root, "", problems);
  ClientMessage message;
  message.ref = members.Name("ref");
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& row) {
    return row.name == type->AsString();
  });
  if (known == kTypes.end()) {
    return Refusal{.ends = false,
                   .in_reply_to = message.ref,
                   .room = {},
                   .problem = {.status = 400,
                               .code = "unknown_type",
                               .detail = "There is no such type of message.",
                               .fields = {}}};
  }
  message.type = known->type;
  if (message.type == Type::kHello) {
    const std::optional<Value> version = members.Find("v");
    if (!version || version->kind() != json::Kind::kInteger || version->AsInteger() != kVersion) {
      return NotTheProtocol("version", "Version 1 is spoken here: \"v\": 1 is expected.");
    }
  }
  ReadMembers(members, message, limits, problems);
  if (!problems.empty()) {
    return Refusal{.ends = false,
                   .in_reply_to = message.ref,
                   .room = message.room,
                   .problem = Invalid(std::move(problems))};
  }
  return message;
}

}  // namespace framewall::backend::chat
