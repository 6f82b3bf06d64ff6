#include "backend/api/openapi.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/api/openapi_texts.h"
#include "proxy/base/check.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

using Replacements = std::vector<std::pair<std::string_view, std::string>>;

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

json::Document Parse(std::string_view text, const Replacements& replacements) {
  std::string filled(text);
  for (const auto& [from, to] : replacements) ReplaceAll(filled, from, to);
  Result<json::Document> document = json::Document::Parse(filled);
  FW_CHECK(document.ok());
  return std::move(document).value();
}

void SetAll(json::Node& to, std::optional<json::Value> members) {
  if (!members) return;
  json::MemberCursor cursor(*members);
  while (const std::optional<json::Member> member = cursor.Next()) {
    FW_CHECK(!to.view().Find(member->name).has_value());
    to.Set(member->name, json::Node::Copy(member->value));
  }
}

// The inside of a JSON string.
std::string Inside(std::string_view text) {
  const std::string quoted = json::Node(text).Text();
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

std::string OpenApiText(const Settings& settings, std::string_view version) {
  // A number that stands alone loses its quotes; inside a text it does not.
  const std::string message_limit = std::to_string(settings.message_limit);
  const Replacements replacements = {
      {"\"${page_limit}\"", std::to_string(settings.page_limit)},
      {"\"${page_size}\"", std::to_string(settings.page_size)},
      {"\"${message_characters}\"", std::to_string(settings.message_characters)},
      {"${message_limit}", message_limit},
      {"${public_url}", Inside(settings.public_url)},
      {"${version}", Inside(version)},
  };
  json::Node paths = json::Node::Object();
  json::Node schemas = json::Node::Object();
  json::Node parameters = json::Node::Object();
  std::vector<json::Document> documents;
  for (const std::string_view text : OpenApiTexts()) {
    documents.push_back(Parse(text, replacements));
    const json::Value root = documents.back().root();
    SetAll(paths, root.Find("paths"));
    if (const auto components = root.Find("components")) {
      SetAll(schemas, components->Find("schemas"));
      SetAll(parameters, components->Find("parameters"));
    }
  }
  // The first one is the base of all.
  json::Node document = json::Node::Copy(documents.front().root());
  json::Node components = json::Node::Copy(*document.view().Find("components"));
  components.Set("schemas", std::move(schemas));
  components.Set("parameters", std::move(parameters));
  document.Set("paths", std::move(paths));
  document.Set("components", std::move(components));
  return document.Text();
}

}  // namespace framewall::backend::api
