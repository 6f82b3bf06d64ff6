#include "proxy/http/http1/chunked_reader.h"

#include <algorithm>
#include <limits>

#include "proxy/base/text.h"
#include "proxy/http/http1/line_reader.h"

namespace framewall::http {
namespace {

constexpr uint64_t kMostSize = uint64_t{std::numeric_limits<int64_t>::max()};
// Extensions carry nothing that we use; a body whose chunks are mostly extension is an attack on
// the reader's time.
constexpr size_t kExtensionLines = 16;

// RFC 9110 6.5.1: fields that must not come late, because decisions were made without them.
bool MayBeTrailer(FieldId id) {
  switch (id) {
    case FieldId::kAuthorization:
    case FieldId::kCacheControl:
    case FieldId::kConnection:
    case FieldId::kContentEncoding:
    case FieldId::kContentLength:
    case FieldId::kContentRange:
    case FieldId::kContentType:
    case FieldId::kCookie:
    case FieldId::kExpect:
    case FieldId::kHost:
    case FieldId::kHttp2Settings:
    case FieldId::kIfMatch:
    case FieldId::kIfModifiedSince:
    case FieldId::kIfNoneMatch:
    case FieldId::kIfRange:
    case FieldId::kIfUnmodifiedSince:
    case FieldId::kKeepAlive:
    case FieldId::kLocation:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kRange:
    case FieldId::kSetCookie:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kVia:
    case FieldId::kWwwAuthenticate:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp:
      return false;
    default:
      return true;
  }
}

}  // namespace

void ChunkedReader::Start(const HeadLimits& limits, LineEnds line_ends) {
  state_ = State::kFirstDigit;
  line_ends_ = line_ends;
  too_large_ = false;
  left_ = 0;
  line_size_ = extension_total_ = trailer_total_ = trailer_count_ = 0;
  limits_ = limits;
  line_.clear();
  trailers_.reset();
}

const HeaderMap* ChunkedReader::trailers() const {
  return trailers_ == nullptr || trailers_->fields.empty() ? nullptr : &trailers_->fields;
}

ChunkedReader::Outcome ChunkedReader::Read(ByteView bytes, size_t* used, ByteView* data) {
  size_t i = 0;
  while (i < bytes.size()) {
    switch (state_) {
      case State::kData: {
        const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - i));
        *data = bytes.substr(i, size);
        *used = i + size;
        left_ -= size;
        if (left_ == 0) state_ = State::kDataCr;
        return Outcome::kData;
      }
      case State::kTrailer: {
        size_t trailer_used = 0;
        const Outcome outcome = ReadTrailers(bytes.substr(i), &trailer_used);
        *used = i + trailer_used;
        return outcome;
      }
      case State::kDone:
      case State::kFailed:
        *used = i;
        return state_ == State::kDone ? Outcome::kDone : Outcome::kError;
      default:
        if (!ReadSizeOctet(bytes[i])) {
          *used = i;
          return Fail(too_large_);
        }
        ++i;
    }
  }
  *used = i;
  return Outcome::kMore;
}

// One octet outside data and trailers; false where it is refused.
bool ChunkedReader::ReadSizeOctet(char c) {
  const bool is_lf = c == '\n' && line_ends_ == LineEnds::kLfToo;
  switch (state_) {
    case State::kFirstDigit:
    case State::kSize: {
      if (++line_size_ > limits_.chunk_line_size) {
        too_large_ = true;
        return false;
      }
      const int digit = HexValue(c);
      if (digit >= 0) {
        if (left_ > (kMostSize >> 4)) return false;
        left_ = (left_ << 4) | static_cast<uint64_t>(digit);
        state_ = State::kSize;
        return true;
      }
      if (state_ == State::kFirstDigit) return false;
      break;
    }
    case State::kExtension:
      ++line_size_;
      ++extension_total_;
      if (line_size_ > limits_.chunk_line_size ||
          extension_total_ / kExtensionLines > limits_.chunk_line_size) {
        too_large_ = true;
        return false;
      }
      if (c != '\r' && !is_lf) {
        const uint8_t octet = static_cast<uint8_t>(c);
        return (octet >= 0x20 && octet != 0x7f) || c == '\t';
      }
      break;
    case State::kSizeLf:
      if (c != '\n') return false;
      line_size_ = 0;
      state_ = left_ == 0 ? State::kTrailer : State::kData;
      return true;
    case State::kDataCr:
      if (is_lf) {
        state_ = State::kFirstDigit;
        return true;
      }
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kFirstDigit;
      return c == '\n';
    default:
      return false;
  }
  // After a size or in an extension: what ends it.
  if (c == ';' && state_ == State::kSize) {
    state_ = State::kExtension;
    return true;
  }
  if (is_lf) {
    line_size_ = 0;
    state_ = left_ == 0 ? State::kTrailer : State::kData;
    return true;
  }
  // RFC 9112 7.1.1 allows white space before ';' only to be tolerated; we do not.
  state_ = State::kSizeLf;
  return c == '\r';
}

ChunkedReader::Outcome ChunkedReader::ReadTrailers(ByteView bytes, size_t* used) {
  size_t consumed = 0;
  while (consumed < bytes.size()) {
    const ByteView rest = bytes.substr(consumed);
    const size_t lf = rest.find('\n');
    const size_t take = lf == ByteView::npos ? rest.size() : lf + 1;
    trailer_total_ += take;
    if (trailer_total_ > limits_.trailer_size) {
      *used = consumed;
      return Fail(true);
    }
    ByteView text = rest.substr(0, take);
    if (!line_.empty() || lf == ByteView::npos) {
      line_.append(text);
      text = line_;
    }
    consumed += take;
    *used = consumed;
    if (lf == ByteView::npos) return Outcome::kMore;

    FieldLine line;
    const char* next = text.data();
    const LineOutcome outcome = ReadFieldLine(text.data(), text.data() + text.size(), &line, &next);
    if (outcome == LineOutcome::kInvalid || outcome == LineOutcome::kMore) return Fail(false);
    if (line.bare_lf && line_ends_ == LineEnds::kCrlf) return Fail(false);
    if (outcome == LineOutcome::kEmpty) {
      state_ = State::kDone;
      return Outcome::kDone;
    }
    if (!AddTrailer(line.name, line.value, line.is_token)) return Fail(true);
    line_.clear();
  }
  *used = consumed;
  return Outcome::kMore;
}

// False where there are too many.
bool ChunkedReader::AddTrailer(std::string_view name, std::string_view value, bool is_valid) {
  if (++trailer_count_ > limits_.field_count) return false;
  if (!is_valid || !MayBeTrailer(FindFieldId(name))) return true;
  if (trailers_ == nullptr) trailers_ = std::make_unique<Trailers>();
  trailers_->fields.Add(name, value);
  return true;
}

ChunkedReader::Outcome ChunkedReader::Fail(bool too_large) {
  too_large_ = too_large;
  state_ = State::kFailed;
  return Outcome::kError;
}

}  // namespace framewall::http
