// map, geo, geoip2, split_clients: variables computed from other values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/network_map.h"
#include "proxy/base/parse.h"
#include "proxy/config/model/rewrite.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct MapConfig {
  Template source;
  bool hostnames = false;
  bool is_volatile = false;
  Template default_value;
  std::map<std::string, Template, std::less<>> exact;  // lower case: nginx compares so
  // hostnames: "*.example.com" and ".example.com" by the part after the dot, "www.example.*".
  std::map<std::string, Template, std::less<>> leading_wildcards;
  std::map<std::string, Template, std::less<>> trailing_wildcards;
  struct RegexValue {
    RegexUse regex;
    Template value;
  };
  std::vector<RegexValue> regexes;  // in order
};

struct GeoConfig {
  Template address;  // "$remote_addr" unless given
  std::string default_value;
  bool ranges = false;
  // To an index in `values`. Of networks the longest, of ranges the last one written.
  NetworkMap networks;
  std::vector<std::string> values;  // each once
  CidrSet proxies;
  bool proxy_recursive = false;
};

// geoip2 FILE { ... }
struct Geoip2Database {
  std::string path;             // absolute
  Milliseconds auto_reload{0};  // 0: the file is read once
  SourceLocation at;
};

// A line of it: "$name [default=TEXT] [source=$address] PATH...;" or "$name metadata FIELD;".
struct Geoip2Variable {
  enum class Kind : uint8_t { kRecord, kBuildEpoch, kLastCheck, kLastChange };
  Kind kind = Kind::kRecord;
  size_t database = 0;             // in HttpConfig::geoip2_databases
  std::string default_value;       // empty: the variable is absent
  std::optional<Template> source;  // none: the client's address
  std::vector<std::string> path;   // names of map keys, indices of arrays
};

struct SplitClientsConfig {
  Template source;
  struct Part {
    uint32_t upper;  // hash below it (as nginx, of MurmurHash2); 0: the rest ("*")
    std::string value;
  };
  std::vector<Part> parts;
};

}  // namespace framewall::config
