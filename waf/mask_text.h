// Secrets out of text that libmodsecurity is about to write: queries, forms, header fields, and
// whatever cannot be parsed.
//
// Every function here and in mask_json.h, mask_multipart.h and mask_body.h has this form: false
// where there is nothing to mask, and `out` is untouched; otherwise the whole masked text is
// appended to it. Only values go, so that the rest of the text stays what it was, octet by octet.
#pragma once

#include <string>
#include <string_view>

#include "waf/secret_fields.h"

namespace framewall::waf {

struct MaskContext {
  const SecretFields& fields;
  // Takes the values that were masked, as sent and decoded; may be null.
  SecretValues* found = nullptr;
  // How far inside other text this text stood: JSON in a string of JSON, in a form's value, ...
  int depth = 0;

  MaskContext Inside() const { return {fields, found, depth + 1}; }
  bool TooDeep() const { return depth >= 8; }
};

// Copies `text` with pieces of it replaced, in their order.
class Rewriter {
 public:
  Rewriter(std::string_view text, std::string* out) : text_(text), out_(out) {}
  void Replace(std::size_t begin, std::size_t end, std::string_view with) {
    out_->append(text_.substr(done_, begin - done_)).append(with);
    done_ = end;
    changed_ = true;
  }
  void Mask(std::size_t begin, std::size_t end) {
    if (begin != end) Replace(begin, end, kMasked);
  }
  // True where anything was replaced; `out` is complete then.
  bool Finish() {
    if (changed_) out_->append(text_.substr(done_));
    return changed_;
  }

 private:
  std::string_view text_;
  std::string* out_;
  std::size_t done_ = 0;
  bool changed_ = false;
};

// "a=1&token=abc": a query without its '?', a form, a fragment.
bool MaskForm(const MaskContext& context, std::string_view form, std::string* out);
// What stands behind the first '?' or '#'; all of it where neither is there.
bool MaskUrl(const MaskContext& context, std::string_view url, std::string* out);
// The value of a header field: of Authorization the scheme stays, of cookies their names and
// attributes, of Sec-WebSocket-Protocol the names of protocols. Of fields that may quote an address
// its query is masked.
bool MaskHeader(const MaskContext& context, std::string_view name, std::string_view value,
                std::string* out);
// By position in any text: name=value, "name": "value", <name>value</name>. Coarse: for what has no
// better reader.
bool MaskFreeText(const MaskContext& context, std::string_view text, std::string* out);

// "%XX" and "+" decoded.
std::string DecodeForm(std::string_view text);

}  // namespace framewall::waf
