// An exchange in a configuration, without a connection: what checks and content handlers see, and a
// driver that writes down what they say.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/exchange/driver.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/variables.h"

namespace framewall::route {
class Geoip2;
}

namespace framewall {

// Every call as one line ("finish 404", "internal /a?b"), and the body apart from it.
class RecordingDriver final : public exchange::Driver {
 public:
  void Resume() override { calls.push_back("resume"); }
  void SendInterim(const http::ResponseHead&) override { calls.push_back("interim"); }
  void SendHead() override { calls.push_back("head"); }
  void SendBody(ByteView piece) override;
  void SendEnd(const http::HeaderMap*) override { calls.push_back("end"); }
  bool congested() const override { return body.size() >= full_at; }
  void Finish(int status) override { calls.push_back("finish " + std::to_string(status)); }
  void AbortResponse() override { calls.push_back("abort"); }
  void SendWhole(int status, std::string_view content_type, std::string_view text) override;
  void Redirect(int status, std::string_view location) override;
  void InternalRedirect(std::string_view uri, std::string_view args) override;
  void NamedRedirect(std::string_view name) override {
    calls.push_back("named " + std::string(name));
  }
  void WantRequestBody(bool) override {}
  bool StartRelay(exchange::SocketHandover) override { return false; }
  event::Stream* TakeStreamForTunnel(std::string*) override { return nullptr; }
  void TunnelDone(uint64_t) override {}
  // "subrequest /auth?a"; its answer is what the test gives to `subrequests`.
  std::unique_ptr<exchange::Subrequest> StartSubrequest(
      const exchange::SubrequestOptions& options, exchange::SubrequestCallback callback) override;
  event::EventLoop& loop() override { return loop_; }

  // One for each, in order. `alive` expires with the handle, and nobody may be called then.
  struct StartedSubrequest {
    exchange::SubrequestCallback callback;
    std::weak_ptr<int> alive;
  };
  std::vector<StartedSubrequest> subrequests;

  std::vector<std::string> calls;
  std::string body;
  size_t largest_piece = 0;
  size_t full_at = SIZE_MAX;  // congested from so many octets on

 private:
  event::EventLoop loop_;
};

class ExchangeTesting {
 public:
  ExchangeTesting();
  ~ExchangeTesting();

  // A folder of its own, for files; "DIR" in the configuration's text stands for it.
  const std::string& folder() const { return folder_; }
  std::string Write(std::string_view name, std::string_view text) const;

  // `http` is what stands in the http block, with one server. Fails the test where it is wrong.
  void Load(std::string_view http);
  // A new exchange in the location with that name (as written), or in the server itself where it is
  // empty. The client is 127.0.0.1.
  exchange::Exchange& Request(std::string_view location, std::string_view uri,
                              std::vector<std::pair<std::string, std::string>> fields = {},
                              std::string_view method = "GET");
  exchange::Exchange& exchange() { return *exchange_; }
  const config::Config& config() const { return *config_; }
  // For geoip2 variables of the configuration; outlives the exchanges after it.
  void UseGeoip2(const route::Geoip2* geoip2);
  // The value of a field of the response; "-" where there is none.
  std::string Field(std::string_view name) const;
  RecordingDriver& driver() { return driver_; }
  exchange::ConnectionInfo& connection() { return connection_; }
  // Lines of the error log since the last Load: "[error] text", without time and request.
  std::string log() const { return *log_; }

 private:
  std::string folder_;
  std::shared_ptr<std::string> log_ = std::make_shared<std::string>();
  Log main_log_before_;
  std::unique_ptr<config::Config> config_;
  std::unique_ptr<exchange::ComputedVariables> computed_;
  std::unique_ptr<exchange::Variables> variables_;
  exchange::ConnectionInfo connection_;
  RecordingDriver driver_;
  std::unique_ptr<exchange::Exchange> exchange_;
};

}  // namespace framewall
