#include "backend/llm/ollama_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "backend/llm/openai_request.h"
#include "proxy/base/text.h"

namespace framewall::backend::llm {
namespace {

// Ollama's images have no type; other providers want one.
std::string AsDataUrl(std::string_view base64) {
  std::string_view type = "image/png";
  if (base64.starts_with("/9j/")) type = "image/jpeg";
  if (base64.starts_with("R0lGOD")) type = "image/gif";
  if (base64.starts_with("UklGR")) type = "image/webp";
  return fmt::format("data:{};base64,{}", type, base64);
}

bool IsBase64Octet(char c) {
  return IsAlpha(c) || IsDigit(c) || c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n';
}

void ReadImages(BodyReader& reader, const Place& holder, Turn& turn) {
  const auto images = BodyReader::Member(holder, "images");
  if (!images.has_value()) return;
  for (const Place& image : reader.Elements(*images)) {
    const std::string text = reader.Text(image);
    if (IsImageAddress(text)) {
      turn.images.push_back(text);  // for a provider that may have it, else refused
    } else if (std::all_of(text.begin(), text.end(), IsBase64Octet)) {
      turn.images.push_back(AsDataUrl(text));
    } else {
      return reader.Fail(image.pointer, "expected an image in base64", "invalid_image_url");
    }
  }
}

// The call that a tool's answer belongs to: by its name, else in the order of the calls.
std::string AnsweredCall(const std::vector<Turn>& turns, const std::string& tool_name) {
  size_t answered = 0;
  for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
    if (turn->role == "tool") ++answered;
    if (turn->tool_calls.empty()) continue;
    for (const ToolCall& call : turn->tool_calls) {
      if (call.name == tool_name) return call.id;
    }
    return answered < turn->tool_calls.size() ? turn->tool_calls[answered].id : "";
  }
  return "";
}

void ReadMessage(BodyReader& reader, const Place& message, CompletionRequest& request) {
  if (!reader.IsObject(message)) return;
  const auto role = reader.Need(message, "role");
  if (!role.has_value()) return;
  Turn turn{.role = reader.Text(*role)};
  if (turn.role != "system" && turn.role != "user" && turn.role != "assistant" &&
      turn.role != "tool") {
    return reader.Fail(role->pointer, "expected one of: system, user, assistant, tool");
  }
  turn.text = reader.TextOf(message, "content").value_or("");
  ReadImages(reader, message, turn);
  if (const auto calls = BodyReader::Member(message, "tool_calls")) {
    for (const Place& call : reader.Elements(*calls)) {
      const auto function = reader.Need(call, "function");
      if (!function.has_value() || !reader.IsObject(*function)) return;
      const auto name = reader.Need(*function, "name");
      if (!name.has_value()) return;
      const auto arguments = BodyReader::Member(*function, "arguments");
      // This dialect has no ids: they are numbered, for those that have.
      const size_t number = request.turns.size() * 1000 + turn.tool_calls.size();
      turn.tool_calls.push_back({fmt::format("call_{}", number), reader.Text(*name),
                                 arguments.has_value() ? arguments->value.Text() : "{}"});
    }
  }
  if (turn.role == "tool") {
    turn.tool_name = reader.TextOf(message, "tool_name").value_or("");
    turn.tool_call_id = AnsweredCall(request.turns, turn.tool_name);
  }
  request.turns.push_back(std::move(turn));
}

// What both bodies have.
void ReadCommon(BodyReader& reader, const Place& body, CompletionRequest& request, bool& stream) {
  if (const auto model = reader.Need(body, "model")) request.model = reader.Text(*model);
  stream = reader.FlagOf(body, "stream").value_or(true);
  if (const auto format = BodyReader::Member(body, "format")) {
    if (format->value.kind() == json::Kind::kObject) {
      request.answer_format = format->value.Text();
    } else if (const std::string name = reader.Text(*format); name == "json") {
      request.answer_format = "json_object";
    } else if (!name.empty()) {
      reader.Fail(format->pointer, "expected json, or a JSON Schema");
    }
  }
  const auto options = BodyReader::Member(body, "options");
  if (!options.has_value() || !reader.IsObject(*options)) return;
  request.temperature = reader.NumberOf(*options, "temperature", 0, 1000);
  request.top_p = reader.NumberOf(*options, "top_p", 0, 1);
  request.seed = reader.IntegerOf(*options, "seed", std::numeric_limits<int64_t>::min(),
                                  std::numeric_limits<int64_t>::max());
  const auto count = reader.IntegerOf(*options, "num_predict", -2, kMaxTokens);
  if (count.value_or(0) > 0) request.max_tokens = count;
  if (const auto stop = BodyReader::Member(*options, "stop")) {
    request.stop = ReadTexts(reader, *stop, 16);
  }
}

}  // namespace

void ReadOllamaChat(BodyReader& reader, const Place& body, CompletionRequest& request,
                    bool& stream) {
  ReadCommon(reader, body, request, stream);
  request.dialect = Dialect::kOllamaChat;
  if (const auto messages = reader.Need(body, "messages")) {
    const std::vector<Place> elements = reader.Elements(*messages);
    if (elements.size() > kMaxMessages) {
      return reader.Fail(messages->pointer,
                         fmt::format("expected at most {} messages", kMaxMessages));
    }
    for (const Place& message : elements) {
      if (reader.ok()) ReadMessage(reader, message, request);
    }
  }
  if (const auto tools = BodyReader::Member(body, "tools")) {
    for (const Place& tool : reader.Elements(*tools)) {
      if (const auto function = reader.Need(tool, "function")) {
        ReadFunction(reader, *function, request);
      }
    }
    if (request.tools.size() > kMaxTools) {
      reader.Fail(tools->pointer, fmt::format("expected at most {} tools", kMaxTools));
    }
  }
}

void ReadOllamaGenerate(BodyReader& reader, const Place& body, CompletionRequest& request,
                        bool& stream) {
  ReadCommon(reader, body, request, stream);
  request.dialect = Dialect::kOllamaGenerate;
  if (auto system = reader.TextOf(body, "system"); system.has_value() && !system->empty()) {
    request.turns.push_back({.role = "system", .text = std::move(*system)});
  }
  Turn turn{.role = "user", .text = reader.TextOf(body, "prompt").value_or("")};
  ReadImages(reader, body, turn);
  request.turns.push_back(std::move(turn));
}

std::string OllamaModelName(const Models& models, std::string_view name) {
  constexpr std::string_view kTag = ":latest";
  if (models.Find(name) == nullptr && name.ends_with(kTag)) name.remove_suffix(kTag.size());
  return std::string(name);
}

}  // namespace framewall::backend::llm
