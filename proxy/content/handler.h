// What produces a response. One handler an exchange at a time; it talks back through the Driver.
#pragma once

#include <cstdint>
#include <memory>

#include "proxy/base/bytes.h"
#include "proxy/exchange/exchange.h"

namespace framewall::content {

class ContentHandler {
 public:
  virtual ~ContentHandler() = default;
  // All phases before content have passed. The request body is in exchange.body when
  // exchange.body_collected, else it comes through OnRequestBody while WantRequestBody(true).
  virtual void Start() = 0;
  virtual void OnRequestBody(ByteView) {}
  virtual void OnRequestEnd(const http::HeaderMap* /*trailers*/) {}
  // The client takes more again (Driver::congested() is false).
  virtual void OnClientDrained() {}
  // The client closed or reset. Unless it was asked to go on (proxy_ignore_client_abort), the
  // handler stops its work; the driver finishes with 499. Returns true where the handler goes on.
  virtual bool OnClientGone() { return false; }
  // From inside StartRelay: what stays of the handler while the WebSocket lives and takes its
  // place. Null: all of it.
  virtual std::unique_ptr<ContentHandler> KeepForSocket() { return nullptr; }
  // The WebSocket that StartRelay began has ended: octets that went to the upstream and came from
  // it, handshakes apart. The log phase follows.
  virtual void OnSocketDone(uint64_t /*sent*/, uint64_t /*received*/) {}
  // The driver has answered otherwise, or the connection is gone: the handler stops its work and
  // calls the driver no more. Called before it is retired; it is destroyed at the end of the turn.
  virtual void Abandon() {}
};

}  // namespace framewall::content
