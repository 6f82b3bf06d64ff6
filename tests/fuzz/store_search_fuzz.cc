// What a user searches for becomes an expression that FTS5 takes, whatever it was; and a text of
// words is found by itself.
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "backend/store/message_search.h"
#include "proxy/base/check.h"

namespace framewall::backend::store {
namespace {

class Index {
 public:
  Index() {
    FW_CHECK(sqlite3_open(":memory:", &db_) == SQLITE_OK);
    Do("CREATE VIRTUAL TABLE t USING fts5 (text, room, content = '',"
       " tokenize = 'unicode61 remove_diacritics 2')");
    FW_CHECK(sqlite3_prepare_v2(db_,
                                "INSERT INTO t (rowid, text, room) VALUES"
                                " (1, replace(replace(?, 'ё', 'е'), 'Ё', 'Е'), 'r')",
                                -1, &insert_, nullptr) == SQLITE_OK);
    FW_CHECK(sqlite3_prepare_v2(db_, "SELECT rowid FROM t WHERE t MATCH ?", -1, &select_,
                                nullptr) == SQLITE_OK);
  }
  // Is the text found by this expression?
  bool Finds(std::string_view text, const std::string& expression) {
    Do("BEGIN");
    Bind(insert_, text);
    FW_CHECK(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
    Bind(select_, expression);
    const int step = sqlite3_step(select_);
    FW_CHECK(step == SQLITE_ROW || step == SQLITE_DONE);
    sqlite3_reset(select_);
    Do("ROLLBACK");
    return step == SQLITE_ROW;
  }

 private:
  void Do(const char* sql) {
    FW_CHECK(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  static void Bind(sqlite3_stmt* statement, std::string_view text) {
    sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

bool IsWords(std::string_view text) {
  const auto is_letter = [](char octet) {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
  };
  return std::any_of(text.begin(), text.end(), is_letter) &&
         std::all_of(text.begin(), text.end(),
                     [&](char octet) { return octet == ' ' || is_letter(octet); });
}

}  // namespace
}  // namespace framewall::backend::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::store;
  static auto* const index = new Index;
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string words = SearchExpression(text);
  FW_CHECK(words.size() <= 2 * size + 4 * kSearchWords);
  if (words.empty()) return 0;
  const bool found = index->Finds(text, "{text} : (" + words + ") AND {room} : (\"r\")");
  if (IsWords(text)) FW_CHECK(found);
  return 0;
}
