// The listening sockets of a cycle. Kept from one cycle to the next by address, so that no
// connection that waits in a backlog is lost; closed with the last cycle that wants them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"
#include "proxy/config/model/http.h"
#include "proxy/server/worker.h"

namespace framewall::process {

// One per address that is bound: the first `listen` of it that sets socket options, else the first.
// An address beside a wildcard of its family and port is bound only where it says so (`bind` or any
// socket option); the wildcard's socket serves it otherwise.
std::vector<config::ListenConfig> AddressesToBind(const config::HttpConfig& http);

class ListenSockets {
 public:
  ListenSockets();
  ~ListenSockets();
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;

  enum class Mode {
    kServe,
    kTest,  // -t: an address in use is no error, and nothing stays open
  };

  // Opens what `http` wants, taking over what `previous` (may be null) has. With reuseport there is
  // one socket a worker. Says on the log what failed; addresses in use are tried five times, 500 ms
  // apart. On error `previous` is as it was.
  static Result<std::unique_ptr<ListenSockets>> Open(const config::HttpConfig& http, int workers,
                                                     const ListenSockets* previous, Mode mode);

  // Sockets of the environment variable NGINX ("6;7;"), given by the binary before us.
  static std::unique_ptr<ListenSockets> Inherit(std::string_view variable);
  // The same variable for a binary after us.
  std::string ForInheritance() const;
  std::vector<int> descriptors() const;

  // What worker `index` of `workers` listens on. Every socket has an owner: if workers became
  // fewer, those that stay take the orphans.
  std::vector<server::ListenSocket> ForWorker(int index, int workers) const;
  // In worker `index`: closes the sockets of the others, so that they end with their owners.
  void CloseForeign(int index, int workers);

  // Do Unix sockets leave their files behind, because they are another binary's?
  void LeaveFiles(bool leave);

 private:
  struct Socket;
  struct Entry;
  void Keep(const Entry& old, const config::ListenConfig& options, int index);
  std::vector<Entry> entries_;
};

}  // namespace framewall::process
