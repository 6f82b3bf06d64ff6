// A row of the directive table: everything that is known of one directive.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

using ContextSet = uint32_t;
enum Context : ContextSet {
  kMain = 1 << 0,
  kEvents = 1 << 1,
  kHttp = 1 << 2,
  kServer = 1 << 3,
  kLocation = 1 << 4,
  kUpstream = 1 << 5,
  kIfInServer = 1 << 6,
  kIfInLocation = 1 << 7,
  kLimitExcept = 1 << 8,
  kRedis = 1 << 9,
};
constexpr ContextSet kHttpServer = kHttp | kServer;
constexpr ContextSet kHttpServerLocation = kHttp | kServer | kLocation;
constexpr ContextSet kAnyIf = kIfInServer | kIfInLocation;

// How many arguments, and whether a block follows.
struct Arity {
  int min = 0;
  int max = 0;  // kMany: no upper limit
};
constexpr int kMany = std::numeric_limits<int>::max();

// What a child block does with its parent's value.
enum class Inherits : uint8_t { kCopied, kReplacedAsList, kNotInherited };

// The three states in which every directive of nginx is.
enum class Support : uint8_t {
  kSupported,
  kInert,    // accepted with a warning that says so: harmless to leave out
  kRefused,  // the start is refused with `doc` as the reason
};

// A block whose inside is directives of the table: the builder makes the object and enters it.
// Any other row with a block (map, geo, types, split_clients) gets the whole of it in `apply`.
enum class Opens : uint8_t {
  kNothing,
  kEvents,
  kHttp,
  kServer,
  kLocation,
  kUpstream,
  kRedis,
  kIf,  // `apply` appends the kIf instruction with its condition; the builder then fills it in
  kLimitExcept,
};

// Where the directive stands and what it may change. Members that the context does not have are
// null; `settings` is the location settings of the level (http, server, location, if).
struct BuildContext {
  Config& config;
  Diagnostics& diagnostics;
  Context context;
  LocationSettings* settings = nullptr;
  ServerSettings* server_settings = nullptr;
  ServerConfig* server = nullptr;
  LocationConfig* location = nullptr;  // in a server: its root
  UpstreamConfig* upstream = nullptr;
  RedisConfig* redis = nullptr;
  RewriteProgram* rewrite = nullptr;  // where set, return, if, rewrite append
  // This row, or another of its group, is used in this block for the first time: a row that is
  // kReplacedAsList drops the inherited list now.
  bool first_in_block = true;

  void Error(const Directive& directive, std::string text) const {
    diagnostics.Error(directive.at, std::move(text));
  }
};

using ApplyFunction = void (*)(BuildContext&, const Directive&);

struct DirectiveSpec {
  std::string_view name;
  ContextSet contexts = 0;
  Arity arity;
  bool block = false;
  ApplyFunction apply = nullptr;
  Inherits inherits = Inherits::kCopied;
  Support support = Support::kSupported;
  // May it stand twice in one block? kReplacedAsList rows and those that say so.
  bool repeatable = false;
  // Rows that share a list name the same group ("access" of allow and deny). Empty: the name.
  std::string_view group = {};
  Opens opens = Opens::kNothing;
  // Usage and meaning in a line; for kInert and kRefused: why.
  std::string_view doc;
};

}  // namespace framewall::config
