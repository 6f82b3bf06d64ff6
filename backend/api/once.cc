#include "backend/api/once.h"

#include <algorithm>
#include <utility>

#include "backend/base/time.h"
#include "backend/store/idempotency.h"
#include "proxy/base/digest.h"
#include "proxy/base/text.h"
#include "proxy/json/document.h"

namespace framewall::backend::api {
namespace {

// As long as it is visible ASCII, what it means is the client's.
bool IsKey(std::string_view text) {
  return !text.empty() && text.size() <= kIdempotencyKeyLimit &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::variant<IdempotencyKey, Refused> ReadIdempotencyKey(const server::Call& call,
                                                         std::string_view operation) {
  IdempotencyKey key;
  const http::HeaderMap& fields = call.head().fields;
  const auto count = std::count_if(fields.begin(), fields.end(), [](const http::Field& field) {
    return EqualsIgnoreCase(field.name, "idempotency-key");
  });
  if (count == 0) return key;
  const std::string_view value = fields.Get("idempotency-key");
  if (count > 1 || !IsKey(value)) {
    return Refused({.status = 400,
                    .code = "idempotency_key",
                    .detail = "Idempotency-Key: one of 1 to 128 visible ASCII characters was "
                              "expected.",
                    .fields = {}});
  }
  key.user = call.identity().user;
  key.key = value;
  // The path too: the same text to another room is another thing.
  key.operation = std::string(operation) + " " + std::string(call.path());
  key.request = Sha256(call.body());
  return key;
}

Outcome<std::optional<Made>> FindMade(store::Connection& db, const IdempotencyKey& key,
                                      int64_t now) {
  FW_ASSIGN(std::optional<store::SavedAnswer> saved,
            store::FindSavedAnswer(db, key.user, key.key, now - kIdempotencyTime));
  if (!saved) return std::optional<Made>();
  if (saved->operation != key.operation || saved->request != key.request) {
    return Refused({.status = 422,
                    .code = "idempotency_key_reused",
                    .detail = "This Idempotency-Key stood for another request; take a new one.",
                    .fields = {}});
  }
  return std::optional<Made>(
      Made{.status = static_cast<int>(saved->status), .body = std::move(saved->body)});
}

Status KeepMade(store::Connection& db, const IdempotencyKey& key, const Made& made, int64_t now) {
  return store::InsertSavedAnswer(db,
                                  {.user = key.user,
                                   .key = key.key,
                                   .operation = key.operation,
                                   .request = key.request,
                                   .status = made.status,
                                   .body = made.body,
                                   .created = now},
                                  now - kIdempotencyTime);
}

void AnswerMade(server::Call& call, Made made, std::string_view name) {
  server::Reply reply{.status = made.status, .body = std::move(made.body)};
  const auto document = json::Document::Parse(reply.body);
  const std::optional<json::Value> value =
      document.ok() ? document->root().Find(name) : std::nullopt;
  if (value) {
    const std::string text =
        value->kind() == json::Kind::kString ? std::string(value->AsString()) : value->Text();
    reply.fields.emplace_back("location", std::string(call.path()) + "/" + text);
  }
  call.Answer(std::move(reply));
}

}  // namespace framewall::backend::api
