// Reads the head of an HTTP/1 message: request or status line and fields, resumable at any byte.
//
// A head that arrives whole is scanned where it lies and copied once, into the arena of its
// HeaderMap; only a head that is split over several reads is collected first.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/http/codec.h"
#include "proxy/http/http1/line_reader.h"
#include "proxy/http/limits.h"
#include "proxy/http/message.h"

namespace framewall::http {

class HeadReader {
 public:
  enum class Outcome { kMore, kDone, kError };

  // What follows are the bytes of a head, empty lines before a request line already skipped. `head`
  // is cleared, and outlives the reading. The limits are nginx's client_header_buffer_size and
  // large_client_header_buffers; a response must fit `first_buffer_size`.
  void StartRequest(RequestHead* head, const HeadLimits& limits, const HeadPolicy& policy);
  void StartResponse(ResponseHead* head, const HeadLimits& limits);

  // Takes bytes of the head; `*used` tells how many (all of them for kMore). kError: error() says
  // why. Not after kDone or kError.
  Outcome Read(ByteView bytes, size_t* used);
  const MessageError& error() const { return error_; }
  // Octets of the head read so far.
  size_t size() const { return size_; }

 private:
  enum class Stage : uint8_t { kStartLine, kFields };

  void Start(HeaderMap* fields, const HeadLimits& limits, const HeadPolicy& policy);
  Outcome Parse(const char* data, const char* end);
  Outcome ParseFields(const char* data, const char* end);
  bool ChargeLine(size_t size);
  bool AcceptsName(const FieldLine& line) const;
  Outcome CheckPartialLine(size_t size);
  Outcome TooLarge();
  Outcome Fail(MessageError error);
  void Collect(ByteView bytes);
  void Rebase(const char* from, const char* to);

  RequestHead* request_ = nullptr;
  ResponseHead* response_ = nullptr;
  HeaderMap* fields_ = nullptr;
  HeadLimits limits_;
  HeadPolicy policy_;
  MessageError error_{400, {}};

  Stage stage_ = Stage::kStartLine;
  size_t line_start_ = 0;   // offset of the line being read
  size_t fields_end_ = 0;   // offset behind the last line that counts
  size_t field_lines_ = 0;  // also those that were dropped
  size_t buffer_left_ = 0;  // as if we read into nginx's buffers, see ChargeLine
  size_t buffers_used_ = 0;
  size_t size_ = 0;
  std::string collected_;  // empty while the head lies in one piece
};

}  // namespace framewall::http
