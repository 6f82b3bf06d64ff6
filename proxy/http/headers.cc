#include "proxy/http/headers.h"

#include <algorithm>

#include "proxy/base/text.h"

namespace framewall::http {
namespace {

// Known names compare by number; the others by text.
bool Matches(const Field& field, FieldId id, std::string_view name) {
  return id != FieldId::kOther ? field.id == id
                               : field.id == FieldId::kOther && EqualsIgnoreCase(field.name, name);
}

}  // namespace

void HeaderMap::Add(std::string_view name, std::string_view value) {
  fields_.push_back({arena_->Copy(name), arena_->Copy(value), FindFieldId(name)});
}

void HeaderMap::Add(FieldId id, std::string_view value) {
  fields_.push_back({FieldName(id), arena_->Copy(value), id});
}

void HeaderMap::AddView(std::string_view name, std::string_view value, FieldId id) {
  fields_.push_back({name, value, id});
}

void HeaderMap::Set(FieldId id, std::string_view value) { SetField(id, FieldName(id), value); }

void HeaderMap::Set(std::string_view name, std::string_view value) {
  SetField(FindFieldId(name), name, value);
}

void HeaderMap::SetField(FieldId id, std::string_view name, std::string_view value) {
  const auto matches = [&](const Field& field) { return Matches(field, id, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), matches);
  if (first == fields_.end()) {
    Add(name, value);
    return;
  }
  // `name` and `value` may be views of what is replaced: the arena keeps it.
  *first = {arena_->Copy(name), arena_->Copy(value), id};
  fields_.erase(std::remove_if(first + 1, fields_.end(), matches), fields_.end());
}

void HeaderMap::Remove(FieldId id) {
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(),
                               [id](const Field& field) { return field.id == id; }),
                fields_.end());
}

void HeaderMap::Remove(std::string_view name) {
  const FieldId id = FindFieldId(name);
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(),
                               [&](const Field& field) { return Matches(field, id, name); }),
                fields_.end());
}

const Field* HeaderMap::Find(FieldId id) const {
  for (const Field& field : fields_) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const Field* HeaderMap::Find(std::string_view name) const {
  const FieldId id = FindFieldId(name);
  for (const Field& field : fields_) {
    if (Matches(field, id, name)) return &field;
  }
  return nullptr;
}

std::string_view HeaderMap::Get(FieldId id) const {
  const Field* field = Find(id);
  return field == nullptr ? std::string_view() : field->value;
}

std::string_view HeaderMap::Get(std::string_view name) const {
  const Field* field = Find(name);
  return field == nullptr ? std::string_view() : field->value;
}

size_t HeaderMap::Count(FieldId id) const {
  return static_cast<size_t>(std::count_if(fields_.begin(), fields_.end(),
                                           [id](const Field& field) { return field.id == id; }));
}

std::string HeaderMap::Joined(FieldId id) const {
  std::string joined;
  for (const Field& field : fields_) {
    if (field.id != id) continue;
    if (!joined.empty()) joined += ", ";
    joined += field.value;
  }
  return joined;
}

bool HeaderMap::ListHas(FieldId id, std::string_view token) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) {
    return field.id == id && ListContainsToken(field.value, token);
  });
}

}  // namespace framewall::http
