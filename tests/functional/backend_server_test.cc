// framewall-backend at its socket: what it takes, how long it waits, how it goes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>

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
  BackendProcess beside("server: {listen: '" + backend.address() + "'}\n");
  const CommandResult second = beside.Run({"--config", "backend.yaml"});
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

TEST(BackendStart, HasItsDataForItself) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  BackendProcess second("server: {data_dir: '" + backend.directory().File("data") + "'}\n");
  const std::string holder = "(process " + std::to_string(backend.pid()) + ")";
  for (const char* task : {"--config=backend.yaml", "--routes"}) {
    const CommandResult refused = second.Run({"--config", "backend.yaml", task});
    EXPECT_EQ(refused.exit_code, 1);
    for (const std::string& part :
         {holder, backend.directory().File("data/backend.lock"), std::string("[emerg]")}) {
      EXPECT_NE(refused.output.find(part), std::string::npos) << part << "\n" << refused.output;
    }
  }
  EXPECT_FALSE(second.directory().Has("backend.sock"));
  // Whoever only looks is not in its way.
  EXPECT_EQ(second.Run({"--config", "backend.yaml", "--check"}).exit_code, 0);
  const CommandResult copied = second.Run({"--config", "backend.yaml", "--backup", "copy"});
  EXPECT_EQ(copied.exit_code, 0) << copied.output;
  EXPECT_FALSE(second.directory().Has("copy/backend.lock"));
  EXPECT_EQ(backend.Get("/ready").status(), 200);
  EXPECT_EQ(ModeOf(backend.directory().File("data/backend.lock")), 0600u);
}

TEST(BackendStart, ALockThatWasLeftBehindIsNone) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(backend.Kill(), 128 + SIGKILL);
  ASSERT_TRUE(backend.directory().Has("data/backend.lock"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  EXPECT_EQ(backend.directory().Read("data/backend.lock"), std::to_string(backend.pid()) + "\n");
  // And ours ends with us, also after a drain.
  EXPECT_EQ(backend.Terminate(), 0);
  backend.directory().Write("data/backend.lock", "no number, and longer than any process id is\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
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

TEST(BackendServer, ErrorsAreProblems) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const HttpMessage missing = backend.Get("/api/v1/nothing");
  EXPECT_EQ(missing.status(), 404);
  EXPECT_EQ(missing.Header("Content-Type"), "application/problem+json");
  EXPECT_NE(missing.body.find(R"("type":"urn:framewall:problem:not_found")"), std::string::npos);
  const HttpMessage method = backend.Request("DELETE", "/health");
  EXPECT_EQ(method.status(), 405);
  EXPECT_EQ(method.Header("Allow"), "GET, HEAD");
  const HttpMessage head = backend.Request("HEAD", "/health");
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.Header("Content-Length"), "18");
  EXPECT_EQ(backend.Get("/health?a=%zz").status(), 400);
  EXPECT_EQ(backend.Get("/x/../health").status(), 400);
}

TEST(BackendServer, DetailsAreForThoseInside) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const HttpMessage inside = backend.Get("/ready");
  EXPECT_NE(inside.body.find(R"("database":{"ok":true,"decisive":true})"), std::string::npos)
      << inside.body;
  EXPECT_NE(inside.body.find(R"("provider echo":{"ok":true,"decisive":false})"), std::string::npos)
      << inside.body;
  const HttpMessage outside = backend.Get("/ready", "X-Real-IP: 192.0.2.1\r\n");
  EXPECT_EQ(outside.body, R"({"status":"ready"})");
  EXPECT_EQ(backend.Get("/metrics", "X-Forwarded-For: 192.0.2.1\r\n").status(), 404);
  const HttpMessage metrics = backend.Get("/metrics");
  EXPECT_EQ(metrics.Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(
      metrics.body.find(R"(framewall_backend_requests_total{operation="getReady",status="200"} 2)"),
      std::string::npos)
      << metrics.body;
  for (const char* line :
       {"\nframewall_backend_connections 1\n", "\nframewall_backend_database_writes_waiting 0\n",
        "\nframewall_backend_password_hashes_under_way 0\n"}) {
    EXPECT_NE(metrics.body.find(line), std::string::npos) << line << metrics.body;
  }
}

// Another program has the database for itself: the probe neither waits for it nor queues up.
TEST(BackendServer, ReadyDoesNotWaitForTheDisk) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  ASSERT_EQ(backend.Get("/ready").status(), 200);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(backend.directory().File("data/backend.db").c_str(), &other), SQLITE_OK);
  sqlite3_busy_timeout(other, 10'000);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto began = std::chrono::steady_clock::now();
  std::vector<RawClient> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(backend.Connect());
    waiting.back().Send("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  EXPECT_EQ(backend.Get("/health").status(), 200);
  EXPECT_TRUE(Eventually([&] {
    return backend.Get("/metrics").body.find("database_writes_waiting 0") != std::string::npos;
  }));
  for (RawClient& client : waiting) EXPECT_EQ(client.ReadResponse().status(), 503);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GT(took, std::chrono::milliseconds(2500));
  EXPECT_LT(took, std::chrono::seconds(10)) << "the lock is waited for";
  // From then on it is said at once.
  const HttpMessage late = backend.Get("/ready");
  EXPECT_EQ(late.status(), 503);
  EXPECT_NE(late.body.find("has not answered for 3000 ms"), std::string::npos) << late.body;
  EXPECT_EQ(backend.Get("/ready", "X-Real-IP: 192.0.2.1\r\n").body, R"({"status":"not ready"})");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  ASSERT_EQ(sqlite3_close(other), SQLITE_OK);  // rolls back
  EXPECT_TRUE(Eventually([&] { return backend.Get("/ready").status() == 200; }));
}

TEST(BackendServer, LimitsOfTheSettingsHold) {
  BackendProcess backend(
      "server: {head_seconds: 1, body_seconds: 1, idle_seconds: 1, connection_limit: 2}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  {
    RawClient half_head = backend.Connect();
    half_head.Send("GET /health HTTP/1.1\r\nHo");
    RawClient idle = backend.Connect();
    EXPECT_EQ(backend.Get("/health").status(), 503);
    EXPECT_EQ(half_head.ReadResponse().status(), 408);
    EXPECT_TRUE(idle.WaitForClose());
  }
  RawClient half_body = backend.Connect();
  half_body.Send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
  // Refused at its head already, as nobody has logged in; its body is not waited for long.
  EXPECT_EQ(half_body.ReadResponse().status(), 401);
  EXPECT_TRUE(half_body.WaitForClose());
  EXPECT_TRUE(backend.WaitForOutput("GET /health 503"));
}

TEST(BackendServer, BodyLimitOnBothSides) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const auto log_in = [&](size_t size) {
    std::string body = R"({"name":"nobody","password":"wrong"})";
    body += std::string(size - body.size(), ' ');
    return backend.Request("POST", "/api/v1/login", "", body);
  };
  EXPECT_EQ(log_in(8192).status(), 401);
  const HttpMessage refused = log_in(8193);
  EXPECT_EQ(refused.status(), 413);
  EXPECT_NE(refused.body.find("at most 8192 octets"), std::string::npos) << refused.body;
}

// --- Signals ------------------------------------------------------------------------------------

TEST(BackendSignals, TermFinishesWhatIsUnderWay) {
  BackendProcess backend("server: {drain_seconds: 20}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  RawClient idle = backend.Connect();
  idle.Send(kHealth);
  EXPECT_EQ(idle.ReadResponse().status(), 200);
  RawClient busy = backend.Connect();
  busy.Send("GET /health HTTP/1.1\r\nHost:");
  // Accepted and read: the next answer is behind it.
  EXPECT_EQ(backend.Get("/health").status(), 200);
  backend.Signal(SIGTERM);
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_TRUE(Eventually([&] { return !backend.Connect().connected(); }));
  EXPECT_FALSE(backend.directory().Has("backend.sock"));
  busy.Send(" a\r\n\r\n");
  const HttpMessage answer = busy.ReadResponse();
  EXPECT_EQ(answer.body, R"({"status":"alive"})");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_EQ(backend.WaitForExit(), 0);
}

TEST(BackendSignals, TheDrainHasAnEnd) {
  for (const int number : {SIGINT, SIGQUIT}) {
    BackendProcess backend("server: {drain_seconds: 1, head_seconds: 600}\n");
    ASSERT_TRUE(backend.Start()) << backend.Output();
    RawClient stuck = backend.Connect();
    stuck.Send("GET /health HTTP/1.1\r\nHost:");
    EXPECT_EQ(backend.Get("/health").status(), 200);
    backend.Signal(number);
    EXPECT_EQ(backend.WaitForExit(std::chrono::seconds(10)), 0);
    EXPECT_TRUE(stuck.WaitForClose());
  }
}

TEST(BackendSignals, ASecondOneEndsAtOnce) {
  BackendProcess backend("server: {drain_seconds: 600, head_seconds: 600}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  RawClient stuck = backend.Connect();
  stuck.Send("GET /health HTTP/1.1\r\nHost:");
  EXPECT_EQ(backend.Get("/health").status(), 200);
  backend.Signal(SIGTERM);
  EXPECT_TRUE(backend.WaitForOutput("draining"));
  backend.Signal(SIGTERM);
  EXPECT_EQ(backend.WaitForExit(std::chrono::seconds(10)), 0);
}

TEST(BackendSignals, ASuccessorsSocketIsLeftAlone) {
  BackendProcess first;
  ASSERT_TRUE(first.Start()) << first.Output();
  // As a deployment may do it: another file takes the name.
  std::filesystem::rename(first.socket_path(), first.socket_path() + ".old");
  first.directory().Write("backend.sock", "a successor's");
  EXPECT_EQ(first.Terminate(), 0);
  EXPECT_TRUE(first.directory().Has("backend.sock"));
}

TEST(BackendSignals, LogsAreOpenedAnew) {
  BackendProcess backend("log: {file: backend.log, level: info}\n");
  ASSERT_TRUE(backend.Start()) << backend.Output();
  for (const int number : {SIGHUP, SIGUSR1}) {
    const std::string moved = backend.directory().File("moved" + std::to_string(number));
    std::filesystem::rename(backend.directory().File("backend.log"), moved);
    backend.Signal(number);
    EXPECT_TRUE(Eventually([&] { return backend.directory().Has("backend.log"); }));
    EXPECT_EQ(backend.Get("/version").status(), 200);
    EXPECT_TRUE(Eventually([&] {
      return backend.directory().Read("backend.log").find("GET /version 200") != std::string::npos;
    }));
  }
}

TEST(BackendLog, HasALineForEachRequestAndNoQuery) {
  BackendProcess backend;
  ASSERT_TRUE(backend.Start()) << backend.Output();
  backend.Get("/version?ticket=very-secret",
              "X-Real-IP: 192.0.2.9\r\nX-Request-ID: abc123\r\n"
              "Cookie: session=very-secret\r\n");
  EXPECT_TRUE(backend.WaitForOutput("GET /version 200"));
  EXPECT_NE(backend.Output().find("client: 192.0.2.9, request: abc123"), std::string::npos)
      << backend.Output();
  EXPECT_EQ(backend.Output().find("very-secret"), std::string::npos);
}

}  // namespace
}  // namespace framewall::test
