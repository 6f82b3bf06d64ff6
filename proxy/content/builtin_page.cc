#include "proxy/content/builtin_page.h"

#include <fmt/format.h>

#include <string_view>

namespace framewall::content {
namespace {

// What nginx writes in the title; only the statuses for which it has a page. Its words differ here
// and there from the reason phrase of the same status.
std::string_view Title(int status) {
  switch (status) {
    case 301:
      return "301 Moved Permanently";
    case 302:
      return "302 Found";
    case 303:
      return "303 See Other";
    case 307:
      return "307 Temporary Redirect";
    case 308:
      return "308 Permanent Redirect";
    case 400:
      return "400 Bad Request";
    case 401:
      return "401 Authorization Required";
    case 402:
      return "402 Payment Required";
    case 403:
      return "403 Forbidden";
    case 404:
      return "404 Not Found";
    case 405:
      return "405 Not Allowed";
    case 406:
      return "406 Not Acceptable";
    case 408:
      return "408 Request Time-out";
    case 409:
      return "409 Conflict";
    case 410:
      return "410 Gone";
    case 411:
      return "411 Length Required";
    case 412:
      return "412 Precondition Failed";
    case 413:
      return "413 Request Entity Too Large";
    case 414:
      return "414 Request-URI Too Large";
    case 415:
      return "415 Unsupported Media Type";
    case 416:
      return "416 Requested Range Not Satisfiable";
    case 421:
      return "421 Misdirected Request";
    case 429:
      return "429 Too Many Requests";
    case 494:
      return "400 Request Header Or Cookie Too Large";
    case 495:
      return "400 The SSL certificate error";
    case 496:
      return "400 No required SSL certificate was sent";
    case 497:
      return "400 The plain HTTP request was sent to HTTPS port";
    case 500:
      return "500 Internal Server Error";
    case 501:
      return "501 Not Implemented";
    case 502:
      return "502 Bad Gateway";
    case 503:
      return "503 Service Temporarily Unavailable";
    case 504:
      return "504 Gateway Time-out";
    case 505:
      return "505 HTTP Version Not Supported";
    case 507:
      return "507 Insufficient Storage";
    default:
      return {};
  }
}

}  // namespace

std::string BuiltinPage(int status, config::ServerTokens tokens) {
  const std::string_view title = Title(status);
  if (title.empty()) return {};
  std::string page = fmt::format("<html>\r\n<head><title>{}</title></head>\r\n<body>\r\n", title);
  if (status >= 494 && status <= 497) {
    // nginx's own codes are shown as 400, with the reason below.
    page += fmt::format("<center><h1>400 Bad Request</h1></center>\r\n<center>{}</center>\r\n",
                        title.substr(4));
  } else {
    page += fmt::format("<center><h1>{}</h1></center>\r\n", title);
  }
  page += fmt::format("<hr><center>{}</center>\r\n</body>\r\n</html>\r\n", ServerField(tokens));
  return page;
}

std::string_view ServerField(config::ServerTokens tokens) {
  return tokens == config::ServerTokens::kOff ? "nginx" : "nginx/1.22.1";
}

}  // namespace framewall::content
