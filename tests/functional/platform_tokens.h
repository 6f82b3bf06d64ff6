// Access tokens (RFC 9068) for platforms: one issuer for all tests of a program, signing as the
// platforms' own do.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/token_issuer.h"

namespace framewall::test {

inline const TokenIssuer& Issuer() {
  static const TokenIssuer issuer;  // RS256
  return issuer;
}

// Right unless a test changes something.
struct AccessToken {
  std::string issuer;
  std::string audience;
  std::string subject = "ann";
  std::string roles = "[]";  // JSON
  std::string type = "at+jwt";
  int64_t seconds = 3600;

  std::string Sign(const TokenIssuer& by = Issuer()) const {
    return by.TokenWithHeader(R"({"alg":"RS256","kid":"k1","typ":")" + type + "\"}",
                              R"({"iss":")" + issuer + R"(","aud":[")" + audience +
                                  R"(","other"],"sub":")" + subject + R"(","roles":)" + roles +
                                  ",\"exp\":" + std::to_string(UnixNow() + seconds) + "}");
  }
  // As a line of a head.
  std::string Bearer() const { return "Authorization: Bearer " + Sign() + "\r\n"; }
};

}  // namespace framewall::test
