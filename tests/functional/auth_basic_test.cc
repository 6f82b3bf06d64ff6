// auth_basic with hashes that take their time: nobody else waits for them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/base/encoding.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// "password": bcrypt of cost 14, the better part of a second on any machine.
constexpr char kSlow[] = "$2b$14$abcdefghijklmnopqrstuunUCkP9ow51gETKcOE8U3bIw7TE7Z.3u";
// The same of cost 11, a tenth of a second.
constexpr char kMedium[] = "$2b$11$abcdefghijklmnopqrstuuzTrbXNHJaNhoWr3lltLXoaul3IY7xX.";
constexpr char kYescrypt[] = "$y$j9T$abcdefghijklmnop$7asOTx5b6Exfl3myM6K0pLBn.I2hsEvu7G0F7NMfaO.";

constexpr const char* kSite = R"(
events {}
http {
  server {
    listen 127.0.0.1:%%PORT_0%%;
    root %%DIR%%;
    keepalive_requests 1000000;
    auth_basic_user_file %%DIR%%/users;
    auth_basic_cache off;
    location /closed { auth_basic closed; }
    location /remembered { auth_basic closed; auth_basic_cache 1m; }
    location /any { auth_basic closed; satisfy any; allow 127.0.0.1; }
    location /anyway { auth_basic closed; satisfy any; deny all; }
    location /both { auth_basic closed; deny all; }
    location /metrics { metrics; }
    location /open { return 200 open; }
  }
})";

std::string Request(const std::string& path, const std::string& credentials,
                    const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " +
         Base64Encode(credentials) + "\r\n" + more + "\r\n";
}

int StatusOf(uint16_t port, const std::string& path, const std::string& credentials) {
  RawClient client(port);
  client.Send(Request(path, credentials));
  return client.ReadResponse().status();
}

class AuthBasic : public ::testing::Test {
 protected:
  void Start(const std::string& users) {
    for (const char* name : {"closed", "remembered", "any", "anyway", "both"}) {
      proxy_.directory().Write(name, name);
    }
    proxy_.directory().Write("users", users);
    ASSERT_TRUE(proxy_.Start()) << proxy_.Output();
  }
  int Status(const std::string& path, const std::string& credentials) {
    return StatusOf(proxy_.port(0), path, credentials);
  }
  // A metric of password checks; 0 where it is not there.
  int Checks(const std::string& outcome) {
    const std::string page = Get(proxy_.port(0), "/metrics").body;
    const std::string name = "framewall_password_checks_total{outcome=\"" + outcome + "\"} ";
    const size_t at = page.find(name);
    return at == std::string::npos ? 0 : std::stoi(page.substr(at + name.size()));
  }

  ProxyProcess proxy_{kSite};
};

TEST_F(AuthBasic, ASlowHashStallsNobody) {
  Start(std::string("slow:") + kSlow + "\n");
  ASSERT_EQ(proxy_.Workers().size(), 1u);
  const auto begin = Clock::now();
  RawClient slow(proxy_.port(0));
  slow.Send(Request("/closed", "slow:password"));
  auto answer = std::async(std::launch::async, [&] { return slow.ReadResponse().status(); });
  RawClient quick(proxy_.port(0));
  int answered = 0;
  int late = 0;
  while (answer.wait_for(milliseconds(1)) != std::future_status::ready) {
    const auto asked = Clock::now();
    quick.Send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(quick.ReadResponse().body, "open");
    late += Clock::now() - asked < milliseconds(50) ? 0 : 1;
    ++answered;
  }
  EXPECT_EQ(answer.get(), 200);
  EXPECT_GT(Clock::now() - begin, milliseconds(200));
  EXPECT_GT(answered, 20);
  // But for what the machine itself holds up.
  EXPECT_LE(late, answered / 50);
}

TEST_F(AuthBasic, RightPasswordsAreRememberedUntilTheFileChanges) {
  Start(std::string("slow:") + kSlow + "\n");
  EXPECT_EQ(Status("/remembered", "slow:password"), 200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Status("/remembered", "slow:password"), 200);
  EXPECT_EQ(Checks("right"), 1);
  EXPECT_EQ(Checks("remembered"), 20);
  proxy_.directory().Write("users", std::string("slow:") + kYescrypt + "\n");
  EXPECT_EQ(Status("/remembered", "slow:password"), 200);
  EXPECT_EQ(Checks("right"), 2);
  proxy_.directory().Write("users", std::string("other:") + kYescrypt + "\n");
  EXPECT_EQ(Status("/remembered", "slow:password"), 401);
  EXPECT_TRUE(proxy_.WaitForLog("user \"slow\" was not found in"));
}

// Many with one password cost one hash.
TEST_F(AuthBasic, TheSameIsHashedOnceAtATime) {
  Start(std::string("slow:") + kMedium + "\n");
  const auto begin = Clock::now();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(proxy_.port(0));
    clients.back().Send(Request("/closed", "slow:password"));
  }
  for (RawClient& client : clients) EXPECT_EQ(client.ReadResponse().status(), 200);
  const auto once = Clock::now() - begin;
  const auto again = Clock::now();
  EXPECT_EQ(Status("/closed", "slow:password"), 200);
  EXPECT_LT(once, 5 * (Clock::now() - again));
}

TEST_F(AuthBasic, AnUnknownUserTakesAsLongAsAKnownOne) {
  Start(std::string("slow:") + kMedium + "\nplain:{PLAIN}x\nother:" + kMedium + "\n");
  const auto time = [&](const std::string& credentials) {
    const auto begin = Clock::now();
    EXPECT_EQ(Status("/closed", credentials), 401);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  // The machine may be busy: the best of each.
  double known = 100;
  double unknown = 100;
  for (int i = 0; i < 3; ++i) {
    known = std::min(known, time("slow:wrong" + std::to_string(i)));
    unknown = std::min(unknown, time("nobody:wrong" + std::to_string(i)));
  }
  EXPECT_GT(unknown, 0.5 * known);
  EXPECT_LT(unknown, 2 * known);
}

TEST_F(AuthBasic, SatisfyDecidesWithAWaitAsWithout) {
  Start(std::string("u:") + kYescrypt + "\n");
  EXPECT_EQ(Status("/any", "u:wrong"), 200);
  EXPECT_EQ(Status("/anyway", "u:password"), 200);
  RawClient client(proxy_.port(0));
  client.Send(Request("/anyway", "u:wrong"));
  const HttpMessage response = client.ReadResponse();
  EXPECT_EQ(response.status(), 401);
  EXPECT_EQ(response.Header("WWW-Authenticate"), "Basic realm=\"closed\"");
  EXPECT_EQ(Status("/both", "u:password"), 403);
}

TEST_F(AuthBasic, RefusesWhereTooManyWait) {
  Start(std::string("slow:") + kSlow + "\n");
  // Two run, 64 wait, the rest is told to come again.
  std::vector<RawClient> clients;
  for (int i = 0; i < 70; ++i) {
    clients.emplace_back(proxy_.port(0));
    clients.back().Send(Request("/closed", "slow:" + std::to_string(i)));
  }
  EXPECT_TRUE(proxy_.WaitForLog("too many passwords wait to be checked"));
  EXPECT_TRUE(Eventually([&] { return Checks("refused") >= 1; }));
  EXPECT_LE(Checks("refused"), 4);
  EXPECT_EQ(Get(proxy_.port(0), "/open").status(), 200);
  // Who goes gives his place back, before he had his turn.
  clients.clear();
  const auto begin = Clock::now();
  EXPECT_EQ(Status("/closed", "slow:password"), 200);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(AuthBasic, AWorkerDrainsWithAHashUnderWay) {
  Start(std::string("slow:") + kSlow + "\n");
  RawClient client(proxy_.port(0));
  client.Send(Request("/closed", "slow:password"));
  ASSERT_TRUE(Eventually([&] { return Get(proxy_.port(0), "/open").status() == 200; }));
  ASSERT_TRUE(proxy_.Reload());
  EXPECT_EQ(client.ReadResponse().status(), 200);
  EXPECT_EQ(Status("/closed", "slow:password"), 200);
  EXPECT_EQ(proxy_.Quit(), 0);
}

TEST_F(AuthBasic, TerminatesWithHashesUnderWay) {
  Start(std::string("slow:") + kSlow + "\n");
  std::vector<RawClient> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back(proxy_.port(0));
    clients.back().Send(Request("/closed", "slow:" + std::to_string(i)));
  }
  ASSERT_EQ(Get(proxy_.port(0), "/open").status(), 200);
  const auto begin = Clock::now();
  EXPECT_EQ(proxy_.Terminate(), 0);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(AuthBasic, ServesAsASingleProcessToo) {
  std::string config = kSite;
  proxy_.SetConfig("master_process off;" + config);
  Start(std::string("u:") + kYescrypt + "\n");
  EXPECT_EQ(Status("/closed", "u:password"), 200);
  EXPECT_EQ(Status("/closed", "u:wrong"), 401);
  EXPECT_EQ(proxy_.Terminate(), 0);
}

// What Debian's tools make, and what Debian's nginx makes of it.
TEST_F(AuthBasic, AcceptsWhatNginxAccepts) {
  Start("");
  const std::string users = proxy_.directory().File("users");
  const std::vector<std::string> commands = {
      "htpasswd -b -m " + users + " apr1 password",
      "htpasswd -b -B -C 4 " + users + " bcrypt password",
      "htpasswd -b -s " + users + " sha password",
      "htpasswd -b -2 " + users + " sha256 password",
      "htpasswd -b -5 " + users + " sha512 password",
      "htpasswd -b -d " + users + " des password",
      "echo openssl1:$(openssl passwd -1 password) >> " + users,
      "echo openssl5:$(openssl passwd -5 password) >> " + users,
      "echo opensslapr1:$(openssl passwd -apr1 password) >> " + users,
      "echo plain:{PLAIN}password >> " + users,
      std::string("echo 'yescrypt:") + kYescrypt + "' >> " + users,
  };
  for (const std::string& command : commands) {
    ASSERT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
  }
  std::string config = kSite;
  const std::string metrics = "location /metrics { metrics; }";
  const std::string cache = "auth_basic_cache off;";
  const std::string remembered = "location /remembered { auth_basic closed; auth_basic_cache 1m; }";
  for (const std::string& ours : {metrics, cache, remembered}) {
    config.erase(config.find(ours), ours.size());
  }
  std::unique_ptr<ProxyProcess> nginx;
  if (::access("/usr/sbin/nginx", X_OK) == 0) {
    nginx = std::make_unique<ProxyProcess>(config, "/usr/sbin/nginx");
    nginx->directory().Write("closed", "closed");
    nginx->directory().Write("users", proxy_.directory().Read("users"));
    ASSERT_TRUE(nginx->Start()) << nginx->Output();
  }
  for (const char* user : {"apr1", "bcrypt", "sha", "sha256", "sha512", "des", "openssl1",
                           "openssl5", "opensslapr1", "plain", "yescrypt"}) {
    for (const auto& [password, status] : {std::pair<std::string, int>{"password", 200},
                                           {"Password", 401},
                                           {"", 401},
                                           {"passwor", 401}}) {
      const std::string credentials = std::string(user) + ":" + password;
      EXPECT_EQ(Status("/closed", credentials), status) << credentials;
      if (nginx != nullptr) {
        EXPECT_EQ(StatusOf(nginx->port(0), "/closed", credentials), status) << credentials;
      }
    }
  }
}

}  // namespace
}  // namespace framewall::test
