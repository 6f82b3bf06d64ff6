// Rows of the main, events and http contexts and of a location's core: good values, and the words
// for bad ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Loaded LoadMain(std::string_view main) {
  return LoadText(std::string(main) + "\nevents {}\nhttp {}\n");
}

// The settings of http after `text`; asserts that it loads.
const CoreSettings& Core(const Loaded& loaded) { return loaded.config->http.settings.core; }

TEST(MainDirectives, SetProcesses) {
  const Loaded loaded = LoadMain(
      "daemon off; master_process off; worker_processes 3; worker_rlimit_nofile 100;\n"
      "worker_rlimit_core 1m; worker_shutdown_timeout 5s; worker_priority -5; pid run/a.pid;\n"
      "worker_old_generations 2; env A=b; env C; working_directory /tmp;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const MainConfig& main = loaded.config->main;
  EXPECT_FALSE(main.daemon);
  EXPECT_FALSE(main.master_process);
  EXPECT_EQ(main.worker_processes, 3);
  EXPECT_EQ(main.worker_rlimit_nofile, 100u);
  EXPECT_EQ(main.worker_rlimit_core, 1048576u);
  EXPECT_EQ(main.worker_shutdown_timeout.count(), 5000);
  EXPECT_EQ(main.worker_priority, -5);
  EXPECT_EQ(main.worker_old_generations, 2u);
  EXPECT_EQ(main.pid_path, loaded.config->prefix + "run/a.pid");
  EXPECT_THAT(main.env, ElementsAre("A=b", "C"));
  EXPECT_EQ(main.working_directory, "/tmp");
}

TEST(MainDirectives, AutoIsAtLeastOneWorker) {
  const Loaded loaded = LoadMain("worker_processes auto;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_GE(loaded.config->main.worker_processes, 1);
}

TEST(MainDirectives, RefuseBadValues) {
  EXPECT_THAT(LoadMain("daemon yes;").errors(),
              ElementsAre("invalid value \"yes\" in \"daemon\" directive, it must be \"on\" or "
                          "\"off\" :1"));
  EXPECT_THAT(LoadMain("worker_processes many;").errors(),
              ElementsAre(HasSubstr("invalid number \"many\"")));
  EXPECT_THAT(LoadMain("worker_processes 0;").errors(),
              ElementsAre(HasSubstr("must be between 1 and 1024")));
  EXPECT_THAT(LoadMain("worker_priority 21;").errors(), ElementsAre(HasSubstr("-20 to 20")));
  EXPECT_THAT(LoadMain("worker_shutdown_timeout 5x;").errors(),
              ElementsAre(HasSubstr("\"worker_shutdown_timeout\" directive invalid value \"5x\"")));
}

TEST(MainDirectives, KnowTheModulesThatAreBuiltIn) {
  EXPECT_THAT(LoadMain("load_module modules/ngx_http_modsecurity_module.so;\n"
                       "load_module modules/ngx_http_geoip2_module.so;\n"
                       "load_module /usr/lib/nginx/modules/ndk_http_module.so;")
                  .errors(),
              IsEmpty());
  EXPECT_THAT(LoadMain("load_module modules/ngx_stream_module.so;").errors(),
              ElementsAre("module \"ngx_stream_module\" is not available; framewall has no dynamic "
                          "modules :1"));
}

TEST(MainDirectives, UserIsCheckedOnlyByRoot) {
  const Loaded loaded = LoadMain("user no_such_user_here;");
  if (geteuid() == 0) {
    EXPECT_THAT(loaded.errors(), ElementsAre(HasSubstr("getpwnam(\"no_such_user_here\") failed")));
  } else {
    EXPECT_THAT(loaded.errors(), IsEmpty());
    EXPECT_THAT(Show(loaded.diagnostics), HasSubstr("makes sense only if"));
  }
}

TEST(EventsDirectives, SetConnections) {
  const Loaded loaded =
      LoadText("events { worker_connections 7; multi_accept on; use epoll; } http {}");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(loaded.config->events.worker_connections, 7u);
  EXPECT_TRUE(loaded.config->events.multi_accept);
  EXPECT_THAT(LoadText("events { worker_connections 0; } http {}").errors(),
              ElementsAre(HasSubstr("must be equal to or greater than 1")));
  EXPECT_THAT(LoadText("events { use kqueue; } http {}").errors(),
              ElementsAre(HasSubstr("invalid event type \"kqueue\"")));
}

TEST(HttpDirectives, SetHeadLimits) {
  const Loaded loaded = LoadHttp(
      "client_header_buffer_size 2k; large_client_header_buffers 2 16k;\n"
      "client_header_timeout 10; ignore_invalid_headers off; underscores_in_headers on;\n"
      "merge_slashes off;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const ServerSettings& settings = loaded.config->http.server_settings;
  EXPECT_EQ(settings.client_header_buffer_size, 2048u);
  EXPECT_EQ(settings.large_client_header_buffers_count, 2u);
  EXPECT_EQ(settings.large_client_header_buffers_size, 16384u);
  EXPECT_EQ(settings.client_header_timeout.count(), 10000);
  EXPECT_FALSE(settings.ignore_invalid_headers);
  EXPECT_TRUE(settings.underscores_in_headers);
  EXPECT_FALSE(settings.merge_slashes);
  EXPECT_THAT(LoadHttp("large_client_header_buffers 4 0;").errors(),
              ElementsAre(HasSubstr("a buffer has a size")));
  EXPECT_THAT(LoadHttp("client_header_buffer_size 1q;").errors(),
              ElementsAre(HasSubstr("a size such as")));
}

TEST(HttpDirectives, HaveDefaultsThatNeedTheConfig) {
  const Loaded loaded = LoadHttp("");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Core(loaded).root.source, loaded.config->prefix + "html");
  ASSERT_EQ(Core(loaded).index.size(), 1u);
  EXPECT_EQ(Core(loaded).index[0].source, "index.html");
  EXPECT_EQ(Core(loaded).default_type.source, "text/plain");
  ASSERT_NE(Core(loaded).types, nullptr);
  EXPECT_EQ(Core(loaded).types->at("html"), "text/html");
  EXPECT_EQ(loaded.config->http.log_formats.front().name, "combined");
}

TEST(LocationDirectives, SetCore) {
  const Loaded loaded = LoadHttp(
      "client_max_body_size 0; client_body_buffer_size 1m; client_body_timeout 1m30s;\n"
      "client_body_temp_path body 1 2; client_body_in_file_only clean;\n"
      "client_body_in_single_buffer on; send_timeout 100ms; keepalive_timeout 10s 20s;\n"
      "keepalive_requests 5; keepalive_time 2h; keepalive_disable none; lingering_close always;\n"
      "lingering_time 1s; lingering_timeout 2s; satisfy any; etag off; if_modified_since before;\n"
      "max_ranges 0; limit_rate 10k; limit_rate_after $arg_after; recursive_error_pages on;\n"
      "server_tokens off; absolute_redirect off; server_name_in_redirect on;\n"
      "port_in_redirect off; chunked_transfer_encoding off; log_not_found off; tcp_nodelay off;\n"
      "output_buffers 2 64k; resolver_timeout 3s; reset_timedout_connection on;\n"
      "default_type application/json; resolver 127.0.0.1:5353 [::1] valid=10s ipv6=off;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const CoreSettings& core = Core(loaded);
  EXPECT_EQ(core.client_max_body_size, 0u);
  EXPECT_EQ(core.client_body_buffer_size, 1048576u);
  EXPECT_EQ(core.client_body_timeout.count(), 90000);
  EXPECT_EQ(core.client_body_temp_path, loaded.config->prefix + "body");
  EXPECT_EQ(core.client_body_in_file_only, BodyInFile::kClean);
  EXPECT_TRUE(core.client_body_in_single_buffer);
  EXPECT_EQ(core.send_timeout.count(), 100);
  EXPECT_EQ(core.keepalive_timeout.count(), 10000);
  EXPECT_EQ(core.keepalive_header_seconds, 20);
  EXPECT_EQ(core.keepalive_requests, 5u);
  EXPECT_EQ(core.keepalive_time.count(), 7200000);
  EXPECT_FALSE(core.keepalive_disable_msie6);
  EXPECT_EQ(core.lingering_close, LingeringClose::kAlways);
  EXPECT_EQ(core.satisfy, Satisfy::kAny);
  EXPECT_FALSE(core.etag);
  EXPECT_EQ(core.if_modified_since, IfModifiedSince::kBefore);
  EXPECT_EQ(core.max_ranges, 0u);
  EXPECT_EQ(core.limit_rate.source, "10k");
  EXPECT_FALSE(core.limit_rate_after.constant());
  EXPECT_EQ(core.server_tokens, ServerTokens::kOff);
  EXPECT_FALSE(core.absolute_redirect);
  EXPECT_TRUE(core.server_name_in_redirect);
  EXPECT_FALSE(core.port_in_redirect);
  EXPECT_EQ(core.output_buffer_size, 65536u);
  EXPECT_EQ(core.default_type.source, "application/json");
  ASSERT_EQ(core.resolver.servers.size(), 2u);
  EXPECT_EQ(core.resolver.servers[0].port(), 5353);
  EXPECT_EQ(core.resolver.servers[1].ToText(), "[::1]:53");
  EXPECT_EQ(core.resolver.valid->count(), 10000);
  EXPECT_FALSE(core.resolver.ipv6);
}

TEST(LocationDirectives, RefuseBadCore) {
  EXPECT_THAT(LoadHttp("satisfy some;").errors(),
              ElementsAre(HasSubstr("it must be \"all\" or \"any\"")));
  EXPECT_THAT(LoadHttp("client_max_body_size big;").errors(),
              ElementsAre(HasSubstr("invalid value \"big\"")));
  EXPECT_THAT(LoadHttp("limit_rate fast;").errors(), ElementsAre(HasSubstr("a size such as")));
  EXPECT_THAT(LoadHttp("keepalive_disable opera;").errors(),
              ElementsAre(HasSubstr("\"none\", \"msie6\" or \"safari\"")));
  EXPECT_THAT(LoadHttp("resolver valid=3s;").errors(),
              ElementsAre(HasSubstr("no name servers defined")));
  EXPECT_THAT(LoadHttp("resolver 127.0.0.1 valid=x;").errors(),
              ElementsAre(HasSubstr("invalid parameter \"valid=x\"")));
  EXPECT_THAT(LoadHttp("client_body_temp_path body 0;").errors(),
              ElementsAre(HasSubstr("between 1 and 10")));
}

TEST(LocationDirectives, RootIsUnderThePrefixUnlessItBeginsWithAName) {
  const Loaded loaded = LoadHttp(
      "root data/; server { root /abs; location /a { root $host/x; } location /b { alias c/; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Core(loaded).root.source, loaded.config->prefix + "data");
  const LocationConfig& root = loaded.config->http.servers[0]->root;
  EXPECT_EQ(root.settings.core.root.source, "/abs");
  EXPECT_EQ(root.locations[0]->settings.core.root.source, "$host/x");
  EXPECT_EQ(root.locations[1]->settings.core.root.source, loaded.config->prefix + "c/");
  EXPECT_TRUE(root.locations[1]->settings.core.root_is_alias);
  EXPECT_THAT(LoadHttp("root $document_root/x;").errors(),
              ElementsAre(HasSubstr("the $document_root variable cannot be used in the \"root\"")));
  EXPECT_THAT(LoadHttp("server { location @a { alias b; } }").errors(),
              ElementsAre(HasSubstr("cannot be used inside the named location")));
  EXPECT_THAT(LoadHttp("server { location /a { root a; alias b; } }").errors(),
              ElementsAre("\"alias\" directive is duplicate :3"));
}

TEST(LocationDirectives, TypesOfABlockAddUpAndReplaceThoseAround) {
  const Loaded loaded =
      LoadHttp("types { text/a a B; }\ntypes { text/c c; }\nserver { types { text/d d; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Core(loaded).types->size(), 3u);
  EXPECT_EQ(Core(loaded).types->at("b"), "text/a");
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.core.types->size(), 1u);
  EXPECT_THAT(Show(LoadHttp("types { text/a a; text/b a; }").diagnostics),
              HasSubstr("duplicate extension \"a\", content type: \"text/b\""));
}

TEST(LocationDirectives, ErrorPageForms) {
  const Loaded loaded = LoadHttp(
      "error_page 404 403 /404.html; error_page 500 =200 /ok; error_page 502 = @fallback;\n"
      "error_page 497 https://$host/;");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& pages = Core(loaded).error_pages;
  ASSERT_EQ(pages.size(), 4u);
  EXPECT_THAT(pages[0].statuses, ElementsAre(404, 403));
  EXPECT_FALSE(pages[0].response_status);
  EXPECT_EQ(pages[1].response_status, 200);
  EXPECT_EQ(pages[2].response_status, 0);
  EXPECT_EQ(pages[2].target.source, "@fallback");
  EXPECT_EQ(pages[3].response_status, 400) << "497 is nginx's own";
  EXPECT_THAT(LoadHttp("error_page 299 /x;").errors(),
              ElementsAre(HasSubstr("value \"299\" must be between 300 and 599")));
  EXPECT_THAT(LoadHttp("error_page 300 /x; error_page 599 /y;").errors(), IsEmpty());
  EXPECT_THAT(LoadHttp("error_page 600 /x;").errors(), ElementsAre(HasSubstr("between 300")));
  EXPECT_THAT(LoadHttp("error_page 499 /x;").errors(),
              ElementsAre(HasSubstr("invalid value \"499\"")));
  EXPECT_THAT(LoadHttp("error_page abc /x;").errors(),
              ElementsAre(HasSubstr("invalid value \"abc\"")));
  EXPECT_THAT(LoadHttp("error_page =200 /x;").errors(),
              ElementsAre(HasSubstr("invalid value \"=200\"")));
}

TEST(LocationDirectives, TryFilesEndsInAUriOrACode) {
  const Loaded loaded =
      LoadHttp("server { try_files $uri $uri/ /index; location /a { try_files /x =404; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const LocationConfig& root = loaded.config->http.servers[0]->root;
  ASSERT_TRUE(root.try_files);
  EXPECT_EQ(root.try_files->files.size(), 2u);
  EXPECT_EQ(root.try_files->last.source, "/index");
  EXPECT_EQ(root.locations[0]->try_files->last_status, 404);
  EXPECT_THAT(LoadHttp("server { try_files /x =1000; }").errors(),
              ElementsAre(HasSubstr("invalid code \"=1000\"")));
}

TEST(LocationDirectives, ContentIsOfItsLocationOnly) {
  const Loaded loaded = LoadHttp(
      "server { location /s { stub_status; location /s/x { } } location /m { metrics; internal; }\n"
      "location /g { empty_gif; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  const auto& locations = loaded.config->http.servers[0]->root.locations;
  EXPECT_EQ(locations[0]->content, ContentKind::kStubStatus);
  EXPECT_EQ(locations[0]->locations[0]->content, ContentKind::kStatic);
  EXPECT_EQ(locations[1]->content, ContentKind::kMetrics);
  EXPECT_TRUE(locations[1]->internal_only);
  EXPECT_EQ(locations[2]->content, ContentKind::kEmptyGif);
}

TEST(LocationDirectives, IndexForms) {
  const Loaded loaded = LoadHttp("index a.html $arg_x /last; server { index b; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_EQ(Core(loaded).index.size(), 3u);
  EXPECT_EQ(loaded.config->http.servers[0]->root.settings.core.index.size(), 1u);
  EXPECT_THAT(LoadHttp("index '';").errors(), ElementsAre(HasSubstr("is invalid")));
  EXPECT_THAT(Show(LoadHttp("index /a b;").diagnostics), HasSubstr("should be absolute"));
}

}  // namespace
}  // namespace framewall::config
