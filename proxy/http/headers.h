// HeaderMap: the fields of a message, in order and in the sender's spelling.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/http/header_name.h"

namespace framewall::http {

struct Field {
  std::string_view name;   // as it was spelled
  std::string_view value;  // without white space around it
  FieldId id = FieldId::kOther;
};

// Names and values are views: into the arena for Add and Set, into the caller's
// memory (which must live as long) for AddView.
class HeaderMap {
 public:
  // `arena` outlives the map.
  explicit HeaderMap(Arena* arena) : arena_(arena) {}

  void Add(std::string_view name, std::string_view value);
  void Add(FieldId id, std::string_view value);
  void AddView(std::string_view name, std::string_view value, FieldId id);

  // Replaces every field of that name by this one (in the place of the first), or adds it.
  void Set(FieldId id, std::string_view value);
  void Set(std::string_view name, std::string_view value);
  void Remove(FieldId id);
  void Remove(std::string_view name);

  // The first field of that name, or null.
  const Field* Find(FieldId id) const;
  const Field* Find(std::string_view name) const;
  // The first value, or empty.
  std::string_view Get(FieldId id) const;
  std::string_view Get(std::string_view name) const;
  bool Has(FieldId id) const { return Find(id) != nullptr; }
  size_t Count(FieldId id) const;
  // True where any field of that name holds `token` in its comma list, case-blind.
  bool ListHas(FieldId id, std::string_view token) const;
  // All values of that name as one list, joined with ", " (RFC 9110 5.3).
  std::string Joined(FieldId id) const;

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
  std::vector<Field>::const_iterator end() const { return fields_.end(); }
  Field& at(size_t index) { return fields_[index]; }
  const Field& at(size_t index) const { return fields_[index]; }
  // Keeps the memory for the next message.
  void Clear() { fields_.clear(); }
  // Room for `count` fields at once.
  void Reserve(size_t count) { fields_.reserve(count); }
  void RemoveAt(size_t index) {
    fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  Arena* arena() const { return arena_; }

 private:
  void SetField(FieldId id, std::string_view name, std::string_view value);

  Arena* arena_;
  std::vector<Field> fields_;
};

}  // namespace framewall::http
