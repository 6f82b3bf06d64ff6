#include "proxy/event/tcp_stream.h"

#include "proxy/event/socket_stream.h"

namespace framewall::event {

std::unique_ptr<Stream> MakeTcpStream(EventLoop& loop, int fd, const SocketAddress& local,
                                      const SocketAddress& peer, ErrorSource peer_role) {
  return std::make_unique<SocketStream>(loop, fd, local, peer, peer_role);
}

}  // namespace framewall::event
