// The setters that most rows use: a flag, a number, a size, a time, one of some names, a text, a
// template, each at a member named by its path:
//
//   {.name = "etag", ..., .apply = Flag<&LocationSettings::core, &CoreSettings::etag>}
//
// The first step's class says where it lives (Root below). Bounds and names are data. Each reads
// the first argument; messages are nginx's, with what was expected after them.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/base/parse.h"
#include "proxy/config/directive.h"
#include "proxy/config/directive_spec.h"
#include "proxy/config/model/http.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct Range {
  uint64_t min = 0;
  uint64_t max = std::numeric_limits<uint64_t>::max();
};

// One word of a set and what it stands for.
template <class T>
struct Word {
  std::string_view word;
  T value;
};

// What the setters are made of, for hand-written ones. Nothing or false: the error was reported.
std::optional<bool> ReadFlag(BuildContext& context, const Directive& directive);
std::optional<uint64_t> ReadNumber(BuildContext& context, const Directive& directive,
                                   std::string_view text, Range range);
std::optional<uint64_t> ReadSize(BuildContext& context, const Directive& directive,
                                 std::string_view text);
std::optional<Milliseconds> ReadTime(BuildContext& context, const Directive& directive,
                                     std::string_view text);
std::optional<Template> ReadTemplate(BuildContext& context, const Directive& directive,
                                     std::string_view text);
// `invalid value "x" in "y" directive, it must be "a", "b" or "c"`
void ReportUnknownWord(BuildContext& context, const Directive& directive, std::string_view found,
                       const std::vector<std::string_view>& words);
// `invalid parameter "x" in "y" directive` and what it takes.
void ReportInvalidParameter(BuildContext& context, const Directive& directive,
                            std::string_view found, std::string_view expected);

// The value after `prefix` ("zone=" of "zone=a"); nothing where `text` does not begin with it.
std::optional<std::string_view> AfterPrefix(std::string_view text, std::string_view prefix);

namespace setters {

template <class T>
struct Member;
template <class C, class M>
struct Member<M C::*> {
  using Class = C;
};

inline LocationSettings& Root(BuildContext& context, std::type_identity<LocationSettings>) {
  FW_CHECK(context.settings != nullptr);
  return *context.settings;
}
inline ServerSettings& Root(BuildContext& context, std::type_identity<ServerSettings>) {
  FW_CHECK(context.server_settings != nullptr);
  return *context.server_settings;
}
inline LocationConfig& Root(BuildContext& context, std::type_identity<LocationConfig>) {
  FW_CHECK(context.location != nullptr);
  return *context.location;
}
inline UpstreamConfig& Root(BuildContext& context, std::type_identity<UpstreamConfig>) {
  FW_CHECK(context.upstream != nullptr);
  return *context.upstream;
}
inline RedisConfig& Root(BuildContext& context, std::type_identity<RedisConfig>) {
  FW_CHECK(context.redis != nullptr);
  return *context.redis;
}
inline MainConfig& Root(BuildContext& context, std::type_identity<MainConfig>) {
  return context.config.main;
}
inline EventsConfig& Root(BuildContext& context, std::type_identity<EventsConfig>) {
  return context.config.events;
}

template <class T, auto First, auto... Rest>
auto& Walk(T& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return Walk<std::remove_reference_t<decltype(object.*First)>, Rest...>(object.*First);
  }
}

// The member at the end of the path.
template <auto First, auto... Rest>
auto& At(BuildContext& context) {
  using Class = typename Member<decltype(First)>::Class;
  return Walk<Class, First, Rest...>(Root(context, std::type_identity<Class>{}));
}

template <class Words>
std::vector<std::string_view> Names(const Words& words) {
  std::vector<std::string_view> names;
  for (const auto& word : words) names.push_back(word.word);
  return names;
}

}  // namespace setters

// on | off
template <auto... Path>
void Flag(BuildContext& context, const Directive& directive) {
  if (auto value = ReadFlag(context, directive)) setters::At<Path...>(context) = *value;
}

// Decimal digits.
template <Range kRange, auto... Path>
void NumberIn(BuildContext& context, const Directive& directive) {
  auto& target = setters::At<Path...>(context);
  using Target = std::remove_reference_t<decltype(target)>;
  Range range = kRange;
  if constexpr (std::is_same_v<Target, int>) {
    range.max = std::min<uint64_t>(range.max, std::numeric_limits<int>::max());
  }
  if (auto value = ReadNumber(context, directive, directive.args[0], range)) {
    if constexpr (std::is_same_v<Target, int>) {
      target = static_cast<int>(*value);
    } else {
      target = *value;
    }
  }
}
template <auto... Path>
void Number(BuildContext& context, const Directive& directive) {
  NumberIn<Range{}, Path...>(context, directive);
}

// "10", "8k", "1m", "2g"
template <auto... Path>
void Size(BuildContext& context, const Directive& directive) {
  if (auto value = ReadSize(context, directive, directive.args[0])) {
    setters::At<Path...>(context) = *value;
  }
}

// "30", "30s", "1m30s", "100ms"
template <auto... Path>
void Time(BuildContext& context, const Directive& directive) {
  if (auto value = ReadTime(context, directive, directive.args[0])) {
    setters::At<Path...>(context) = *value;
  }
}

// One of the words of `Words`, a constexpr array of Word<E>.
template <const auto& Words, auto... Path>
void Enum(BuildContext& context, const Directive& directive) {
  for (const auto& word : Words) {
    if (word.word == directive.args[0]) {
      setters::At<Path...>(context) = word.value;
      return;
    }
  }
  ReportUnknownWord(context, directive, directive.args[0], setters::Names(Words));
}

// Any of the words, as bits. Drops what was inherited on its first use in a block.
template <const auto& Words, auto... Path>
void Mask(BuildContext& context, const Directive& directive) {
  auto& target = setters::At<Path...>(context);
  if (context.first_in_block) target = 0;
  for (const std::string& arg : directive.args) {
    bool found = false;
    for (const auto& word : Words) {
      if (word.word != arg) continue;
      found = true;
      if ((target & word.value) != 0) {
        context.diagnostics.Warn(directive.at, "duplicate value \"" + arg + "\"");
      }
      target |= word.value;
    }
    if (!found) ReportUnknownWord(context, directive, arg, setters::Names(Words));
  }
}

template <auto... Path>
void Text(BuildContext& context, const Directive& directive) {
  setters::At<Path...>(context) = directive.args[0];
}

// A file under the prefix (logs, temporary files).
template <auto... Path>
void PrefixPath(BuildContext& context, const Directive& directive) {
  setters::At<Path...>(context) = context.config.FullPath(directive.args[0]);
}

// A file beside the main configuration file (certificates, rules). Empty stays empty.
template <auto... Path>
void ConfigPath(BuildContext& context, const Directive& directive) {
  const std::string& path = directive.args[0];
  setters::At<Path...>(context) = path.empty() ? path : context.config.ConfPath(path);
}

template <auto... Path>
void TemplateText(BuildContext& context, const Directive& directive) {
  if (auto value = ReadTemplate(context, directive, directive.args[0])) {
    setters::At<Path...>(context) = std::move(*value);
  }
}

// A size that may hold names ("limit_rate $rate").
template <auto... Path>
void TemplateSize(BuildContext& context, const Directive& directive) {
  auto value = ReadTemplate(context, directive, directive.args[0]);
  if (!value) return;
  if (value->constant() && !ReadSize(context, directive, directive.args[0])) return;
  setters::At<Path...>(context) = std::move(*value);
}

// Accepted and without any effect here, silently: what it tunes does not exist.
void AcceptSilently(BuildContext& context, const Directive& directive);

}  // namespace framewall::config
