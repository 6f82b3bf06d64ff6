// People of a backend under test: registered, logged in, asking.
//
//   BackendProcess backend(std::string(kOpenRegistration));
//   ASSERT_TRUE(backend.Start()) << backend.Output();
//   const Person ann = NewPerson(backend, "ann");
//   EXPECT_EQ(backend.Get("/api/v1/me", ann.field()).status(), 200);
#pragma once

#include <string>
#include <string_view>

#include "tests/support/backend_process.h"
#include "tests/support/http_message.h"

namespace framewall::test {

inline constexpr std::string_view kOpenRegistration = "accounts: {registration_open: true}\n";
inline constexpr std::string_view kPassword = "correct horse battery";

// The value of a JSON text at a pointer (RFC 6901); a string as itself, all else as JSON, empty
// where there is none.
std::string JsonAt(std::string_view json, std::string_view pointer);
// Of the body.
std::string JsonAt(const HttpMessage& message, std::string_view pointer);
// "text" with quotes, as JSON.
std::string JsonText(std::string_view text);

struct Person {
  std::string id;
  std::string name;
  std::string token;    // access token; empty: the log-in failed
  std::string refresh;  // refresh token
  std::string session;

  // "Authorization: Bearer …" with its line end.
  std::string field() const { return "Authorization: Bearer " + token + "\r\n"; }
};

HttpMessage Register(const BackendProcess& backend, const std::string& name,
                     std::string_view password = kPassword);
HttpMessage LogIn(const BackendProcess& backend, const std::string& name,
                  std::string_view password = kPassword, const std::string& headers = "");
Person PersonOf(const HttpMessage& logged_in);
// Registers and logs in. Requires: kOpenRegistration.
Person NewPerson(const BackendProcess& backend, const std::string& name);
// The first administrator, with the password changed to kPassword.
Person FirstAdmin(BackendProcess& backend);
// An API key with these scopes, a JSON array.
std::string NewKey(const BackendProcess& backend, const Person& person, const std::string& scopes);
inline std::string BearerField(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}

}  // namespace framewall::test
