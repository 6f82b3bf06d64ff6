// What nginx has and we have not: nothing is ignored silently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/config/directive_table.h"
#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(UnsupportedDirectives, InertOnesWarnAndStart) {
  const Loaded loaded = LoadText(
      "pcre_jit on; timer_resolution 1s;\nevents { accept_mutex on; }\n"
      "http { sendfile on; tcp_nopush on; types_hash_max_size 2048; gzip on; gzip_types a b;\n"
      "server_names_hash_bucket_size 64; fastcgi_param A b; server { http2 on; } }");
  EXPECT_THAT(loaded.errors(), IsEmpty());
  for (const std::string name : {"pcre_jit", "accept_mutex", "sendfile", "tcp_nopush",
                                 "types_hash_max_size", "gzip", "fastcgi_param", "http2"}) {
    EXPECT_THAT(Show(loaded.diagnostics), HasSubstr("\"" + name + "\" has no effect here"));
  }
}

TEST(UnsupportedDirectives, RefusedOnesSayWhatToDo) {
  EXPECT_THAT(LoadHttp("server { location / { fastcgi_pass 127.0.0.1:9000; } }").errors(),
              ElementsAre(HasSubstr("use proxy_pass")));
  EXPECT_THAT(LoadText("stream { server { listen 1; } }\nevents {}\nhttp {}").errors(),
              ElementsAre(HasSubstr("\"stream\" directive is not supported")));
  EXPECT_THAT(LoadHttp("js_import a.js;").errors(), ElementsAre(HasSubstr("no JavaScript")));
  EXPECT_THAT(LoadHttp("auth_digest realm;").errors(), ElementsAre(HasSubstr("auth_request")));
}

TEST(UnsupportedDirectives, SwitchesAreHarmlessInOneValue) {
  const struct {
    std::string_view harmless;
    std::string_view harmful;
  } cases[] = {{"autoindex off", "autoindex on"},
               {"ssi off", "ssi on"},
               {"charset off", "charset utf-8"},
               {"proxy_cache off", "proxy_cache z"},
               {"slice 0", "slice 1m"},
               {"mirror off", "mirror /m"},
               {"disable_symlinks off", "disable_symlinks on"},
               {"gzip_static off", "gzip_static on"}};
  for (const auto& each : cases) {
    const Loaded good = LoadHttp(std::string(each.harmless) + ";");
    EXPECT_EQ(Show(good.diagnostics), "") << each.harmless;
    EXPECT_THAT(LoadHttp(std::string(each.harmful) + ";").errors(),
                ElementsAre(HasSubstr("\"" + std::string(each.harmful) + "\" is not supported")))
        << each.harmful;
  }
}

TEST(UnsupportedDirectives, TemporaryPathsAreSilent) {
  const Loaded loaded = LoadHttp("fastcgi_temp_path a 1 2; uwsgi_temp_path b; scgi_temp_path c;");
  EXPECT_EQ(Show(loaded.diagnostics), "");
}

}  // namespace
}  // namespace framewall::config
