#include "backend/llm/openai_request.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "proxy/base/text.h"

namespace framewall::backend::llm {
namespace {

void AppendText(std::string& to, const std::string& text) {
  if (!to.empty() && !text.empty()) to += "\n";
  to += text;
}

void ReadPart(BodyReader& reader, const Place& part, Turn& turn) {
  if (!reader.IsObject(part)) return;
  const auto type = reader.Need(part, "type");
  if (!type.has_value()) return;
  const std::string kind = reader.Text(*type);
  if (kind == "text" || kind == "refusal") {
    if (const auto text = reader.Need(part, kind)) AppendText(turn.text, reader.Text(*text));
  } else if (kind == "image_url") {
    const auto image = reader.Need(part, "image_url");
    if (!image.has_value() || !reader.IsObject(*image)) return;
    const auto url = reader.Need(*image, "url");
    if (!url.has_value()) return;
    std::string reference = reader.Text(*url);
    if (reader.ok() && !IsImageReference(reference)) {
      reader.Fail(url->pointer, "Expected an image: a data: URL, or an http(s) address.",
                  "invalid_image_url");
    }
    turn.images.push_back(std::move(reference));
  } else if (reader.ok()) {
    reader.Fail(type->pointer, "Expected one of: text, image_url.");
  }
}

void ReadContent(BodyReader& reader, const Place& content, Turn& turn) {
  if (content.value.kind() == json::Kind::kString) {
    turn.text = content.value.AsString();
    return;
  }
  if (content.value.kind() != json::Kind::kArray) {
    return reader.Fail(content.pointer, "Expected a string or an array of parts.", "invalid_type");
  }
  for (const Place& part : reader.Elements(content)) ReadPart(reader, part, turn);
}

void ReadToolCalls(BodyReader& reader, const Place& calls, Turn& turn) {
  for (const Place& call : reader.Elements(calls)) {
    if (!reader.IsObject(call)) return;
    const auto id = reader.Need(call, "id");
    const auto function = reader.Need(call, "function");
    if (!id.has_value() || !function.has_value() || !reader.IsObject(*function)) return;
    const auto name = reader.Need(*function, "name");
    if (!name.has_value()) return;
    turn.tool_calls.push_back({reader.Text(*id), reader.Text(*name),
                               reader.TextOf(*function, "arguments").value_or("{}")});
  }
}

void ReadMessage(BodyReader& reader, const Place& message, CompletionRequest& request) {
  if (!reader.IsObject(message)) return;
  const auto role = reader.Need(message, "role");
  if (!role.has_value()) return;
  Turn turn{.role = reader.Text(*role)};
  if (turn.role == "developer") turn.role = "system";
  if (turn.role != "system" && turn.role != "user" && turn.role != "assistant" &&
      turn.role != "tool") {
    return reader.Fail(role->pointer, "Expected one of: system, developer, user, assistant, tool.");
  }
  if (const auto calls = BodyReader::Member(message, "tool_calls")) {
    if (turn.role != "assistant") {
      return reader.Fail(calls->pointer, "Only messages of the assistant have tool calls.");
    }
    ReadToolCalls(reader, *calls, turn);
  }
  if (const auto content = BodyReader::Member(message, "content")) {
    ReadContent(reader, *content, turn);
  } else if (turn.role != "assistant") {
    (void)reader.Need(message, "content");
  }
  if (turn.role == "tool") {
    if (const auto id = reader.Need(message, "tool_call_id")) turn.tool_call_id = reader.Text(*id);
    // Dialects that name the function find it at the call that is answered.
    for (const Turn& earlier : request.turns) {
      for (const ToolCall& call : earlier.tool_calls) {
        if (call.id == turn.tool_call_id) turn.tool_name = call.name;
      }
    }
  }
  request.turns.push_back(std::move(turn));
}

void ReadTools(BodyReader& reader, const Place& tools, CompletionRequest& request) {
  for (const Place& tool : reader.Elements(tools)) {
    if (!reader.IsObject(tool)) return;
    const auto type = reader.Need(tool, "type");
    if (!type.has_value()) return;
    if (reader.Text(*type) != "function") {
      return reader.Fail(type->pointer, "Only tools of the type function are supported.");
    }
    const auto function = reader.Need(tool, "function");
    if (!function.has_value()) return;
    ReadFunction(reader, *function, request);
  }
  if (request.tools.size() > kMaxTools) {
    reader.Fail(tools.pointer, fmt::format("Expected at most {} tools.", kMaxTools));
  }
}

void ReadToolChoice(BodyReader& reader, const Place& choice, CompletionRequest& request) {
  if (choice.value.kind() == json::Kind::kString) {
    request.tool_choice = choice.value.AsString();
    if (request.tool_choice != "auto" && request.tool_choice != "none" &&
        request.tool_choice != "required") {
      reader.Fail(choice.pointer, "Expected one of: none, auto, required, or a function.");
    }
    return;
  }
  if (!reader.IsObject(choice)) return;
  const auto function = reader.Need(choice, "function");
  if (!function.has_value() || !reader.IsObject(*function)) return;
  const auto name = reader.Need(*function, "name");
  if (!name.has_value()) return;
  request.tool_choice = "=" + reader.Text(*name);
  for (const Tool& tool : request.tools) {
    if ("=" + tool.name == request.tool_choice) return;
  }
  reader.Fail(name->pointer, "Expected the name of one of the tools.");
}

void ReadAnswerFormat(BodyReader& reader, const Place& format, CompletionRequest& request) {
  if (!reader.IsObject(format)) return;
  const auto type = reader.Need(format, "type");
  if (!type.has_value()) return;
  const std::string kind = reader.Text(*type);
  if (kind == "json_object") {
    request.answer_format = kind;
  } else if (kind == "json_schema") {
    const auto named = reader.Need(format, "json_schema");
    if (!named.has_value() || !reader.IsObject(*named)) return;
    const auto schema = reader.Need(*named, "schema");
    if (schema.has_value() && reader.IsObject(*schema)) {
      request.answer_format = schema->value.Text();
    }
  } else if (kind != "text") {
    reader.Fail(type->pointer, "Expected one of: text, json_object, json_schema.");
  }
}

// What one stream of pieces cannot carry.
void RefuseOtherShapes(BodyReader& reader, const Place& body) {
  const auto count = reader.IntegerOf(body, "n", 1, 128);
  if (count.value_or(1) != 1) {
    reader.Fail("/n", "Only one choice for a request is supported.", "unsupported_parameter");
  }
  if (reader.FlagOf(body, "logprobs").value_or(false)) {
    reader.Fail("/logprobs", "Log probabilities are not supported.", "unsupported_parameter");
  }
  for (const std::string_view name : {"audio", "functions", "function_call"}) {
    if (BodyReader::Member(body, name).has_value()) {
      reader.Fail("/" + std::string(name), "This parameter is not supported.",
                  "unsupported_parameter");
    }
  }
}

}  // namespace

bool IsImageAddress(std::string_view reference) {
  return StartsWithIgnoreCase(reference, "https://") || StartsWithIgnoreCase(reference, "http://");
}

bool IsImageReference(std::string_view reference) {
  if (IsImageAddress(reference)) return true;
  return StartsWithIgnoreCase(reference, "data:image/") &&
         reference.find(";base64,") != reference.npos;
}

void ReadFunction(BodyReader& reader, const Place& function, CompletionRequest& request) {
  if (!reader.IsObject(function)) return;
  const auto name = reader.Need(function, "name");
  if (!name.has_value()) return;
  Tool tool{.name = reader.Text(*name),
            .description = reader.TextOf(function, "description").value_or(""),
            .parameters = ""};
  if (const auto parameters = BodyReader::Member(function, "parameters")) {
    if (!reader.IsObject(*parameters)) return;
    tool.parameters = parameters->value.Text();
  }
  request.tools.push_back(std::move(tool));
}

void ReadOpenAiChat(BodyReader& reader, const Place& body, CompletionRequest& request,
                    ChatOptions& options) {
  if (const auto model = reader.Need(body, "model")) request.model = reader.Text(*model);
  options.stream = reader.FlagOf(body, "stream").value_or(false);
  if (const auto more = BodyReader::Member(body, "stream_options")) {
    if (!options.stream) {
      reader.Fail(more->pointer, "Only allowed when stream is true.");
    } else if (reader.IsObject(*more)) {
      options.include_usage = reader.FlagOf(*more, "include_usage").value_or(false);
    }
  }
  if (const auto messages = reader.Need(body, "messages")) {
    const std::vector<Place> elements = reader.Elements(*messages);
    if (reader.ok() && (elements.empty() || elements.size() > kMaxMessages)) {
      reader.Fail(messages->pointer, fmt::format("Expected 1 to {} messages.", kMaxMessages));
    }
    for (const Place& message : elements) {
      if (!reader.ok()) break;
      ReadMessage(reader, message, request);
    }
  }
  request.temperature = reader.NumberOf(body, "temperature", 0, 2);
  request.top_p = reader.NumberOf(body, "top_p", 0, 1);
  request.max_tokens = reader.IntegerOf(body, "max_completion_tokens", 1, kMaxTokens);
  const auto max_tokens = reader.IntegerOf(body, "max_tokens", 1, kMaxTokens);
  if (!request.max_tokens.has_value()) request.max_tokens = max_tokens;
  request.seed = reader.IntegerOf(body, "seed", std::numeric_limits<int64_t>::min(),
                                  std::numeric_limits<int64_t>::max());
  if (const auto stop = BodyReader::Member(body, "stop")) {
    request.stop = ReadTexts(reader, *stop, 16);
  }
  if (const auto tools = BodyReader::Member(body, "tools")) ReadTools(reader, *tools, request);
  if (const auto choice = BodyReader::Member(body, "tool_choice")) {
    ReadToolChoice(reader, *choice, request);
  }
  if (const auto format = BodyReader::Member(body, "response_format")) {
    ReadAnswerFormat(reader, *format, request);
  }
  RefuseOtherShapes(reader, body);
}

}  // namespace framewall::backend::llm
