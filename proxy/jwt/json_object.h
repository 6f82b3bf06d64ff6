// A JSON object of a token or a key set, read only: strict, without repeated names. Jansson stays
// behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

struct json_t;

namespace framewall::jwt {

class JsonObject {
 public:
  // The whole of `text` is one object: no name twice at any depth, no U+0000, no number beyond what
  // int64 and double hold. The error has line and column, and never a piece of the text.
  static Result<JsonObject> Parse(std::string_view text);
  // Shares what `object` holds. Requires: an object.
  static JsonObject Of(json_t* object);

  JsonObject(JsonObject&&) noexcept = default;
  JsonObject& operator=(JsonObject&&) noexcept = default;

  bool Has(const char* name) const;
  // Nothing where it is missing or no string.
  std::optional<std::string_view> String(const char* name) const;
  // Nothing where it is missing or no number; whole and broken seconds as milliseconds, cut to
  // ±1e15 seconds, so that sums of a few of them do not overflow.
  std::optional<int64_t> SecondsAsMilliseconds(const char* name) const;
  bool IsNumber(const char* name) const;

  // The value under the names of `path`, one within the other, as text; false where there is none
  // or it is null. Strings are themselves, an array is its elements with commas between, objects
  // are JSON.
  bool AppendText(std::span<const std::string> path, std::string& out) const;
  // The member of that name, where case does not count: the same spelling first, else the only one
  // that fits. `lower_name` is lower case.
  bool AppendTextOf(std::string_view lower_name, std::string& out) const;

  json_t* get() const { return object_.get(); }

 private:
  struct Release {
    void operator()(json_t* value) const;
  };
  explicit JsonObject(json_t* owned) : object_(owned) {}

  std::unique_ptr<json_t, Release> object_;
};

}  // namespace framewall::jwt
