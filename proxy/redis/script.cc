#include "proxy/redis/script.h"

#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::redis {

Script::Script(std::string text) : text_(std::move(text)), sha1_(HexEncode(Sha1(text_))) {}

}  // namespace framewall::redis
