#include "proxy/filter/body_inflater.h"

#include <zlib.h>

#include <array>

#include "proxy/base/text.h"

namespace framewall::filter {
namespace {

class ZlibInflater final : public BodyInflater {
 public:
  explicit ZlibInflater(uint64_t cap) : left_(cap) {
    // 15 + 32: gzip and zlib headers are both recognised.
    ready_ = inflateInit2(&stream_, 15 + 32) == Z_OK;
  }
  ~ZlibInflater() override {
    if (ready_) inflateEnd(&stream_);
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  Outcome Inflate(std::string_view piece, std::string& out) override {
    if (!ready_) return Outcome::kBroken;
    if (ended_) return piece.empty() ? Outcome::kOk : Outcome::kBroken;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    std::array<char, 16384> buffer;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      // What came before a fault counts first: so the outcome is the same however the body is cut.
      const size_t made = buffer.size() - stream_.avail_out;
      if (made > left_) return Outcome::kTooLarge;
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return Outcome::kBroken;
      }
      left_ -= made;
      out.append(buffer.data(), made);
      if (result == Z_STREAM_END) {
        ended_ = true;
        // A second member behind the first would be read by some and not by others.
        return stream_.avail_in == 0 ? Outcome::kOk : Outcome::kBroken;
      }
      if (result == Z_BUF_ERROR) break;
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return Outcome::kOk;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
  uint64_t left_;
};

}  // namespace

bool BodyInflater::NeedsInflating(std::string_view content_encoding) {
  content_encoding = Trim(content_encoding);
  return !content_encoding.empty() && !EqualsIgnoreCase(content_encoding, "identity");
}

std::unique_ptr<BodyInflater> BodyInflater::Make(std::string_view content_encoding, uint64_t cap) {
  content_encoding = Trim(content_encoding);
  if (!EqualsIgnoreCase(content_encoding, "gzip") &&
      !EqualsIgnoreCase(content_encoding, "x-gzip") &&
      !EqualsIgnoreCase(content_encoding, "deflate")) {
    return nullptr;
  }
  return std::make_unique<ZlibInflater>(cap);
}

}  // namespace framewall::filter
