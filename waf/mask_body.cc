#include "waf/mask_body.h"

#include <algorithm>

#include "waf/mask_json.h"
#include "waf/mask_multipart.h"
#include "waf/message_text.h"

namespace framewall::waf {
namespace {

bool ContainsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         }) != text.end();
}

// A text that passes through several readers, each of which sees what the one before left.
class Passes {
 public:
  explicit Passes(std::string_view text) : text_(text) {}
  template <class Mask>
  void Run(Mask mask) {
    std::string masked;
    if (!mask(changed_ ? std::string_view(current_) : text_, &masked)) return;
    current_ = std::move(masked);
    changed_ = true;
  }
  bool Finish(std::string* out) {
    if (changed_) out->append(current_);
    return changed_;
  }

 private:
  std::string_view text_;
  std::string current_;
  bool changed_ = false;
};

}  // namespace

bool MaskBody(const MaskContext& context, std::string_view content_type, std::string_view body,
              const SecretValues* known, std::string* out) {
  if (body.empty()) return false;
  Passes passes(body);
  bool is_read = false;
  if (ContainsIgnoringCase(content_type, "multipart/")) {
    is_read = true;
    passes.Run([&](std::string_view text, std::string* masked) {
      return MaskMultipart(context, content_type, text, masked);
    });
  }
  if (ContainsIgnoringCase(content_type, "json") || (!is_read && LooksLikeJson(body))) {
    // What claims to be JSON and is a form is masked as a form as well.
    is_read = LooksLikeJson(body);
    passes.Run([&](std::string_view text, std::string* masked) {
      return MaskJson(context, text, masked);
    });
  }
  if (ContainsIgnoringCase(content_type, "x-www-form-urlencoded") || (!is_read && IsForm(body))) {
    is_read = true;
    passes.Run([&](std::string_view text, std::string* masked) {
      return MaskForm(context, text, masked);
    });
  }
  if (!is_read) {
    passes.Run([&](std::string_view text, std::string* masked) {
      return MaskFreeText(context, text, masked);
    });
    if (known != nullptr) {
      passes.Run(
          [&](std::string_view text, std::string* masked) { return known->Replace(text, masked); });
    }
  }
  return passes.Finish(out);
}

}  // namespace framewall::waf
