// Lines of the access log: whatever a client sends, no quote and no control octet gets into a line
// that its log_format did not write. Octet 0 chooses the escaping; the first line is the format,
// the second the target, each further one a field of the request.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/config/template_parser.h"
#include "proxy/exchange/variables.h"
#include "proxy/http/headers.h"
#include "proxy/observe/log_format.h"

namespace framewall::observe {
namespace {

class NothingComputed final : public exchange::ComputedVariables {
 public:
  void Compute(exchange::Exchange&, const config::VariableName&,
               exchange::Value& value) const override {
    value.state = exchange::Value::State::kAbsent;
  }
};

// Is it what the escape may make of a value?
bool IsEscaped(std::string_view text, config::LogEscape escape) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < 0x20 || text[i] == '"') return false;
    if (escape == config::LogEscape::kDefault) {
      if (octet >= 0x7f) return false;
      if (text[i] == '\\' && text.substr(i + 1, 1) != "x") return false;
    } else if (text[i] == '\\') {
      const std::string_view next = text.substr(i + 1, 1);
      if (next.empty() || std::string_view("\"\\bfnrtu").find(next) == text.npos) return false;
      ++i;
    }
  }
  return true;
}

void FillRequest(exchange::Exchange& exchange, const std::vector<std::string_view>& lines) {
  exchange.request.method_name = "GET";
  exchange.request.target = lines[1];
  const size_t mark = lines[1].find('?');
  exchange.uri = lines[1].substr(0, mark);
  if (mark != std::string_view::npos) exchange.args = lines[1].substr(mark + 1);
  exchange.host = "localhost";
  for (size_t i = 2; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == 0 || colon == std::string_view::npos) continue;
    exchange.request.fields.Add(lines[i].substr(0, colon), Trim(lines[i].substr(colon + 1)));
  }
}

void Check(std::string_view text, config::LogEscape escape) {
  std::vector<std::string_view> lines = Split(text, '\n');
  lines.resize(std::max<size_t>(lines.size(), 2));

  config::Config config;
  auto format = config::ParseTemplate(config.variables, lines[0], {});
  if (!format.ok()) return;
  const NothingComputed computed;
  const exchange::Variables variables(config, computed);
  exchange::ConnectionInfo connection;
  connection.peer = *SocketAddress::Parse("127.0.0.1:40000");
  connection.local = *SocketAddress::Parse("127.0.0.1:80");
  const config::ServerConfig server;
  exchange::Exchange exchange(config, variables, connection);
  exchange.server = &server;
  exchange.location = &server.root;
  FillRequest(exchange, lines);

  // The line is its pieces one after the other.
  std::string pieces = "before ";
  for (const config::TemplatePart& part : format->parts) {
    const bool is_literal = part.variable == config::kNoVariable && part.capture < 0;
    std::string piece;
    AppendLogLine(exchange, {.escape = escape, .format = {.parts = {part}}}, piece);
    if (is_literal) {
      FW_CHECK(piece == part.literal);
    } else {
      FW_CHECK(escape == config::LogEscape::kNone || IsEscaped(piece, escape));
    }
    pieces += piece;
  }
  std::string line = "before ";
  AppendLogLine(exchange, {.escape = escape, .format = *format}, line);
  FW_CHECK(line == pieces);
}

}  // namespace
}  // namespace framewall::observe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using framewall::config::LogEscape;
  if (size == 0) return 0;
  constexpr LogEscape kEscapes[] = {LogEscape::kDefault, LogEscape::kJson, LogEscape::kNone};
  framewall::observe::Check({reinterpret_cast<const char*>(data) + 1, size - 1},
                            kEscapes[data[0] % 3]);
  return 0;
}
