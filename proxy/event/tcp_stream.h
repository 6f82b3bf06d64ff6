// A Stream over a socket (TCP or Unix), level-triggered: one recv per readiness where the piece
// is short, one writev per callback.
#pragma once

#include <memory>

#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

// Takes over `fd`, a connected non-blocking socket. `loop` outlives the stream. Reading begins at
// once; set a handler first thing. An empty address is looked up when asked for. `peer_role`:
// kClient or kUpstream, the source of errors.
//
// Errors carry no errno text: give `system_errno` to Log::Write ("recv() failed" becomes "recv()
// failed (104: Connection reset by peer)"). bytes_sent() counts what Write took; what of it is
// still here is pending_output(). Accepted sockets inherit TCP_NODELAY from the listening one on
// Linux.
std::unique_ptr<Stream> MakeTcpStream(EventLoop& loop, int fd, const SocketAddress& local,
                                      const SocketAddress& peer,
                                      ErrorSource peer_role = ErrorSource::kClient);

}  // namespace framewall::event
