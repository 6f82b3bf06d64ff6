#include "proxy/config/loader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using Texts = std::vector<std::string>;

TEST(Loader, PathsAreRelativeToThePrefix) {
  const TemporaryFolder folder;
  folder.Write("conf/a.conf", "events {}\npid run/a.pid;");
  LoadOptions options;
  options.prefix = folder.path();
  options.conf_path = "conf/a.conf";
  options.error_log_path = "e.log";
  Diagnostics diagnostics;
  const auto config = Load(options, diagnostics);
  ASSERT_NE(config, nullptr) << Show(diagnostics);
  EXPECT_EQ(config->prefix, folder.path() + "/");
  EXPECT_EQ(config->conf_path, folder.path() + "/conf/a.conf");
  EXPECT_EQ(config->main.pid_path, folder.path() + "/run/a.pid");
  EXPECT_EQ(config->ConfPath("b"), folder.path() + "/conf/b");
  EXPECT_EQ(config->FullPath("/b"), "/b");
  ASSERT_EQ(config->main.error_log.size(), 1u);
  EXPECT_EQ(config->main.error_log[0].path, folder.path() + "/e.log");
}

TEST(Loader, MissingFileIsNamed) {
  LoadOptions options;
  options.conf_path = "/nonexistent/a.conf";
  Diagnostics diagnostics;
  EXPECT_EQ(Load(options, diagnostics), nullptr);
  EXPECT_EQ(Show(diagnostics),
            "error: open() \"/nonexistent/a.conf\" failed (2: No such file or directory)\n");
}

TEST(Loader, TakesDirectivesOfTheCommandLine) {
  const TemporaryFolder folder;
  LoadOptions options;
  options.conf_path = folder.Write("a.conf", "events {}\n");
  options.global_directives = "daemon off; worker_processes 3;";
  Diagnostics diagnostics;
  const auto config = Load(options, diagnostics);
  ASSERT_NE(config, nullptr) << Show(diagnostics);
  EXPECT_FALSE(config->main.daemon);
  EXPECT_EQ(config->main.worker_processes, 3);

  options.global_directives = "nonsense_here on;";
  Diagnostics second;
  EXPECT_EQ(Load(options, second), nullptr);
  EXPECT_EQ(Show(second), "error: unknown directive \"nonsense_here\" in command line\n");
}

TEST(Loader, DumpShowsEachFileOnce) {
  const TemporaryFolder folder;
  folder.Write("b.conf", "env A;\n");
  LoadOptions options;
  options.conf_path = folder.Write("a.conf", "include b.conf;\nevents { }\n");
  Diagnostics diagnostics;
  const auto config = Load(options, diagnostics);
  ASSERT_NE(config, nullptr) << Show(diagnostics);
  EXPECT_EQ(Dump(*config), "# configuration file " + folder.path() +
                               "/a.conf:\ninclude b.conf;\nevents { }\n\n"
                               "# configuration file " +
                               folder.path() + "/b.conf:\nenv A;\n\n");
}

TEST(Loader, ReadsYamlByItsName) {
  const Loaded loaded =
      LoadText("events: {}\nhttp:\n  server:\n    keepalive_requests: 5\n", "framewall.yaml");
  ASSERT_NE(loaded.config, nullptr) << Show(loaded.diagnostics);
  EXPECT_EQ(loaded.config->http.servers.at(0)->root.settings.core.keepalive_requests, 5u);
}

TEST(Loader, OtherModulesAreRefusedByName) {
  EXPECT_EQ(LoadText("load_module modules/ngx_http_modsecurity_module.so;\n"
                     "load_module modules/ndk_http_module.so;\nevents {}")
                .errors(),
            Texts{});
  const Texts errors = LoadText("load_module modules/ngx_http_lua_module.so;\nevents {}").errors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("ngx_http_lua_module"), std::string::npos);
}

TEST(Loader, StockDebianConfigurationLoads) {
  constexpr std::string_view kStock = "/etc/nginx/nginx.conf";
  if (::access(std::string(kStock).c_str(), R_OK) != 0) GTEST_SKIP() << "nginx is not installed";
  LoadOptions options;
  options.prefix = "/usr/share/nginx";
  options.conf_path = kStock;
  Diagnostics diagnostics;
  const auto config = Load(options, diagnostics);
  ASSERT_NE(config, nullptr) << Show(diagnostics);
  ASSERT_GE(config->http.servers.size(), 1u);
  const LocationConfig& root = config->http.servers[0]->root;
  EXPECT_EQ(root.settings.core.root.constant_text(), "/var/www/html");
  EXPECT_EQ(root.settings.core.types->at("html"), "text/html");
}

}  // namespace
}  // namespace framewall::config
