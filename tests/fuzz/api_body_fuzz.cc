// Bodies of the REST API, each of its requests by the first octet: whatever is taken is allowed by
// the schema that the OpenAPI document tells of it, and what is refused names its fields.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend/api/openapi.h"
#include "backend/api/requests.h"
#include "backend/server/page.h"
#include "proxy/base/check.h"
#include "proxy/json/node.h"
#include "proxy/json/pointer.h"
#include "proxy/json/schema.h"

namespace framewall::backend::api {
namespace {

using Members = Body::Members;

struct Kind {
  const char* schema;
  void (*read)(Body&);
  Members members;
};

constexpr std::array kKinds = {
    Kind{"MeChange", [](Body& body) { ReadMeChange(body); }, Members::kAny},
    Kind{"NewConversation", [](Body& body) { ReadNewConversation(body); }, Members::kAny},
    Kind{"ConversationChange", [](Body& body) { ReadConversationChange(body); },
         Members::kAtLeastOne},
    Kind{"NewRoom", [](Body& body) { ReadNewRoom(body); }, Members::kAny},
    Kind{"RoomChange", [](Body& body) { ReadRoomChange(body); }, Members::kAtLeastOne},
    Kind{"NewMessage", [](Body& body) { ReadNewMessage(body, Settings()); }, Members::kAny},
    Kind{"MessageChange", [](Body& body) { ReadMessageChange(body, Settings()); }, Members::kAny},
    Kind{"Invitation", [](Body& body) { ReadInvitation(body); }, Members::kAny},
};

std::shared_ptr<const json::Schema> Compile(const char* name, json::Value components) {
  json::Node schema = json::Node::Object();
  schema.Set("$ref", "#/components/schemas/" + std::string(name));
  schema.Set("components", json::Node::Copy(components));
  json::SchemaReport report;
  auto compiled = json::Schema::Compile(schema.Text(), name, report);
  FW_CHECK(compiled != nullptr);
  return compiled;
}

using Schemas = std::array<std::shared_ptr<const json::Schema>, kKinds.size()>;

Schemas CompileAll() {
  const auto document = json::Document::Parse(OpenApiText(Settings(), "fuzz"));
  Schemas schemas;
  for (size_t i = 0; i < kKinds.size(); ++i) {
    schemas[i] = Compile(kKinds[i].schema, *document->root().Find("components"));
  }
  return schemas;
}

void Check(const Kind& kind, const json::Schema& schema, std::string_view text) {
  const auto document = json::Document::Parse(text, {.octets = 65536, .depth = 32});
  if (!document.ok() || document->root().kind() != json::Kind::kObject) return;
  Body body(document->root());
  kind.read(body);
  const std::vector<FieldProblem> problems = body.Finish(kind.members);
  FW_CHECK(problems.size() <= server::kProblemsTold);
  for (const FieldProblem& problem : problems) {
    FW_CHECK(!problem.detail.empty());
    FW_CHECK(json::ParsePointer(problem.pointer).has_value());
  }
  if (problems.empty()) FW_CHECK(!schema.Validate(document->root()).has_value());
}

}  // namespace
}  // namespace framewall::backend::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::api;  // NOLINT
  static const Schemas schemas = CompileAll();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  using framewall::backend::server::MakeCursor;
  using framewall::backend::server::ReadCursor;
  if (const auto position = ReadCursor("list", text)) {
    FW_CHECK(ReadCursor("list", MakeCursor("list", *position)) == position);
  }
  const size_t kind = data[0] % kKinds.size();
  Check(kKinds[kind], *schemas[kind], text);
  return 0;
}
