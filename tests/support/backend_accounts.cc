#include "tests/support/backend_accounts.h"

#include <gtest/gtest.h>

#include "proxy/base/encoding.h"
#include "proxy/json/document.h"
#include "proxy/json/pointer.h"

namespace framewall::test {

std::string JsonAt(std::string_view text, std::string_view pointer) {
  const auto document = json::Document::Parse(text);
  const auto tokens = json::ParsePointer(pointer);
  if (!document.ok() || !tokens) return {};
  const auto value = json::Resolve(document->root(), *tokens);
  if (!value) return {};
  return value->kind() == json::Kind::kString ? std::string(value->AsString()) : value->Text();
}

std::string JsonAt(const HttpMessage& message, std::string_view pointer) {
  return JsonAt(message.body, pointer);
}

std::string JsonText(std::string_view text) {
  std::string json = "\"";
  AppendJsonEscaped(json, text);
  return json + '"';
}

HttpMessage Register(const BackendProcess& backend, const std::string& name,
                     std::string_view password) {
  return backend.Request(
      "POST", "/api/v1/register", "",
      "{\"name\":" + JsonText(name) + ",\"password\":" + JsonText(password) + "}");
}

HttpMessage LogIn(const BackendProcess& backend, const std::string& name, std::string_view password,
                  const std::string& headers) {
  return backend.Request(
      "POST", "/api/v1/login", headers,
      "{\"name\":" + JsonText(name) + ",\"password\":" + JsonText(password) + "}");
}

Person PersonOf(const HttpMessage& logged_in) {
  EXPECT_EQ(logged_in.status(), 200) << logged_in.body;
  Person person;
  person.id = JsonAt(logged_in, "/user/id");
  person.name = JsonAt(logged_in, "/user/name");
  person.token = JsonAt(logged_in, "/access_token");
  person.refresh = JsonAt(logged_in, "/refresh_token");
  person.session = JsonAt(logged_in, "/session");
  return person;
}

Person NewPerson(const BackendProcess& backend, const std::string& name) {
  const HttpMessage registered = Register(backend, name);
  EXPECT_EQ(registered.status(), 201) << registered.body;
  return PersonOf(LogIn(backend, name));
}

Person FirstAdmin(BackendProcess& backend) {
  std::string password = backend.directory().Read("data/admin-password");
  password.resize(password.find('\n') == password.npos ? 0 : password.find('\n'));
  const Person first = PersonOf(LogIn(backend, "admin", password));
  return PersonOf(backend.Request("POST", "/api/v1/password", first.field(),
                                  "{\"current_password\":" + JsonText(password) +
                                      ",\"new_password\":" + JsonText(kPassword) + "}"));
}

std::string NewKey(const BackendProcess& backend, const Person& person, const std::string& scopes) {
  const HttpMessage made = backend.Request("POST", "/api/v1/keys", person.field(),
                                           R"({"name":"key","scopes":)" + scopes + "}");
  EXPECT_EQ(made.status(), 201) << made.body;
  return JsonAt(made, "/key");
}

}  // namespace framewall::test
