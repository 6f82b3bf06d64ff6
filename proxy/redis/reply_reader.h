// Octets to replies: hiredis' reader under limits of ours.
//
// hiredis takes "$99999999999" and "*99999999" for "not complete yet" and would wait, or allocate,
// for ever. Here a reply ends the reading when it is longer than max_size or announces to be, when
// its arrays announce more than max_elements together, or when a line does not end.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/redis/reply.h"

struct redisReader;

namespace framewall::redis {

struct ReplyLimits {
  size_t max_size = 1 << 20;      // octets of one reply on the wire
  size_t max_elements = 1 << 17;  // of all arrays in one reply
};

class ReplyReader {
 public:
  explicit ReplyReader(const ReplyLimits& limits);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  void Feed(ByteView bytes);
  // The next complete reply; nothing where more octets are needed. Errors have source kUpstream and
  // kind kSyntax or kLimit; after one there are only errors.
  Result<std::optional<Reply>> Next();

 private:
  struct Building;
  Status CheckUnfinished() const;
  Error Refuse(ErrorKind kind, std::string message);

  const ReplyLimits limits_;
  std::unique_ptr<Building> building_;
  redisReader* reader_;
  size_t fed_ = 0;    // octets since the beginning
  size_t begun_ = 0;  // where the reply being read begins among them
  std::optional<Error> failed_;
};

}  // namespace framewall::redis
