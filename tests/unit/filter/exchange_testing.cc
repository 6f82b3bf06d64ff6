#include "tests/unit/filter/exchange_testing.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "proxy/base/clock.h"
#include "proxy/config/loader.h"
#include "proxy/route/map_table.h"

namespace framewall {
namespace {

class StringSink final : public LogSink {
 public:
  explicit StringSink(std::shared_ptr<std::string> out) : out_(std::move(out)) {}
  void WriteLine(LogLevel level, std::string_view line) override {
    size_t begin = line.find(": ") + 2;
    if (line.substr(begin).starts_with('*')) begin = line.find(' ', begin) + 1;
    const size_t end = std::min(line.find(", client: "), line.find('\n'));
    *out_ += "[" + std::string(LogLevelName(level)) + "] ";
    out_->append(line.substr(begin, end - begin)).append("\n");
  }
  Status Reopen() override { return OkStatus(); }

 private:
  std::shared_ptr<std::string> out_;
};

const config::LocationConfig* FindLocation(const config::LocationConfig& parent,
                                           std::string_view name) {
  for (const auto& child : parent.locations) {
    if (child->name == name) return child.get();
    if (const auto* found = FindLocation(*child, name)) return found;
  }
  return nullptr;
}

}  // namespace

void RecordingDriver::SendBody(ByteView piece) {
  largest_piece = std::max(largest_piece, piece.size());
  body += piece;
}

void RecordingDriver::SendWhole(int status, std::string_view content_type, std::string_view text) {
  calls.push_back("whole " + std::to_string(status) + " " + std::string(content_type));
  body += text;
}

void RecordingDriver::Redirect(int status, std::string_view location) {
  calls.push_back("redirect " + std::to_string(status) + " " + std::string(location));
}

std::unique_ptr<exchange::Subrequest> RecordingDriver::StartSubrequest(
    const exchange::SubrequestOptions& options, exchange::SubrequestCallback callback) {
  struct Handle final : exchange::Subrequest {
    std::shared_ptr<int> alive = std::make_shared<int>(0);
  };
  const std::string args = options.args.empty() ? "" : "?" + std::string(options.args);
  calls.push_back("subrequest " + std::string(options.uri) + args);
  auto handle = std::make_unique<Handle>();
  subrequests.push_back({std::move(callback), handle->alive});
  return handle;
}

void RecordingDriver::InternalRedirect(std::string_view uri, std::string_view args) {
  calls.push_back("internal " + std::string(uri) + (args.empty() ? "" : "?" + std::string(args)));
}

ExchangeTesting::ExchangeTesting() : main_log_before_(MainLog()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "fw_exchange_XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  connection_.peer = *SocketAddress::Parse("127.0.0.1:40000");
  connection_.local = *SocketAddress::Parse("127.0.0.1:8080");
  Log log;
  log.Add(std::make_shared<StringSink>(log_), LogLevel::kInfo);
  SetMainLog(log);
  UpdateCachedNow();
}

ExchangeTesting::~ExchangeTesting() {
  exchange_.reset();
  SetMainLog(main_log_before_);
  std::filesystem::remove_all(folder_);
}

std::string ExchangeTesting::Write(std::string_view name, std::string_view text) const {
  const std::filesystem::path path = std::filesystem::path(folder_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

void ExchangeTesting::Load(std::string_view http) {
  std::string text = "events {}\nhttp {\n" + std::string(http) + "\n}\n";
  for (size_t at = 0; (at = text.find("DIR", at)) != std::string::npos;) {
    text.replace(at, 3, folder_);
  }
  const std::string path = Write("conf/framewall.conf", text);
  config::LoadOptions options;
  options.prefix = folder_;
  options.conf_path = path;
  options.variables = &exchange::BuiltinCatalog();
  config::Diagnostics diagnostics;
  exchange_.reset();
  config_ = config::Load(options, diagnostics);
  for (const auto& message : diagnostics.messages()) {
    if (message.severity == config::Diagnostics::Severity::kError) ADD_FAILURE() << message.text;
  }
  ASSERT_NE(config_, nullptr);
  computed_ = std::make_unique<route::MapTable>(*config_);
  variables_ = std::make_unique<exchange::Variables>(*config_, *computed_);
  log_->clear();
}

void ExchangeTesting::UseGeoip2(const route::Geoip2* geoip2) {
  exchange_.reset();
  computed_ = std::make_unique<route::MapTable>(*config_, geoip2);
  variables_ = std::make_unique<exchange::Variables>(*config_, *computed_);
}

exchange::Exchange& ExchangeTesting::Request(
    std::string_view location, std::string_view uri,
    std::vector<std::pair<std::string, std::string>> fields, std::string_view method) {
  exchange_ = std::make_unique<exchange::Exchange>(*config_, *variables_, connection_);
  exchange::Exchange& exchange = *exchange_;
  exchange.driver = &driver_;
  driver_.calls.clear();
  driver_.body.clear();
  driver_.largest_piece = 0;
  exchange.server = config_->http.servers.front().get();
  exchange.location = &exchange.server->root;
  if (!location.empty()) exchange.location = FindLocation(exchange.server->root, location);
  EXPECT_NE(exchange.location, nullptr) << location;
  exchange.request.method_name = exchange.arena.Copy(method);
  exchange.request.method = http::FindMethod(method);
  exchange.header_only = method == "HEAD";
  const size_t mark = uri.find('?');
  exchange.uri = exchange.arena.Copy(uri.substr(0, mark));
  if (mark != std::string_view::npos) exchange.args = exchange.arena.Copy(uri.substr(mark + 1));
  exchange.host = "localhost";
  for (const auto& [name, value] : fields) exchange.request.fields.Add(name, value);
  return exchange;
}

std::string ExchangeTesting::Field(std::string_view name) const {
  const http::Field* field = exchange_->response.fields.Find(name);
  return field == nullptr ? "-" : std::string(field->value);
}

}  // namespace framewall
