// A client of the REST API that holds every answer against the OpenAPI document which the program
// serves: the operation is there, its status is told, the body matches its schema and has nothing
// besides, the media type is the one that is told.
//
//   Api api(backend);
//   EXPECT_EQ(api.Post(ann, "/api/v1/rooms", R"({"name":"Kitchen"})").status(), 201);
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/json/document.h"
#include "proxy/json/schema.h"
#include "tests/support/backend_accounts.h"
#include "tests/support/backend_process.h"

namespace framewall::test {

struct Operation {
  std::string id;
  std::string method;  // upper case
  std::string path;    // a template: "/api/v1/rooms/{room}"
};

// The document, and real answers against it.
class OpenApiCheck {
 public:
  explicit OpenApiCheck(const std::string& document);

  const std::vector<Operation>& operations() const { return operations_; }
  json::Value root() const { return document_.root(); }
  // Null: none.
  const Operation* Find(std::string_view method, std::string_view path) const;
  json::Value At(const Operation& operation) const;
  // Empty: the answer is as the document tells.
  std::string WhyNot(const std::string& method, const std::string& target,
                     const HttpMessage& answer);

 private:
  std::string CheckBody(const Operation& operation, const std::string& status, json::Value content,
                        const HttpMessage& answer);

  json::Document document_;
  std::vector<Operation> operations_;
  std::map<std::string, std::shared_ptr<const json::Schema>> schemas_;
};

class Api {
 public:
  explicit Api(const BackendProcess& backend)
      : backend_(backend), check_(backend.Get("/api/v1/openapi.json").body) {}

  // `headers`: further lines; of the person's own, and checked as above.
  HttpMessage Call(const std::string& method, const std::string& target, const std::string& headers,
                   const std::string& body = "");
  HttpMessage Get(const Person& person, const std::string& target) {
    return Call("GET", target, person.field());
  }
  HttpMessage Post(const Person& person, const std::string& target, const std::string& body,
                   const std::string& headers = "") {
    return Call("POST", target, person.field() + headers, body);
  }
  HttpMessage Patch(const Person& person, const std::string& target, const std::string& body) {
    return Call("PATCH", target, person.field(), body);
  }
  HttpMessage Put(const Person& person, const std::string& target, const std::string& body = "") {
    return Call("PUT", target, person.field(), body);
  }
  HttpMessage Delete(const Person& person, const std::string& target) {
    return Call("DELETE", target, person.field());
  }

  // Ids of what was made; the test fails where it was not.
  std::string NewRoom(const Person& owner, const std::string& body = R"({"name":"Kitchen"})");
  std::string NewConversation(const Person& owner, const std::string& body = "{}");
  void Invite(const Person& owner, const std::string& room, const std::string& name);
  void Join(const Person& person, const std::string& room);
  // The number.
  std::string Say(const Person& person, const std::string& place, const std::string& text);

  OpenApiCheck& check() { return check_; }

 private:
  const BackendProcess& backend_;
  OpenApiCheck check_;
};

inline std::string RoomPath(const std::string& id) { return "/api/v1/rooms/" + id; }
inline std::string ConversationPath(const std::string& id) { return "/api/v1/conversations/" + id; }

// All values at a pointer under each of "items", separated by spaces.
std::string ItemsAt(const HttpMessage& page, std::string_view pointer);
// "pointer pointer" of a validation problem.
std::string BadFields(const HttpMessage& problem);

}  // namespace framewall::test
