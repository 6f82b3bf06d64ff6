// A Stream over a socket (TCP or Unix), level-triggered: one recv per readiness where the piece
// is short, one writev per callback.
#pragma once

#include <memory>

#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

// Takes over `fd`, a connected non-blocking socket. `loop` outlives the stream. Reading begins at
// once; set a handler first thing.
std::unique_ptr<Stream> MakeTcpStream(EventLoop& loop, int fd, const SocketAddress& local,
                                      const SocketAddress& peer);

}  // namespace framewall::event
