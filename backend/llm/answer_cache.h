// Exact answers kept for deterministic requests (temperature 0, or a seed), where a model asks for
// it: key is user, model and canonical body. Replayed in the pieces in which they came.
//
// Only what ended by itself is kept: no errors, no cuts, nothing with tools. Memory is bounded;
// what was not used for the longest goes first.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/llm/provider.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

class AnswerCache {
 public:
  // `limit`: octets of all keys and answers together.
  explicit AnswerCache(size_t limit) : limit_(limit) {}

  // Empty: the request is not of the kind that is kept. Whether it streams plays no part, nor the
  // order of members.
  static std::string KeyOf(const CompletionRequest& request);

  struct Answer {
    std::vector<std::string> pieces;
    Usage usage;
  };
  std::shared_ptr<const Answer> Find(const std::string& key);
  void Keep(const std::string& key, Answer answer);
  size_t octets() const { return octets_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Answer> answer;
    size_t octets;
  };
  void Drop(std::list<Entry>::iterator entry);

  const size_t limit_;
  size_t octets_ = 0;
  std::list<Entry> entries_;  // the last used in front
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

// Says what is kept, from the loop.
std::unique_ptr<Completion> CompleteFromCache(event::EventLoop& loop,
                                              std::shared_ptr<const AnswerCache::Answer> answer,
                                              CompletionEvents* events);

// Passes `start`'s completion on, and keeps what it said.
using StartCached = std::function<std::unique_ptr<Completion>(CompletionEvents* events)>;
std::unique_ptr<Completion> CompleteAndKeep(AnswerCache& cache, std::string key,
                                            const StartCached& start, CompletionEvents* events);

}  // namespace framewall::backend::llm
