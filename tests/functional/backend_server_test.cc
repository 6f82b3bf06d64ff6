// framewall-backend at its socket: what it takes, how long it waits, how it goes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/support/backend_process.h"

namespace framewall::test {
namespace {

constexpr std::string_view kHealth = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

unsigned ModeOf(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? file.st_mode & 0777 : 0;
}

TEST(BackendStart, NeedsNothingButItself) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(ModeOf(backend.directory().File("data")), 0700u);
  EXPECT_EQ(ModeOf(backend.socket_path()), 0660u);
  EXPECT_EQ(backend.Get("/ready").status(), 200);
  const HttpMessage version = backend.Get("/version");
  EXPECT_NE(version.body.find("\"version\":\"0.1.0\""), std::string::npos) << version.body;
  EXPECT_EQ(backend.Terminate(), 0);
  EXPECT_FALSE(backend.directory().Has("backend.sock"));
}

TEST(BackendStart, ListensOnALoopbackPort) {
  BackendProcess backend("server: {listen: 127.0.0.1:%%PORT_0%%}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(backend.Get("/metrics").status(), 200);
  EXPECT_EQ(backend.Get("/metrics", "X-Real-IP: 192.0.2.1\r\n").status(), 404);
}

TEST(BackendStart, ReplacesAStaleSocketAndNoOther) {
  BackendProcess backend("server: {socket_mode: \"0600\"}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const CommandResult second = backend.Run({"--config", "backend.yaml"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("another process listens"), std::string::npos) << second.output;
  EXPECT_EQ(backend.Kill(), 128 + SIGKILL);
  EXPECT_TRUE(backend.directory().Has("backend.sock"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(ModeOf(backend.socket_path()), 0600u);
  EXPECT_EQ(backend.Terminate(), 0);
  backend.directory().Write("backend.sock", "somebody's file");
  EXPECT_EQ(backend.Run({"--config", "backend.yaml"}).exit_code, 1);
  EXPECT_EQ(backend.directory().Read("backend.sock"), "somebody's file");
}

TEST(BackendServer, KeepsConnectionsAndPipelines) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  RawClient client = backend.Connect();
  client.Send(std::string(kHealth) + "GET /version HTTP/1.1\r\nHost: a\r\n\r\n" +
              std::string(kHealth));
  EXPECT_EQ(client.ReadResponse().body, R"({"status":"alive"})");
  EXPECT_NE(client.ReadResponse().body.find("framewall-backend"), std::string::npos);
  EXPECT_EQ(client.ReadResponse().body, R"({"status":"alive"})");
}

}  // namespace
}  // namespace framewall::test
