// From the content handler to the codec: response filters, held responses, conditions, added
// fields, the rate limit's bookkeeping. One exit for every response.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "proxy/event/timer.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/filter.h"
#include "proxy/http/codec.h"

namespace framewall::server {

class ResponseOwner {
 public:
  virtual ~ResponseOwner() = default;
  virtual std::span<const std::unique_ptr<filter::Filter>> filters() = 0;
  virtual http::ServerCodec& codec() = 0;
  virtual http::StreamId stream_id() const = 0;
  // A response filter does not let the response pass.
  virtual void OnResponseVerdict(const filter::Verdict& verdict) = 0;
  // The end is with the codec.
  virtual void OnResponseComplete() = 0;
  // What limit_rate held back has gone.
  virtual void OnRateAllows() = 0;
  virtual event::EventLoop& event_loop() = 0;
};

class ResponsePath {
 public:
  ResponsePath(exchange::Exchange& exchange, ResponseOwner& owner)
      : exchange_(exchange), owner_(owner) {}

  void Reset();
  void SendHead();
  void SendBody(ByteView piece);
  void SendEnd(const http::HeaderMap* trailers);
  // Response filters have had their say (a denial's own page is not judged again).
  void SkipFilters() { skip_filters_ = true; }
  bool held() const { return held_; }
  // limit_rate holds octets back: produce no more until OnRateAllows.
  bool rate_limited() const { return !rate_queue_.empty(); }
  // Drops a response that was held, so that another can take its place.
  void DropHeld();

 private:
  template <class Moment>
  bool PassesFilters(Moment moment);
  bool AnyFilterHolds() const;
  void Release();
  void CommitHead();
  void WriteBody(ByteView piece);
  void Finish(const http::HeaderMap* trailers);
  bool WantsTrailers() const;
  void SetRate();
  // Sends of the queue what limit_rate allows by now, and sets the timer for the rest.
  void PumpRate();
  // Octets that limit_rate lets go now.
  uint64_t RateAllowance();
  void SendTrailersAndEnd(const http::HeaderMap* trailers);

  exchange::Exchange& exchange_;
  ResponseOwner& owner_;
  bool held_ = false;
  bool discard_body_ = false;  // 304 and the like: the handler's body goes nowhere
  bool skip_filters_ = false;
  bool refused_ = false;  // a filter replaced the response; what the handler still sends is dropped
  std::string held_body_;
  uint64_t rate_ = 0;        // octets a second; 0: no limit
  uint64_t rate_after_ = 0;  // octets that are free of it
  int64_t rate_started_ = 0;
  std::string rate_queue_;
  bool end_waits_ = false;
  std::optional<http::HeaderMap> waiting_trailers_;  // with the end; in the exchange's arena
  std::unique_ptr<event::Timer> rate_timer_;
};

}  // namespace framewall::server
