// A JSON text that tests read by name. Who includes it links fw_json.
//
//   EXPECT_EQ(Json(text).At("author").At("name").Text(), "ann");
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/json/document.h"

namespace framewall::test {

// What is missing is null; a text that is no JSON is a string that says so.
class Json {
 public:
  explicit Json(std::string_view text)
      : document_(std::make_shared<json::Document>(Parsed(text))), value_(document_->root()) {}

  bool Has(std::string_view name) const { return value_.Find(name).has_value(); }
  Json At(std::string_view name) const {
    const auto value = value_.Find(name);
    return value ? Json(document_, *value) : Json("null");
  }
  Json At(size_t index) const {
    return index < value_.size() ? Json(document_, value_.At(index)) : Json("null");
  }
  size_t size() const { return value_.size(); }
  std::string Text() const {
    return value_.kind() == json::Kind::kString ? std::string(value_.AsString()) : value_.Text();
  }
  int64_t Number() const {
    return value_.kind() == json::Kind::kInteger ? value_.AsInteger() : int64_t{-1};
  }
  std::string type() const { return At("type").Text(); }

 private:
  Json(std::shared_ptr<json::Document> document, json::Value value)
      : document_(std::move(document)), value_(value) {}
  static json::Document Parsed(std::string_view text) {
    auto document = json::Document::Parse(text);
    return document.ok() ? std::move(document).value()
                         : json::Document::OfString("no JSON: " + document.error().message);
  }
  std::shared_ptr<json::Document> document_;
  json::Value value_;
};

}  // namespace framewall::test
