// map, geo, split_clients: variables computed from other values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/network_map.h"
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

struct SplitClientsConfig {
  Template source;
  struct Part {
    uint32_t upper;  // hash below it (as nginx, of MurmurHash2); 0: the rest ("*")
    std::string value;
  };
  std::vector<Part> parts;
};

}  // namespace framewall::config
