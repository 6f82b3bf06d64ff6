// A check of an exchange, and its answer. One check per file; the order is pipeline.cc.
#pragma once

#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/exchange/exchange.h"

namespace framewall::filter {

using exchange::Exchange;

struct Verdict {
  enum class Kind : uint8_t {
    kContinue,
    kSatisfied,  // access phase only: this check grants access (`satisfy any` stops here)
    kPause,      // the filter will call exchange.driver->Resume(), and it has a deadline
    kRespond,    // answer with `status`; error_page applies
    kAbort,      // close without an answer
    kDone,       // the filter has answered by itself through the driver
  };
  Kind kind = Kind::kContinue;
  int status = 0;

  static Verdict Continue() { return {}; }
  static Verdict Satisfied() { return {Kind::kSatisfied, 0}; }
  static Verdict Pause() { return {Kind::kPause, 0}; }
  static Verdict Respond(int status) { return {Kind::kRespond, status}; }
  static Verdict Abort() { return {Kind::kAbort, 0}; }
  static Verdict Done() { return {Kind::kDone, 0}; }
};

class Filter {
 public:
  virtual ~Filter() = default;
  // Once, when the head is complete and the location known.
  virtual Verdict OnRequestHead(Exchange&) { return Verdict::Continue(); }
  // After Pause and Resume: what has come of it; Pause where it was somebody else who resumed.
  virtual Verdict OnResumed(Exchange&) { return Verdict::Continue(); }
  // True where the filter must see the request body before content begins.
  virtual bool wants_request_body() const { return false; }
  // For each piece of body, in order.
  virtual Verdict OnRequestBody(Exchange&, ByteView) { return Verdict::Continue(); }
  // The body is whole (also when there is none). Trailers may be null.
  virtual Verdict OnRequestEnd(Exchange&, const http::HeaderMap*) { return Verdict::Continue(); }
  // exchange.response is complete.
  virtual Verdict OnResponseHead(Exchange&) { return Verdict::Continue(); }
  // Where it says so after OnResponseHead, head and body are kept back (up to a limit of its own)
  // until OnResponseEnd or Release.
  virtual bool holds_response() const { return false; }
  virtual Verdict OnResponseBody(Exchange&, ByteView) { return Verdict::Continue(); }
  virtual Verdict OnResponseEnd(Exchange&) { return Verdict::Continue(); }
  // The exchange is a WebSocket from now on. False: nothing more is to be heard, the filter is
  // destroyed. True: it stays until the log phase.
  virtual bool OnUpgraded(Exchange&) { return false; }
  // Once, on every path, also after Abort; but not after OnUpgraded said false.
  virtual void OnLog(const Exchange&) {}
};

}  // namespace framewall::filter
