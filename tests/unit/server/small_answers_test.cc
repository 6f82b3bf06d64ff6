#include "proxy/server/small_answers.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::server {
namespace {

TEST(PublicStatus, NginxsOwnStatusesAre400) {
  for (const int status : {494, 495, 496, 497}) EXPECT_EQ(PublicStatus(status), 400) << status;
  for (const int status : {200, 400, 403, 493, 498, 499, 502}) {
    EXPECT_EQ(PublicStatus(status), status);
  }
}

class KeepAliveTest : public ::testing::Test {
 protected:
  bool IsBroken(const std::string& disable, const std::string& agent,
                std::string_view method = "GET") {
    testing_.Load("keepalive_disable " + disable + ";\nserver { listen 8080; location / {} }");
    return IsKeepAliveBroken(testing_.Request("/", "/", {{"User-Agent", agent}}, method));
  }

  ExchangeTesting testing_;
};

TEST_F(KeepAliveTest, OldMsieAfterAPost) {
  const std::string msie6 = "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)";
  EXPECT_TRUE(IsBroken("msie6", msie6, "POST"));
  EXPECT_FALSE(IsBroken("msie6", msie6, "GET"));
  EXPECT_FALSE(IsBroken("none", msie6, "POST"));
  EXPECT_FALSE(IsBroken("safari", msie6, "POST"));
  EXPECT_TRUE(IsBroken("msie6", "Mozilla/4.0 (compatible; MSIE 4.0; Windows)", "POST"));
  EXPECT_TRUE(IsBroken("msie6", "Mozilla/4.0 (compatible; MSIE 5.5; Windows)", "POST"));
  // Its second service pack, its successors, and who only says so.
  EXPECT_FALSE(IsBroken("msie6", "Mozilla/4.0 (compatible; MSIE 6.0; SV1)", "POST"));
  EXPECT_FALSE(IsBroken("msie6", "Mozilla/4.0 (compatible; MSIE 7.0; Windows)", "POST"));
  EXPECT_FALSE(IsBroken("msie6", "Mozilla/4.0 (compatible; MSIE 6.0) Opera 7.0", "POST"));
}

TEST_F(KeepAliveTest, ATextThatIsCutShortIsNoMsie) {
  for (const std::string agent : {"", "MSIE ", "MSIE 6", "x MSIE 6", "MSIE 6 0"}) {
    EXPECT_FALSE(IsBroken("msie6", agent, "POST")) << agent;
  }
  EXPECT_TRUE(IsBroken("msie6", "MSIE 6.", "POST"));
}

TEST_F(KeepAliveTest, SafariOnAMac) {
  const std::string safari = "Mozilla/5.0 (Macintosh; Mac OS X 10_15) AppleWebKit Safari/605";
  EXPECT_TRUE(IsBroken("safari", safari));
  EXPECT_TRUE(IsBroken("msie6 safari", safari));
  EXPECT_FALSE(IsBroken("msie6", safari));
  EXPECT_FALSE(IsBroken("safari", "Mozilla/5.0 (Mac OS X) Chrome/100 Safari/605"));
  EXPECT_FALSE(IsBroken("safari", "Mozilla/5.0 (Windows) Safari/605"));
}

TEST(MissingCa, IsWhatOptionalNoCaForgives) {
  EXPECT_TRUE(IsMissingCa(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT));
  EXPECT_TRUE(IsMissingCa(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN));
  EXPECT_TRUE(IsMissingCa(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
  EXPECT_TRUE(IsMissingCa(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE));
  EXPECT_FALSE(IsMissingCa(X509_V_OK));
  EXPECT_FALSE(IsMissingCa(X509_V_ERR_CERT_HAS_EXPIRED));
  EXPECT_FALSE(IsMissingCa(X509_V_ERR_CERT_REVOKED));
  EXPECT_FALSE(IsMissingCa(X509_V_ERR_CERT_SIGNATURE_FAILURE));
}

}  // namespace
}  // namespace framewall::server
