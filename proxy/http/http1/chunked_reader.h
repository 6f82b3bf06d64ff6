// The chunked coding (RFC 9112 7.1), resumable at any byte: sizes, extensions, data, trailers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/http/headers.h"
#include "proxy/http/limits.h"

namespace framewall::http {

// States, each waiting for the next octet:
//
//   size -> [extension] -> size-LF -> data -> data-CR -> data-LF -> size ...
//   size 0 -> [extension] -> size-LF -> trailer lines -> done
class ChunkedReader {
 public:
  // Whether LF alone ends a line. Clients must send CRLF; some upstreams of nginx's world do not,
  // and what they send is framed anew before it leaves us.
  enum class LineEnds : uint8_t { kCrlf, kLfToo };

  enum class Outcome : uint8_t {
    kMore,   // all bytes are used and the body goes on
    kData,   // `*data` is a piece of body
    kDone,   // the last line of the trailers was read
    kError,  // refused; too_large() tells a limit from a fault
  };

  void Start(const HeadLimits& limits, LineEnds line_ends);
  // Takes octets from the front of `bytes` and says how many; call again for kData.
  Outcome Read(ByteView bytes, size_t* used, ByteView* data);

  // After kDone; null without any. Fields that frame, route or authenticate a message are left out
  // (RFC 9110 6.5.1), as are odd names. Valid until the next Start.
  const HeaderMap* trailers() const;
  // After kError: the size line, the extensions or the trailers exceed their limit.
  bool too_large() const { return too_large_; }

 private:
  enum class State : uint8_t {
    kFirstDigit,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kDone,
    kFailed,
  };
  struct Trailers {
    Arena arena{1024};
    HeaderMap fields{&arena};
  };

  bool ReadSizeOctet(char c);
  Outcome ReadTrailers(ByteView bytes, size_t* used);
  bool AddTrailer(std::string_view name, std::string_view value, bool is_valid);
  Outcome Fail(bool too_large);

  State state_ = State::kDone;
  LineEnds line_ends_ = LineEnds::kCrlf;
  bool too_large_ = false;
  uint64_t left_ = 0;           // of the chunk's size or data
  size_t line_size_ = 0;        // octets of the size line so far
  size_t extension_total_ = 0;  // octets of all extensions of this body
  size_t trailer_total_ = 0;
  size_t trailer_count_ = 0;
  HeadLimits limits_;
  std::string line_;  // a trailer line that is not complete
  std::unique_ptr<Trailers> trailers_;
};

}  // namespace framewall::http
