#include "backend/settings/value.h"

#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>

namespace framewall::backend {
namespace {

constexpr int kMostDepth = 8;

Error AtLine(int line, std::string_view what) {
  return OperatorError(std::to_string(line) + ": " + std::string(what));
}

Result<SettingValue> Convert(const YAML::Node& node, int depth) {
  SettingValue value;
  value.line = node.Mark().line + 1;
  if (depth > kMostDepth) return AtLine(value.line, "nested too deep");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      value.kind = SettingValue::Kind::kScalar;
      value.text = node.Scalar();
      break;
    case YAML::NodeType::Sequence:
      value.kind = SettingValue::Kind::kList;
      for (const YAML::Node& item : node) {
        FW_ASSIGN(SettingValue converted, Convert(item, depth + 1));
        value.items.push_back(std::move(converted));
      }
      break;
    case YAML::NodeType::Map: {
      value.kind = SettingValue::Kind::kMapping;
      std::set<std::string> names;
      for (const auto& member : node) {
        const int line = member.first.Mark().line + 1;
        if (!member.first.IsScalar()) return AtLine(line, "a name was expected before the colon");
        std::string name = member.first.Scalar();
        if (!names.insert(name).second) return AtLine(line, "\"" + name + "\" stands there twice");
        FW_ASSIGN(SettingValue converted, Convert(member.second, depth + 1));
        converted.line = line;
        value.members.emplace_back(std::move(name), std::move(converted));
      }
      break;
    }
    default:
      break;
  }
  return value;
}

}  // namespace

Result<SettingValue> ParseSettingValue(std::string_view yaml) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.empty()) return SettingValue();
    if (documents.size() > 1) {
      return AtLine(documents[1].Mark().line + 1, "only one YAML document may stand in a file");
    }
    return Convert(documents[0], 0);
  } catch (const YAML::Exception& error) {
    return AtLine(error.mark.is_null() ? 1 : error.mark.line + 1, "YAML: " + error.msg);
  }
}

}  // namespace framewall::backend
