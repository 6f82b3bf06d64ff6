// JSON to its leaves, by the parser that libmodsecurity uses (yajl) and under
// the names that it gives them, so that a rule or an exclusion written for
// requests fits messages: {"a":{"b":[1]}} is json.a.b.array_0.
//
// What the library does not do: several values one after another are read
// (lines of JSON, RFC 7464's record separators, SignalR), a key whose value is
// empty ({} or []) is shown with an empty value, and a text that ends too early
// is read as far as it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace framewall::waf {

enum class LeafKind : std::uint8_t {
  kString,
  kCutString,  // the text ended inside it
  kOther,      // number, true, false, null (an empty value), an empty container
};

class JsonLeaves {
 public:
  virtual ~JsonLeaves() = default;
  // Both views end with the call. False stops the reading.
  virtual bool OnLeaf(std::string_view name, std::string_view value, LeafKind kind) = 0;
};

enum class JsonOutcome : std::uint8_t {
  kRead,     // to its end, or as far as a cut text goes
  kBroken,   // no JSON; leaves may have been given before that showed
  kStopped,  // by OnLeaf
};

struct JsonResult {
  JsonOutcome outcome = JsonOutcome::kBroken;
  // Octets of the text behind the last leaf that was taken.
  std::size_t taken = 0;
};

// Names grow by a part for each level down to this one; what is deeper has the name of this level
// and its own last part. There is no limit to the depth that is read.
constexpr std::size_t kNamedDepth = 32;

// `root` is the name of the outermost value ("json"). `is_cut`: the text is the beginning of a
// longer one.
JsonResult ReadJson(std::string_view text, std::string_view root, bool is_cut, JsonLeaves& leaves);

}  // namespace framewall::waf
