#include "waf/message_json.h"

#include <yajl/yajl_parse.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "waf/message_text.h"

namespace framewall::waf {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view Text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

struct FreeHandle {
  void operator()(yajl_handle handle) const { yajl_free(handle); }
};
using Handle = std::unique_ptr<yajl_handle_t, FreeHandle>;

constexpr char kRecordSeparator = '\x1e';

// One reading. path_ is the name of the innermost open container; a leaf's name
// is made by adding to it and taking that away again.
class Reader {
 public:
  Reader(std::string_view root, JsonLeaves& leaves) : leaves_(leaves), root_(root) {}

  JsonResult Read(std::string_view text, bool is_cut) {
    const Handle handle(yajl_alloc(&kCallbacks, nullptr, this));
    yajl_config(handle.get(), yajl_allow_multiple_values, 1);
    handle_ = handle.get();
    bool good = true;
    // Between values only: inside a string the parser refuses it.
    for (std::size_t at = 0; good && at < text.size();) {
      const std::size_t end = std::min(text.find(kRecordSeparator, at), text.size());
      start_ = at;
      good = yajl_parse(handle_, Bytes(text.substr(at)), end - at) == yajl_status_ok;
      if (good && end < text.size()) {
        start_ = end;
        // Ends a number, as the separator does, and leaves a string open.
        good = yajl_parse(handle_, Bytes("\n"), 1) == yajl_status_ok;
      }
      at = end + 1;
    }
    if (stopped_) return {JsonOutcome::kStopped, taken_};
    if (!good) return {JsonOutcome::kBroken, taken_};
    if (is_cut) {
      if (!TakeTail(text.substr(std::min(seen_, text.size())))) {
        return {JsonOutcome::kStopped, taken_};
      }
      return {JsonOutcome::kRead, text.size()};
    }
    start_ = text.size();
    good = yajl_complete_parse(handle_) == yajl_status_ok;
    if (stopped_) return {JsonOutcome::kStopped, taken_};
    return {good ? JsonOutcome::kRead : JsonOutcome::kBroken, text.size()};
  }

 private:
  struct Container {
    std::size_t outer_size;  // of path_ outside of it
    std::size_t next = 0;    // index of the next element of an array
    bool is_array = false;
    bool is_empty = true;   // no leaf of it was given
    bool has_name = false;  // the member of an object
  };

  static Reader& Of(void* context) { return *static_cast<Reader*>(context); }

  static int OnNull(void* context) { return Of(context).Leaf("", LeafKind::kOther); }
  static int OnBoolean(void* context, int value) {
    return Of(context).Leaf(value != 0 ? "true" : "false", LeafKind::kOther);
  }
  static int OnNumber(void* context, const char* text, std::size_t size) {
    return Of(context).Leaf({text, size}, LeafKind::kOther);
  }
  static int OnString(void* context, const unsigned char* text, std::size_t size) {
    return Of(context).Leaf(Text(text, size), LeafKind::kString);
  }
  static int OnKey(void* context, const unsigned char* text, std::size_t size) {
    Reader& reader = Of(context);
    reader.key_ = Text(text, size);
    if (size == 0) reader.key_ = "empty-key";
    reader.has_key_ = true;
    reader.Saw();
    return 1;
  }
  static int OnStartObject(void* context) { return Of(context).Open(false); }
  static int OnStartArray(void* context) { return Of(context).Open(true); }
  static int OnEnd(void* context) { return Of(context).Close(); }

  static constexpr yajl_callbacks kCallbacks = {
      OnNull,        OnBoolean, nullptr, nullptr,      OnNumber, OnString,
      OnStartObject, OnKey,     OnEnd,   OnStartArray, OnEnd,
  };

  void Saw() { seen_ = start_ + yajl_get_bytes_consumed(handle_); }
  // A key is taken with its first leaf, not before.
  void Took() {
    Saw();
    taken_ = seen_;
  }

  // Adds the last part of the name of what comes next.
  void AppendPart() {
    if (open_.empty()) {
      path_ += root_;
      return;
    }
    const Container& parent = open_.back();
    if (!parent.is_array) {
      path_ += '.';
      path_ += key_;
      return;
    }
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, parent.next).ptr;
    path_ += ".array_";
    path_.append(digits, end);
  }

  // The value whose turn it was is over; `showed`: something of it was given as a leaf.
  void Pass(bool showed) {
    has_key_ = false;
    if (open_.empty()) return;
    if (showed) open_.back().is_empty = false;
    ++open_.back().next;
  }

  int Leaf(std::string_view value, LeafKind kind) {
    const std::size_t size = path_.size();
    AppendPart();
    const bool goes_on = leaves_.OnLeaf(path_, value, kind);
    path_.resize(size);
    if (!goes_on) {
      stopped_ = true;
      return 0;
    }
    Pass(true);
    Took();
    return 1;
  }

  int Open(bool is_array) {
    Container container{path_.size()};
    container.is_array = is_array;
    container.has_name = has_key_;
    if (open_.size() < kNamedDepth) AppendPart();
    has_key_ = false;
    open_.push_back(container);
    Saw();
    return 1;
  }

  int Close() {
    const Container closed = open_.back();
    open_.pop_back();
    // A key is seen by rules only as part of a leaf's name.
    const bool is_lost_key = closed.is_empty && closed.has_name;
    if (is_lost_key && !leaves_.OnLeaf(path_, "", LeafKind::kOther)) {
      stopped_ = true;
      return 0;
    }
    path_.resize(closed.outer_size);
    Pass(is_lost_key || !closed.is_empty);
    Took();
    return 1;
  }

  // What stands behind the last whole token of a text that was cut: the beginning of a string, a
  // number or a word, or nothing that matters.
  bool TakeTail(std::string_view tail) {
    const std::size_t first = tail.find_first_not_of(" \t\r\n,:\x1e");
    if (first == tail.npos) return GiveKeyAlone();
    tail.remove_prefix(first);
    if (tail[0] != '"') return Leaf(tail, LeafKind::kOther) != 0;
    const std::string value = CutString(tail.substr(1));
    const bool is_key = !open_.empty() && !open_.back().is_array && !has_key_;
    if (!is_key) return Leaf(value, LeafKind::kCutString) != 0;
    key_ = value;
    return Leaf("", LeafKind::kOther) != 0;
  }

  bool GiveKeyAlone() { return !has_key_ || Leaf("", LeafKind::kOther) != 0; }

  // `text` is the inside of a JSON string from its first octet; what an escape or a sequence was
  // cut off from is left out.
  static std::string CutString(std::string_view text) {
    std::size_t whole = 0;
    while (whole < text.size()) {
      std::size_t length = 1;
      if (text[whole] == '\\') {
        length = whole + 1 < text.size() && text[whole + 1] == 'u' ? 6 : 2;
      }
      if (whole + length > text.size()) break;
      whole += length;
    }
    const std::string quoted =
        "\"" + std::string(WithoutPartialSequence(text.substr(0, whole))) + "\"";
    class One final : public JsonLeaves {
     public:
      bool OnLeaf(std::string_view, std::string_view value, LeafKind) override {
        text = value;
        return true;
      }
      std::string text;
    } one;
    if (ReadJson(quoted, "", false, one).outcome != JsonOutcome::kRead) return std::string(text);
    return one.text;
  }

  JsonLeaves& leaves_;
  std::string_view root_;
  yajl_handle handle_ = nullptr;
  std::vector<Container> open_;
  std::string path_;
  std::string key_;
  std::size_t start_ = 0;  // where the piece that the parser has begins
  std::size_t seen_ = 0;   // the end of the last token
  std::size_t taken_ = 0;  // the end of the last leaf that was taken
  bool has_key_ = false;
  bool stopped_ = false;
};

}  // namespace

JsonResult ReadJson(std::string_view text, std::string_view root, bool is_cut, JsonLeaves& leaves) {
  return Reader(root, leaves).Read(text, is_cut);
}

}  // namespace framewall::waf
