#include "proxy/content/status_page.h"

#include <fmt/format.h>

#include <string_view>

namespace framewall::content {
namespace {

// One transparent pixel.
constexpr std::string_view kEmptyGif(
    "GIF89a\x01\x00\x01\x00\x80\x01\x00\x00\x00\x00\xff\xff\xff"
    "\x21\xf9\x04\x01\x00\x00\x01\x00"
    "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;",
    43);
// Mon, 28 Sep 1970 06:00:00 GMT, as nginx dates it.
constexpr int64_t kEmptyGifModified = 23349600;

bool RefusesMethod(exchange::Exchange& exchange) {
  const http::Method method = exchange.request.method;
  if (method == http::Method::kGet || method == http::Method::kHead) return false;
  exchange.driver->Finish(405);
  return true;
}

}  // namespace

void SendStubStatus(exchange::Exchange& exchange, const ConnectionTotals& totals) {
  if (RefusesMethod(exchange)) return;
  const std::string text = fmt::format(
      "Active connections: {} \n"
      "server accepts handled requests\n"
      " {} {} {} \n"
      "Reading: {} Writing: {} Waiting: {} \n",
      totals.active, totals.accepted, totals.handled, totals.requests, totals.reading,
      totals.writing, totals.waiting);
  exchange.driver->SendWhole(200, "text/plain", text);
}

void SendEmptyGif(exchange::Exchange& exchange) {
  if (RefusesMethod(exchange)) return;
  exchange.last_modified = kEmptyGifModified;
  exchange.response.fields.Set(http::FieldId::kLastModified, FormatHttpDate(kEmptyGifModified));
  exchange.driver->SendWhole(200, "image/gif", kEmptyGif);
}

}  // namespace framewall::content
