// Writes down what models cost: by user, day and model, what ended within a moment together, so
// that a commit to the disk neither follows each answer nor stands beside the next one's first
// token.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "backend/llm/provider.h"
#include "backend/store/database.h"
#include "backend/store/usage.h"
#include "proxy/event/loop.h"
#include "proxy/event/timer.h"

namespace framewall::backend {

class UsageWriter {
 public:
  // Both outlive it.
  UsageWriter(event::EventLoop& loop, store::Database& database);

  // Nothing for work of the house.
  void Add(const llm::Payer& payer, const std::string& model, const llm::Usage& usage);
  // What waits is written now: before the database closes. A kill loses a moment's.
  void Flush();

 private:
  store::Database& database_;
  std::map<std::tuple<std::string, std::string, std::string>, store::Usage> waiting_;
  event::Timer timer_;
};

}  // namespace framewall::backend
