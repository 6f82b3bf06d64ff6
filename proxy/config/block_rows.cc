// Rows of the blocks that the builder enters, and of `include`, which the reader has expanded.
#include "proxy/config/block_rows.h"

#include <array>

namespace framewall::config {
namespace {

constexpr DirectiveSpec kBlocks[] = {
    {.name = "include",
     .contexts = ~ContextSet{0},
     .arity = {1, 1},
     .repeatable = true,
     .doc = "FILE | MASK: what the files hold stands here; relative to the main file's "
            "folder"},
    {.name = "events",
     .contexts = kMain,
     .block = true,
     .opens = Opens::kEvents,
     .doc = "{ ... }: how a worker handles its connections; required"},
    {.name = "http",
     .contexts = kMain,
     .block = true,
     .opens = Opens::kHttp,
     .doc = "{ ... }: everything about HTTP"},
    {.name = "server",
     .contexts = kHttp,
     .block = true,
     .repeatable = true,
     .opens = Opens::kServer,
     .doc = "{ ... }: one virtual server, chosen by listen and server_name"},
    {.name = "upstream",
     .contexts = kHttp,
     .arity = {1, 1},
     .block = true,
     .repeatable = true,
     .opens = Opens::kUpstream,
     .doc = "NAME { ... }: a group of servers for proxy_pass"},
    {.name = "redis",
     .contexts = kHttp,
     .arity = {1, 1},
     .block = true,
     .repeatable = true,
     .opens = Opens::kRedis,
     .doc = "NAME { ... }: a Redis that zones of limits may name with redis=NAME"},
    {.name = "location",
     .contexts = kServer | kLocation,
     .arity = {1, 2},
     .block = true,
     .repeatable = true,
     .opens = Opens::kLocation,
     .doc = "[= | ^~ | ~ | ~*] URI { ... } or @NAME { ... }: settings by path"},
    {.name = "if",
     .contexts = kServer | kLocation,
     .arity = {1, kMany},
     .block = true,
     .repeatable = true,
     .opens = Opens::kIf,
     .doc = "(CONDITION) { ... }: rewrite rules, and in a location settings, under a condition"},
    {.name = "limit_except",
     .contexts = kLocation,
     .arity = {1, kMany},
     .block = true,
     .opens = Opens::kLimitExcept,
     .doc = "METHOD... { ... }: settings for all other methods"},
};

}  // namespace

std::span<const DirectiveSpec> BlockDirectives() { return kBlocks; }

}  // namespace framewall::config
