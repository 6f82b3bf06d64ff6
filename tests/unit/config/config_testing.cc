#include "tests/unit/config/config_testing.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace framewall::config {
namespace {

void Append(const std::vector<Directive>& tree, std::string& text) {
  for (const Directive& directive : tree) {
    if (!text.empty() && text.back() != ' ') text += ' ';
    text += directive.name;
    for (const std::string& argument : directive.args) text += " <" + argument + ">";
    if (!directive.has_block) {
      text += ";";
      continue;
    }
    text += " { ";
    Append(directive.block, text);
    text += text.back() == ' ' ? "}" : " }";
  }
}

std::string FileName(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

std::string Show(const std::vector<Directive>& tree) {
  std::string text;
  Append(tree, text);
  return text;
}

std::string Show(const Diagnostics& diagnostics) {
  std::string text;
  for (Diagnostics::Message message : diagnostics.messages()) {
    const std::string file = FileName(message.at.file);
    message.at.file = file;
    text += message.severity == Diagnostics::Severity::kError ? "error: " : "warning: ";
    text += Diagnostics::Format(message) + "\n";
  }
  return text;
}

std::vector<std::string> Errors(const Diagnostics& diagnostics) {
  std::vector<std::string> errors;
  for (const Diagnostics::Message& message : diagnostics.messages()) {
    if (message.severity != Diagnostics::Severity::kError) continue;
    errors.push_back(message.text + " :" + std::to_string(message.at.line));
  }
  return errors;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "fw_config_XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string TemporaryFolder::Write(std::string_view name, std::string_view text) const {
  const std::filesystem::path path = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

bool FewVariables::IsBuiltin(std::string_view name) const {
  // The last ones: what the log format "combined" names.
  for (const std::string_view known :
       {"uri", "host", "remote_addr", "args", "proxy_host", "is_args", "proxy_port",
        "proxy_add_x_forwarded_for", "remote_user", "time_local", "request", "status",
        "body_bytes_sent", "websocket_subprotocol_token"}) {
    if (name == known) return true;
  }
  return name.starts_with("arg_") || name.starts_with("http_") || name.starts_with("cookie_") ||
         name.starts_with("jwt_claim_") || name.starts_with("jwt_header_") || name == "jwt_payload";
}

bool FewVariables::IsChangeable(std::string_view name) const { return name == "args"; }

Loaded LoadText(std::string_view text, std::string_view file_name) {
  Loaded loaded;
  loaded.folder = std::make_unique<TemporaryFolder>();
  LoadOptions options;
  options.prefix = loaded.folder->path();
  options.conf_path = loaded.folder->Write(file_name, text);
  const FewVariables variables;
  options.variables = &variables;
  loaded.config = Load(options, loaded.diagnostics);
  return loaded;
}

Loaded LoadHttp(std::string_view http) {
  return LoadText("events {}\nhttp {\n" + std::string(http) + "\n}\n");
}

}  // namespace framewall::config
