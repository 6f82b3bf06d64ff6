#include "proxy/json/uri.h"

#include "proxy/base/text.h"

namespace framewall::json {
namespace {

struct Parts {
  std::string_view scheme;     // with its colon
  std::string_view authority;  // with its slashes
  std::string_view path;
  std::string_view query;     // with its question mark
  std::string_view fragment;  // with its hash
};

std::string_view Cut(std::string_view& text, size_t length) {
  const std::string_view piece = text.substr(0, length);
  text.remove_prefix(piece.size());
  return piece;
}

Parts PartsOf(std::string_view text) {
  Parts parts;
  const size_t colon = text.find_first_of(":/?#");
  if (colon != text.npos && colon > 0 && text[colon] == ':' && IsAlpha(text[0])) {
    parts.scheme = Cut(text, colon + 1);
  }
  if (text.starts_with("//")) parts.authority = Cut(text, text.find_first_of("/?#", 2));
  parts.path = Cut(text, text.find_first_of("?#"));
  parts.query = Cut(text, text.find('#'));
  parts.fragment = text;
  return parts;
}

// 5.2.4
std::string WithoutDots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path.size() == 3 ? std::string_view("/") : path.substr(3);
      const size_t slash = out.rfind('/');
      out.resize(slash == out.npos ? 0 : slash);
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      out.append(Cut(path, path.find('/', 1)));
    }
  }
  return out;
}

std::string Merged(const Parts& base, std::string_view path) {
  if (!base.authority.empty() && base.path.empty()) return "/" + std::string(path);
  const size_t slash = base.path.rfind('/');
  if (slash == base.path.npos) return std::string(path);
  return std::string(base.path.substr(0, slash + 1)) + std::string(path);
}

}  // namespace

std::string ResolveUri(std::string_view base_text, std::string_view reference) {
  const Parts base = PartsOf(base_text);
  Parts parts = PartsOf(reference);
  std::string path;
  if (!parts.scheme.empty() || !parts.authority.empty()) {
    path = WithoutDots(parts.path);
    if (parts.scheme.empty()) parts.scheme = base.scheme;
  } else {
    if (parts.path.empty()) {
      path = std::string(base.path);
      if (parts.query.empty()) parts.query = base.query;
    } else {
      path = WithoutDots(parts.path.starts_with('/') ? std::string(parts.path)
                                                     : Merged(base, parts.path));
    }
    parts.scheme = base.scheme;
    parts.authority = base.authority;
  }
  std::string uri(parts.scheme);
  uri.append(parts.authority).append(path).append(parts.query).append(parts.fragment);
  return uri;
}

std::pair<std::string_view, std::string_view> SplitFragment(std::string_view uri) {
  const size_t hash = uri.find('#');
  if (hash == uri.npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

}  // namespace framewall::json
