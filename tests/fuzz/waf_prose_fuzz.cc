// JSON bodies under a rule that names prose: whatever a body looks like, a string outside the named
// members is seen by the rules. Which members those are is worked out again by another parser, from
// the structure and not from the library's names.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/json/document.h"
#include "waf/engine.h"
#include "waf/rule_set.h"
#include "waf/transaction.h"

namespace framewall::waf {
namespace {

constexpr std::string_view kBad = "bad";
constexpr char kRules[] =
    "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyJsonDepthLimit 100\n"
    "SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"
    "SecRule REQBODY_ERROR \"!@eq 0\" \"id:2,phase:2,deny,nolog\"\n"
    "SecAction \"id:3,phase:2,pass,nolog,"
    "ver:'framewall/prose=text,messages.*.content,parts.*.a.*.b'\"\n"
    "SecRule ARGS \"@contains bad\" \"id:4,phase:2,deny,nolog\"\n"
    "SecMarker FRAMEWALL-BEHIND-CRS\n";

std::shared_ptr<const RuleSet> Rules() {
  RuleLoader loader(Engine::Create("framewall/fuzz"), "");
  std::vector<RuleError> errors;
  const RuleSource source{RuleSource::Kind::kInline, kRules, "", "fuzz", 1};
  auto rules = loader.Load(nullptr, {&source, 1}, &errors);
  FW_CHECK(rules != nullptr);
  return rules;
}

// A step of the way to a value: the name of a member, or an element of an array.
struct Step {
  std::string_view name;
  bool is_element = false;
};

bool IsProse(const std::vector<Step>& path) {
  static const std::vector<std::vector<Step>> kNamed = {
      {{"text"}},
      {{"messages"}, {"", true}, {"content"}},
      {{"parts"}, {"", true}, {"a"}, {"", true}, {"b"}}};
  for (const std::vector<Step>& named : kNamed) {
    bool same = named.size() == path.size();
    for (size_t i = 0; same && i < path.size(); ++i) {
      same = named[i].is_element == path[i].is_element && named[i].name == path[i].name;
    }
    if (same) return true;
  }
  return false;
}

bool HasBadElsewhere(json::Value value, std::vector<Step>& path) {
  switch (value.kind()) {
    case json::Kind::kString:
      return value.AsString().find(kBad) != std::string_view::npos && !IsProse(path);
    case json::Kind::kArray:
      for (size_t i = 0; i < value.size(); ++i) {
        path.push_back({"", true});
        if (HasBadElsewhere(value.At(i), path)) return true;
        path.pop_back();
      }
      return false;
    case json::Kind::kObject:
      for (json::MemberCursor at(value); auto member = at.Next();) {
        path.push_back({member->name});
        if (HasBadElsewhere(member->value, path)) return true;
        path.pop_back();
      }
      return false;
    default:
      return false;
  }
}

void Check(std::string_view body) {
  const auto document = json::Document::Parse(body);
  static Engine& engine = Engine::Create("framewall/fuzz");
  static const std::shared_ptr<const RuleSet> rules = Rules();
  Transaction transaction(engine, rules, "fuzz", nullptr);
  const std::vector<HeaderView> headers = {{"Host", "fuzz.test"}};
  RequestView request{};
  request.method = "POST";
  request.target = "/";
  request.http_version = "1.1";
  request.client_address = "192.0.2.7";
  request.server_address = "192.0.2.1";
  request.headers = headers;
  Decision decision = transaction.ProcessRequestHead(request);
  if (!decision.interrupts()) {
    decision = transaction.AppendRequestBody(std::as_bytes(std::span(body.data(), body.size())));
  }
  if (!decision.interrupts()) decision = transaction.ProcessRequestBody();
  if (!document.ok() || decision.interrupts()) return;
  std::vector<Step> path;
  FW_CHECK(!HasBadElsewhere(document->root(), path));
}

}  // namespace
}  // namespace framewall::waf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  framewall::waf::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
