// -t -T -q -v -V -h -s: texts and exit codes as nginx's.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kServer[] = R"(
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } } }
)";

TEST(CommandLine, PrintsTheVersionThatScriptsLookFor) {
  const CommandResult result = ProxyProcess::RunBinary({"-v"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with("nginx version: nginx/1.22.1 (framewall "))
      << result.output;
}

TEST(CommandLine, ListsWhatIsBuiltInAndWhatIsNot) {
  const CommandResult result = ProxyProcess::RunBinary({"-V"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* text :
       {"built with OpenSSL 3.", "TLS SNI support enabled", "--with-http_ssl_module",
        "--with-http_realip_module", "--with-http_stub_status_module",
        "--without-http_fastcgi_module", "--without-http-cache"}) {
    EXPECT_NE(result.output.find(text), std::string::npos) << text;
  }
  for (const char* text : {"--with-debug", "http_v2", "stream", "mail", "=dynamic"}) {
    EXPECT_EQ(result.output.find(text), std::string::npos) << text;
  }
}

TEST(CommandLine, HelpsAndSucceeds) {
  for (const char* option : {"-h", "-?"}) {
    const CommandResult result = ProxyProcess::RunBinary({option});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.output.find("Usage: nginx"), std::string::npos);
  }
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  CommandResult result = ProxyProcess::RunBinary({"-x"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "nginx: invalid option: \"x\"\n");
  result = ProxyProcess::RunBinary({"-s", "dance"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "nginx: invalid option: \"-s dance\"\n");
  result = ProxyProcess::RunBinary({"-c"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "nginx: option \"-c\" requires file name\n");
}

TEST(CommandLine, TestsAConfiguration) {
  ProxyProcess proxy(kServer);
  const std::string path = proxy.directory().File("nginx.conf");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "nginx: the configuration file " + path +
                               " syntax is ok\nnginx: configuration file " + path +
                               " test is successful\n");
  EXPECT_FALSE(proxy.directory().Has("nginx.pid"));
  EXPECT_EQ(proxy.Run({"-t", "-q"}).output, "");
}

TEST(CommandLine, TestsWhileTheServerHoldsTheAddresses) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(proxy.Run({"-t", "-q"}).output, "");
}

TEST(CommandLine, SaysWhyAConfigurationFails) {
  ProxyProcess proxy("events {}\nhttp { no_such_directive on; }");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.output.starts_with("nginx: [emerg] unknown directive \"no_such_directive\""))
      << result.output;
  EXPECT_TRUE(result.output.ends_with("nginx: configuration file " +
                                      proxy.directory().File("nginx.conf") + " test failed\n"))
      << result.output;
  EXPECT_FALSE(proxy.Start());
}

TEST(CommandLine, DumpsEveryFileByteForByte) {
  ProxyProcess proxy(kServer);
  const CommandResult result = proxy.Run({"-T", "-q"});
  EXPECT_EQ(result.exit_code, 0);
  const std::string path = proxy.directory().File("nginx.conf");
  EXPECT_EQ(result.output,
            "# configuration file " + path + ":\n" + proxy.directory().Read("nginx.conf") + "\n");
}

TEST(CommandLine, SignalsTheMasterOfThePidFile) {
  ProxyProcess proxy(kServer);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_EQ(proxy.Run({"-s", "reopen"}).exit_code, 0);
  EXPECT_TRUE(proxy.WaitForLog("reopening logs"));
  EXPECT_EQ(proxy.Run({"-s", "quit"}).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return !proxy.directory().Has("nginx.pid"); }));
  const CommandResult late = proxy.Run({"-s", "stop"});
  EXPECT_EQ(late.exit_code, 1);
  EXPECT_EQ(late.output, "nginx: [error] open() \"" + proxy.directory().File("nginx.pid") +
                             "\" failed (2: No such file or directory)\n");
}

TEST(CommandLine, RefusesAPidFileWithoutANumber) {
  ProxyProcess proxy(kServer);
  proxy.directory().Write("nginx.pid", "abc\n");
  const CommandResult result = proxy.Run({"-s", "stop"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "nginx: [error] invalid PID number \"abc\" in \"" +
                               proxy.directory().File("nginx.pid") + "\"\n");
}

TEST(CommandLine, TakesGlobalDirectives) {
  ProxyProcess proxy("daemon off; pid %%DIR%%/other.pid;\n" + std::string(kServer));
  const CommandResult result = proxy.Run({"-t", "-g", "no_such_global on;"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("no_such_global"), std::string::npos) << result.output;
}

TEST(Daemon, LeavesTheStarterAndServes) {
  ProxyProcess proxy("daemon on;\n" + std::string(kServer));
  const CommandResult started = proxy.Run({});
  EXPECT_EQ(started.exit_code, 0);
  EXPECT_EQ(started.output, "");
  ASSERT_TRUE(Eventually([&] { return !proxy.directory().Read("nginx.pid").empty(); }));
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(proxy.Run({"-s", "quit"}).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return !proxy.directory().Has("nginx.pid"); }));
}

TEST(SingleProcess, ServesWithoutAMaster) {
  ProxyProcess proxy("master_process off;\n" + std::string(kServer));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  EXPECT_TRUE(proxy.Workers().empty());
  EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
  EXPECT_EQ(proxy.Quit(), 0);
  EXPECT_FALSE(proxy.directory().Has("nginx.pid"));
}

}  // namespace
}  // namespace framewall::test
