#include "proxy/process/version.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include "proxy/config/paths.h"

namespace framewall::process {
namespace {

// "configure arguments" of -V. Who reads them takes every module for present that is on by default
// in nginx and not refused here; strike a line when its module exists. Never named: --with-debug,
// stream and mail, anything "=dynamic".
constexpr const char* kConfigureArguments[] = {
    "--with-http_ssl_module",
    "--with-http_auth_request_module",
    "--with-http_realip_module",
    "--with-http_stub_status_module",
    // Not there yet.
    "--without-http_charset_module",
    "--without-http_gzip_module",
    "--without-http_ssi_module",
    "--without-http_mirror_module",
    "--without-http_userid_module",
    "--without-http_autoindex_module",
    "--without-http_fastcgi_module",
    "--without-http_uwsgi_module",
    "--without-http_scgi_module",
    "--without-http_grpc_module",
    "--without-http_memcached_module",
    "--without-http_browser_module",
    "--without-http-cache",
};

constexpr char kHelp[] =
    R"(Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
)";

}  // namespace

std::string VersionText(const CommandLine& line) {
  std::string text =
      std::string("nginx version: nginx/") + kNginxVersion + " (framewall " + FW_VERSION + ")\n";
  if (line.show_help) {
    text += kHelp;
    const auto add = [&text](std::string_view option, std::string_view fallback) {
      text.append(option).append(" (default: ").append(fallback).append(")\n");
    };
    add("  -p prefix     : set prefix path", config::kDefaultPrefix);
    add("  -e filename   : set error log file", config::kDefaultErrorLog);
    add("  -c filename   : set configuration file", config::kDefaultConfPath);
    text += "  -g directives : set global directives out of configuration file\n\n";
  }
  if (line.show_configure) {
    text += "built by gcc " __VERSION__ "\n";
    text += "built with " OPENSSL_VERSION_TEXT;
    const std::string running = OpenSSL_version(OPENSSL_VERSION);
    if (running != OPENSSL_VERSION_TEXT) text += " (running with " + running + ")";
    text += "\nTLS SNI support enabled\nconfigure arguments:";
    for (const char* argument : kConfigureArguments) text.append(" ").append(argument);
    text += "\n";
  }
  return text;
}

}  // namespace framewall::process
