#include "backend/llm/responses_request.h"

#include <fmt/format.h>

#include <utility>

#include "backend/llm/openai_request.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;

void RefuseState(BodyReader& reader, const Place& body) {
  const auto refuse = [&reader](const Place& place) {
    reader.Fail(place.pointer, "Nothing is stored here: send the whole conversation as input.",
                "unsupported_parameter");
  };
  for (const std::string_view name : {"previous_response_id", "conversation", "prompt"}) {
    if (const auto member = BodyReader::Member(body, name)) refuse(*member);
  }
  for (const std::string_view name : {"store", "background"}) {
    if (!reader.FlagOf(body, name).value_or(false)) continue;
    refuse(*BodyReader::Member(body, name));
  }
}

void ReadPart(BodyReader& reader, const Place& part, Turn& turn) {
  if (!reader.IsObject(part)) return;
  const auto type = reader.Need(part, "type");
  if (!type.has_value()) return;
  const std::string kind = reader.Text(*type);
  if (kind == "input_text" || kind == "output_text" || kind == "refusal") {
    const auto text = reader.Need(part, kind == "refusal" ? "refusal" : "text");
    if (!text.has_value()) return;
    if (!turn.text.empty()) turn.text += "\n";
    turn.text += reader.Text(*text);
  } else if (kind == "input_image") {
    const auto url = reader.Need(part, "image_url");
    if (!url.has_value()) return;
    std::string reference = reader.Text(*url);
    if (reader.ok() && !IsImageReference(reference)) {
      reader.Fail(url->pointer, "Expected an image: a data: URL, or an http(s) address.",
                  "invalid_image_url");
    }
    turn.images.push_back(std::move(reference));
  } else if (reader.ok()) {
    reader.Fail(type->pointer, "Expected one of: input_text, output_text, refusal, input_image.");
  }
}

void ReadContent(BodyReader& reader, const Place& content, Turn& turn) {
  if (content.value.kind() == Kind::kString) {
    turn.text = content.value.AsString();
    return;
  }
  for (const Place& part : reader.Elements(content)) ReadPart(reader, part, turn);
}

// Calls of one answer are items of their own here, and members of one turn with us.
void AddCall(ToolCall call, CompletionRequest& request) {
  if (request.turns.empty() || request.turns.back().role != "assistant") {
    request.turns.push_back({.role = "assistant"});
  }
  request.turns.back().tool_calls.push_back(std::move(call));
}

void ReadMessage(BodyReader& reader, const Place& item, CompletionRequest& request) {
  const auto role = reader.Need(item, "role");
  const auto content = reader.Need(item, "content");
  if (!role.has_value() || !content.has_value()) return;
  Turn turn{.role = reader.Text(*role)};
  if (turn.role == "developer") turn.role = "system";
  if (turn.role != "system" && turn.role != "user" && turn.role != "assistant") {
    return reader.Fail(role->pointer, "Expected one of: system, developer, user, assistant.");
  }
  ReadContent(reader, *content, turn);
  request.turns.push_back(std::move(turn));
}

void ReadItem(BodyReader& reader, const Place& item, CompletionRequest& request) {
  if (!reader.IsObject(item)) return;
  const std::string type = reader.TextOf(item, "type").value_or("message");
  if (type == "message") return ReadMessage(reader, item, request);
  if (type == "reasoning") return;  // of another model, or encrypted
  if (type == "function_call") {
    const auto id = reader.Need(item, "call_id");
    const auto name = reader.Need(item, "name");
    const auto arguments = reader.Need(item, "arguments");
    if (!id.has_value() || !name.has_value() || !arguments.has_value()) return;
    return AddCall({reader.Text(*id), reader.Text(*name), reader.Text(*arguments)}, request);
  }
  if (type == "function_call_output") {
    const auto id = reader.Need(item, "call_id");
    const auto output = reader.Need(item, "output");
    if (!id.has_value() || !output.has_value()) return;
    Turn turn{.role = "tool"};
    turn.tool_call_id = reader.Text(*id);
    for (const Turn& earlier : request.turns) {
      for (const ToolCall& call : earlier.tool_calls) {
        if (call.id == turn.tool_call_id) turn.tool_name = call.name;
      }
    }
    ReadContent(reader, *output, turn);
    request.turns.push_back(std::move(turn));
    return;
  }
  reader.Fail(item.pointer + "/type",
              "Expected one of: message, function_call, function_call_output, reasoning.",
              type == "item_reference" ? "unsupported_parameter" : "invalid_value");
}

void ReadTools(BodyReader& reader, const Place& body, CompletionRequest& request,
               ResponsesOptions& options) {
  if (const auto tools = BodyReader::Member(body, "tools")) {
    for (const Place& tool : reader.Elements(*tools)) {
      if (!reader.IsObject(tool)) return;
      if (reader.TextOf(tool, "type").value_or("") != "function") {
        return reader.Fail(tool.pointer + "/type", "Only tools of the type function are supported.",
                           "unsupported_parameter");
      }
      ReadFunction(reader, tool, request);
    }
    if (request.tools.size() > kMaxTools) {
      reader.Fail(tools->pointer, fmt::format("Expected at most {} tools.", kMaxTools));
    }
    options.tools = tools->value.Text();
  }
  const auto choice = BodyReader::Member(body, "tool_choice");
  if (!choice.has_value()) return;
  options.tool_choice = choice->value.Text();
  if (choice->value.kind() == Kind::kString) {
    request.tool_choice = choice->value.AsString();
    if (request.tool_choice == "auto" || request.tool_choice == "none" ||
        request.tool_choice == "required") {
      return;
    }
  } else if (reader.TextOf(*choice, "type").value_or("") == "function") {
    if (const auto name = reader.Need(*choice, "name")) {
      request.tool_choice = "=" + reader.Text(*name);
    }
    return;
  }
  reader.Fail(choice->pointer, "Expected one of: none, auto, required, or a function.");
}

void ReadFormat(BodyReader& reader, const Place& body, CompletionRequest& request,
                ResponsesOptions& options) {
  const auto text = BodyReader::Member(body, "text");
  if (!text.has_value() || !reader.IsObject(*text)) return;
  const auto format = BodyReader::Member(*text, "format");
  if (!format.has_value() || !reader.IsObject(*format)) return;
  const std::string type = reader.TextOf(*format, "type").value_or("text");
  if (type == "json_object") {
    request.answer_format = type;
  } else if (type == "json_schema") {
    const auto schema = reader.Need(*format, "schema");
    if (schema.has_value() && reader.IsObject(*schema)) {
      request.answer_format = schema->value.Text();
    }
  } else if (type != "text") {
    reader.Fail(format->pointer + "/type", "Expected one of: text, json_object, json_schema.");
  }
  options.text = text->value.Text();
}

}  // namespace

void ReadResponses(BodyReader& reader, const Place& body, CompletionRequest& request,
                   ResponsesOptions& options) {
  if (const auto model = reader.Need(body, "model")) request.model = reader.Text(*model);
  RefuseState(reader, body);
  options.stream = reader.FlagOf(body, "stream").value_or(false);
  if (const auto instructions = reader.TextOf(body, "instructions")) {
    request.turns.push_back({.role = "system", .text = *instructions});
    options.instructions = json::Node(*instructions).Text();
  }
  if (const auto input = reader.Need(body, "input")) {
    if (input->value.kind() == Kind::kString) {
      request.turns.push_back({.role = "user", .text = reader.Text(*input)});
    } else {
      const std::vector<Place> items = reader.Elements(*input);
      if (reader.ok() && (items.empty() || items.size() > kMaxMessages)) {
        reader.Fail(input->pointer, fmt::format("Expected 1 to {} items.", kMaxMessages));
      }
      for (const Place& item : items) {
        if (reader.ok()) ReadItem(reader, item, request);
      }
    }
  }
  request.temperature = reader.NumberOf(body, "temperature", 0, 2);
  request.top_p = reader.NumberOf(body, "top_p", 0, 1);
  request.max_tokens = reader.IntegerOf(body, "max_output_tokens", 1, kMaxTokens);
  ReadTools(reader, body, request, options);
  ReadFormat(reader, body, request, options);
  if (const auto metadata = BodyReader::Member(body, "metadata")) {
    if (reader.IsObject(*metadata)) options.metadata = metadata->value.Text();
  }
}

}  // namespace framewall::backend::llm
