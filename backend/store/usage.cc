#include "backend/store/usage.h"

#include "backend/base/time.h"

namespace framewall::backend::store {
namespace {

// Above every letter of a day.
constexpr std::string_view kBeyondAll = "~";

struct Position {
  std::string_view day = kBeyondAll;
  std::string_view user;
  std::string_view model;
};

// DAY USER MODEL; a model's name may have spaces.
Position ParsePosition(std::string_view text) {
  Position position;
  const size_t first = text.find(' ');
  if (first == std::string_view::npos) return position;
  const size_t second = text.find(' ', first + 1);
  if (second == std::string_view::npos) return position;
  position.day = text.substr(0, first);
  position.user = text.substr(first + 1, second - first - 1);
  position.model = text.substr(second + 1);
  return position;
}

}  // namespace

std::string UtcDay(int64_t unix_milliseconds) { return Rfc3339(unix_milliseconds).substr(0, 10); }

std::string UsagePosition(const Usage& usage) {
  return usage.day + " " + usage.user + " " + usage.model;
}

Status AddUsage(Connection& db, const Usage& used) {
  Statement insert = db.Prepare(
      "INSERT INTO usage (user, day, model, requests, prompt_tokens, completion_tokens)"
      " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + "
      "excluded.requests,"
      " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
      " completion_tokens = completion_tokens + excluded.completion_tokens");
  insert.Bind(1, used.user)
      .Bind(2, used.day)
      .Bind(3, used.model)
      .Bind(4, used.requests)
      .Bind(5, used.prompt_tokens)
      .Bind(6, used.completion_tokens);
  FW_TRY(insert.Run());
  return {};
}

Result<std::vector<Usage>> ListUsage(Connection& db, const UsageWish& wish) {
  const Position behind = ParsePosition(wish.behind);
  // One user's rows are found by the primary key, those of all by the day.
  Statement select = db.Prepare(
      wish.user.empty()
          ? "SELECT user, day, model, requests, prompt_tokens, completion_tokens FROM usage"
            " WHERE day >= ?2 AND day <= ?3 AND ?1 = ''"
            " AND (day < ?4 OR (day = ?4 AND (user, model) > (?5, ?6)))"
            " ORDER BY day DESC, user, model LIMIT ?7"
          : "SELECT user, day, model, requests, prompt_tokens, completion_tokens FROM usage"
            " WHERE user = ?1 AND day >= ?2 AND day <= ?3"
            " AND (day < ?4 OR (day = ?4 AND (user, model) > (?5, ?6)))"
            " ORDER BY day DESC, model LIMIT ?7");
  select.Bind(1, wish.user)
      .Bind(2, wish.from)
      .Bind(3, wish.to)
      .Bind(4, behind.day)
      .Bind(5, behind.user)
      .Bind(6, behind.model)
      .Bind(7, wish.limit);
  std::vector<Usage> rows;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(Usage{.user = select.Text(0),
                         .day = select.Text(1),
                         .model = select.Text(2),
                         .requests = select.Integer(3),
                         .prompt_tokens = select.Integer(4),
                         .completion_tokens = select.Integer(5)});
  }
}

Result<Usage> SumUsage(Connection& db, std::string_view user, std::string_view from,
                       std::string_view to) {
  Statement select = db.Prepare(
      "SELECT coalesce(sum(requests), 0), coalesce(sum(prompt_tokens), 0),"
      " coalesce(sum(completion_tokens), 0) FROM usage WHERE user = ? AND day >= ? AND day <= ?");
  select.Bind(1, user).Bind(2, from).Bind(3, to);
  FW_TRY(select.Step());
  Usage sum;
  sum.user = std::string(user);
  sum.requests = select.Integer(0);
  sum.prompt_tokens = select.Integer(1);
  sum.completion_tokens = select.Integer(2);
  return sum;
}

Result<std::vector<Usage>> SumUsageByUser(Connection& db, std::string_view from) {
  Statement select = db.Prepare(
      "SELECT user, day, sum(requests), sum(prompt_tokens), sum(completion_tokens) FROM usage"
      " WHERE day >= ? GROUP BY day, user ORDER BY day, user");
  select.Bind(1, from);
  std::vector<Usage> rows;
  for (;;) {
    FW_ASSIGN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(Usage{.user = select.Text(0),
                         .day = select.Text(1),
                         .model = {},
                         .requests = select.Integer(2),
                         .prompt_tokens = select.Integer(3),
                         .completion_tokens = select.Integer(4)});
  }
}

}  // namespace framewall::backend::store
