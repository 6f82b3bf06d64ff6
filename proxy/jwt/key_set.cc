#include "proxy/jwt/key_set.h"

#include <fmt/format.h>
#include <jansson.h>

#include <algorithm>
#include <atomic>

#include "proxy/jwt/json_object.h"

namespace framewall::jwt {
namespace {

Error Malformed(std::string what) {
  return Error{ErrorKind::kSyntax, ErrorSource::kOperator, std::move(what), 0};
}

}  // namespace

std::string Quoted(std::string_view text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (!printable || text.size() > 128) return "(unprintable)";
  return fmt::format("\"{}\"", text);
}

Result<KeySet> KeySet::Parse(std::string_view text) {
  if (text.size() > kMostSetOctets) {
    return Malformed(fmt::format("the key set has {} octets, at most {} were expected", text.size(),
                                 kMostSetOctets));
  }
  auto object = JsonObject::Parse(text);
  if (!object.ok()) return Malformed("no JSON Web Key Set, " + object.error().message);
  const json_t* list = json_object_get(object->get(), "keys");
  if (!json_is_array(list)) {
    return Malformed("no JSON Web Key Set: an object with an array \"keys\" was expected");
  }
  if (json_array_size(list) > kMostKeys) {
    return Malformed(fmt::format("the key set has {} keys, at most {} were expected",
                                 json_array_size(list), kMostKeys));
  }
  static std::atomic<uint64_t> generations{0};
  KeySet set;
  set.generation_ = ++generations;
  for (size_t i = 0; i < json_array_size(list); ++i) {
    json_t* one = json_array_get(list, i);
    if (!json_is_object(one)) {
      return Malformed(fmt::format("key {} of the key set is no JSON object", i + 1));
    }
    const JsonObject jwk = JsonObject::Of(one);
    auto key = Key::FromJwk(jwk);
    if (key.ok()) {
      set.keys_.push_back(std::move(key).value());
      continue;
    }
    const auto kid = jwk.String("kid");
    set.skipped_.push_back(fmt::format("key {}{}: {}", i + 1,
                                       kid ? fmt::format(" (kid {})", Quoted(*kid)) : "",
                                       key.error().message));
  }
  return set;
}

}  // namespace framewall::jwt
