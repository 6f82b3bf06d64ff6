#include "backend/settings/llm_rows.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "backend/settings/list_row.h"
#include "proxy/base/text.h"

namespace framewall::backend {
namespace {

using Provider = Settings::Provider;
using Model = Settings::Model;
using Target = Settings::Target;
using LlmLimits = Settings::LlmLimits;

constexpr uint64_t kDayMs = 86'400'000;
constexpr uint64_t kMany = 1'000'000'000'000;
constexpr size_t kLongestKey = 4096;

bool IsModelName(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\';
  });
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), text) != allowed.end();
}

bool IsUrl(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) &&
         text.find_first_of("?#@ \t\r\n") == text.npos;
}

bool IsKey(std::string_view text) {
  return !text.empty() && text.size() <= kLongestKey &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool ReadKeyFile(Provider& provider, const SettingValue& path) {
  std::ifstream file(path.text, std::ios::binary);
  if (path.kind != SettingValue::Kind::kScalar || !file) return false;
  std::string key(kLongestKey + 1, '\0');
  file.read(key.data(), static_cast<std::streamsize>(key.size()));
  key.resize(static_cast<size_t>(file.gcount()));
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  if (!IsKey(key)) return false;
  provider.key = std::move(key);
  return true;
}

std::string Unshown(const Provider&) { return {}; }

std::vector<ItemField<Provider>> ProviderFields() {
  return {
      TextField("name", &Provider::name, true, "a name", IsModelName),
      TextField("kind", &Provider::kind, true, "echo, ollama, openai or anthropic",
                [](std::string_view text) {
                  return IsOneOf(text, {"echo", "ollama", "openai", "anthropic"});
                }),
      TextField("url", &Provider::url, false, "http(s)://HOST[:PORT][/PREFIX]", IsUrl),
      {"key", false, "a key",
       [](Provider& provider, const SettingValue& value) {
         if (!IsKey(value.text)) return false;
         provider.key = value.text;
         return true;
       },
       Unshown},
      {"key_file", false, "a readable file with a key", ReadKeyFile, Unshown},
      TextField("authorization", &Provider::authorization, false, "bearer or x-api-key",
                [](std::string_view text) {
                  return IsOneOf(text, {"bearer", "x-api-key"});
                }),
      TextField("version", &Provider::version, false, "a value of anthropic-version", IsModelName),
      TextField("ca_file", &Provider::ca_file, false, "a path",
                [](std::string_view text) { return !text.empty(); }),
      FlagField("image_addresses", &Provider::image_addresses),
      NumberField("connect_ms", &Provider::connect_ms, 1, kDayMs),
      NumberField("failures", &Provider::failures, 1, 1000),
      NumberField("pause_ms", &Provider::pause_ms, 1, kDayMs),
  };
}

SettingRow::Secrets SecretsOfProviders(const SettingValue& providers) {
  SettingRow::Secrets secrets;
  for (const SettingValue& provider : providers.items) {
    for (const auto& [name, value] : provider.members) {
      if (name == "key") secrets.has_text = true;
      if (name == "key_file") secrets.files.push_back(value.text);
    }
  }
  return secrets;
}

std::vector<ItemField<Target>> TargetFields() {
  return {
      TextField("provider", &Target::provider, true, "a provider's name", IsModelName),
      TextField("model", &Target::model, false, "the provider's name for it", IsModelName),
      NumberField("weight", &Target::weight, 1, 1'000'000),
  };
}

bool ReadTargets(Model& model, const SettingValue& value) {
  if (value.kind != SettingValue::Kind::kList) return false;
  bool good = !value.items.empty();
  model.targets.clear();
  for (const SettingValue& one : value.items) {
    ReadItem<Target>(TargetFields(), "", one, model.targets.emplace_back(),
                     [&good](int, const std::string&) { good = false; });
  }
  return good;
}

std::vector<ItemField<Model>> ModelFields() {
  return {
      TextField("name", &Model::name, true, "a name", IsModelName),
      TextField("provider", &Model::provider, false, "a provider's name", IsModelName),
      TextField("provider_model", &Model::provider_model, false, "the provider's name for it",
                IsModelName),
      {"targets", false, "a list of mappings with " + FieldNames(TargetFields()), ReadTargets,
       [](const Model&) { return std::string(); }},
      FlagField("by_weight", &Model::by_weight),
      NumberField("first_token_ms", &Model::first_token_ms, 1, kDayMs),
      NumberField("between_tokens_ms", &Model::between_tokens_ms, 1, kDayMs),
      NumberField("retries", &Model::retries, 0, 10),
      FlagField("cache", &Model::cache),
  };
}

const std::vector<std::pair<std::string_view, int64_t LlmLimits::*>> kLimits = {
    {"requests_per_minute", &LlmLimits::requests_per_minute},
    {"tokens_per_minute", &LlmLimits::tokens_per_minute},
    {"requests_per_day", &LlmLimits::requests_per_day},
    {"tokens_per_day", &LlmLimits::tokens_per_day},
    {"concurrent", &LlmLimits::concurrent},
};

SettingRow LimitsRow(std::string_view name, LlmLimits Settings::*member, std::string_view doc) {
  SettingRow row;
  row.section = "llm";
  row.name = name;
  row.doc = doc;
  row.list = true;
  std::vector<ItemField<LlmLimits>> fields;
  for (const auto& [field, at] : kLimits) fields.push_back(NumberField(field, at, 0, kMany));
  row.expected = "a mapping with " + FieldNames(fields);
  row.read = [full = row.FullName(), expected = row.expected, member, fields](
                 Settings& settings, const SettingValue& value, const SettingRow::PlaceOf& place_of,
                 Complaints& complaints) {
    ReadItem<LlmLimits>(fields, expected, value, settings.*member,
                        [&](int line, const std::string& text) {
                          complaints.Add(place_of(line), full + ": " + text);
                        });
  };
  row.show = [member](const Settings& settings) {
    std::string shown = "{";
    for (const auto& [field, at] : kLimits) {
      if ((settings.*member).*at == 0) continue;
      if (shown.size() > 1) shown += ", ";
      shown += std::string(field) + ": " + std::to_string((settings.*member).*at);
    }
    return shown + "}";
  };
  return row;
}

SettingRow CacheRow() {
  SettingRow row;
  row.section = "llm";
  row.name = "cache_octets";
  row.unit = "octets";
  row.doc = "For the answers that models with cache: true keep.";
  row.expected = "a size from 0 to 17179869184 octets";
  row.read = [full = row.FullName(), expected = row.expected](
                 Settings& settings, const SettingValue& value, const SettingRow::PlaceOf& place_of,
                 Complaints& complaints) {
    const auto size = ParseSize(value.text);
    if (!size || *size > (uint64_t{16} << 30)) {
      return complaints.Add(place_of(value.line), full + ": " + expected + " was expected");
    }
    settings.llm_cache_octets = static_cast<size_t>(*size);
  };
  row.show = [](const Settings& settings) { return std::to_string(settings.llm_cache_octets); };
  return row;
}

}  // namespace

std::vector<SettingRow> LlmRows() {
  std::vector<SettingRow> rows;
  rows.push_back(ListOf("llm", "providers", &Settings::providers, ProviderFields(),
                        "Who answers; docs/llm.md has a page on each kind (echo needs no server). "
                        "A key is a secret: rather key_file, or this setting from a file."));
  rows.back().secrets_in = SecretsOfProviders;
  rows.push_back(ListOf("llm", "models", &Settings::models, ModelFields(),
                        "Models by the names that clients use: a provider, or several targets, in "
                        "order or by weight."));
  rows.push_back(LimitsRow("user_limits", &Settings::llm_user, "Of each user; 0: no limit."));
  rows.push_back(LimitsRow("key_limits", &Settings::llm_key,
                           "Of each API key, besides its user's; 0: no limit."));
  rows.push_back(CacheRow());
  return rows;
}

void CheckLlm(const Settings& settings, Complaints& complaints) {
  std::set<std::string_view> providers;
  for (const Provider& provider : settings.providers) {
    if (!providers.insert(provider.name).second) {
      complaints.Add("settings", "llm.providers: two are named " + Quoted(provider.name));
    }
    if (provider.kind != "echo" && provider.url.empty()) {
      complaints.Add("settings", "llm.providers: " + Quoted(provider.name) + " lacks \"url\"");
    }
  }
  std::set<std::string_view> models;
  for (const Model& model : settings.models) {
    if (!models.insert(model.name).second) {
      complaints.Add("settings", "llm.models: two are named " + Quoted(model.name));
    }
    std::vector<std::string_view> asked;
    if (!model.provider.empty()) asked.push_back(model.provider);
    for (const Target& target : model.targets) asked.push_back(target.provider);
    if (asked.empty()) {
      complaints.Add("settings", "llm.models: the model " + Quoted(model.name) +
                                     " has neither \"provider\" nor \"targets\"");
    }
    for (const std::string_view name : asked) {
      if (providers.count(name) != 0) continue;
      complaints.Add("settings", "llm.models: the model " + Quoted(model.name) +
                                     " is of the provider " + Quoted(name) +
                                     ", which llm.providers does not have");
    }
  }
}

}  // namespace framewall::backend
