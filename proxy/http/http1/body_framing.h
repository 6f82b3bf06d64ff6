// Decides where a message body ends (RFC 9112 6.3). This is the only place that does: every
// smuggling attack is two parties deciding differently.
#pragma once

#include <optional>

#include "proxy/http/codec.h"
#include "proxy/http/message.h"

namespace framewall::http {

// The framing of a request, or why there is none: more than one or an invalid Content-Length (also
// signed, listed, empty, beyond 2^63-1), Transfer-Encoding beside Content-Length, twice or in
// HTTP/1.0: 400; any coding but "chunked": 501. Requires: `head` complete. The result does not
// refer to `head`.
std::optional<MessageError> DecideRequestFraming(const RequestHead& head, BodyFraming* framing);

// The framing of a final response to a request with `method`, or why the upstream's answer is
// refused (502), by the same rules.
std::optional<MessageError> DecideResponseFraming(const ResponseHead& head, Method method,
                                                  BodyFraming* framing);

// The framing of a response that we send. Content-Length counts where it is one number; it is left
// out (`send_length` false) where the body is framed otherwise or there must be none.
struct OutgoingFraming {
  BodyFraming body;          // kNone also for HEAD
  bool send_length = false;  // the head's Content-Length goes on the wire
  bool needs_close = false;  // only the end of the connection ends the body
};
OutgoingFraming DecideOutgoingFraming(const ResponseHead& head, const ResponseOptions& options,
                                      Version client_version);

}  // namespace framewall::http
