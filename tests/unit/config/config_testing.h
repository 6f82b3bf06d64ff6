// A small language for tests of the config room: trees as text, folders that vanish, loading.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/loader.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

// "name <arg> <arg> { name; }": the tree without its places, so that two spellings can be compared.
std::string Show(const std::vector<Directive>& tree);

// All messages, one a line, with "error: " or "warning: " and the place's file name alone.
std::string Show(const Diagnostics& diagnostics);
// Only the errors' texts with their lines: "unknown directive \"x\" :3".
std::vector<std::string> Errors(const Diagnostics& diagnostics);

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Folders in `name` are made. Returns the absolute path.
  std::string Write(std::string_view name, std::string_view text) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The few built-in names of these tests; $args may be set.
class FewVariables : public VariableCatalog {
 public:
  bool IsBuiltin(std::string_view name) const override;
  bool IsChangeable(std::string_view name) const override;
};

// A configuration in a folder of its own; `files` are beside framewall.conf.
struct Loaded {
  std::unique_ptr<TemporaryFolder> folder;
  Diagnostics diagnostics;
  std::unique_ptr<Config> config;
  std::vector<std::string> errors() const { return Errors(diagnostics); }
};
Loaded LoadText(std::string_view text, std::string_view file_name = "framewall.conf");
// With "events {}" and http around it.
Loaded LoadHttp(std::string_view http);

}  // namespace framewall::config
