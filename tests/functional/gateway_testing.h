// conf/framewall.conf as it lies in the tree, with ports, places and the backend's address that are
// a test's own; and prompts to send through it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/functional/platform_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_process.h"

namespace framewall::test {

// HTTP on %%PORT_0%%, HTTPS on %%PORT_1%%; 127.0.0.2 is inside, 127.0.0.1 is not. `page` is a
// folder.
inline std::string GatewayConf(const std::string& backend_address, const std::string& page,
                               const Replacements& more = {}) {
  std::ifstream file(FW_SOURCE_DIR "/conf/framewall.conf");
  EXPECT_TRUE(file.is_open());
  std::string text;
  for (std::string line; std::getline(file, line);) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || line[begin] == '#') continue;
    if (line.starts_with("pid ") || line.starts_with("error_log ")) continue;
    if (line.starts_with("worker_processes ")) line = "worker_processes 2;";
    text += line + "\n";
  }
  Replacements replacements = {
      {"listen 8080;", "listen 127.0.0.1:%%PORT_0%%;"},
      {"listen 8443 ssl;", "listen 127.0.0.1:%%PORT_1%% ssl;"},
      {"server unix:backend.sock;", "server " + backend_address + ";"},
      {"root page;", "root " + page + ";"},
      {"include mime.types;", "include " FW_SOURCE_DIR "/conf/mime.types;"},
      {"include snippets/inside-only.conf;", "allow 127.0.0.2; deny all;"},
      {"include snippets/", "include " FW_SOURCE_DIR "/conf/snippets/"},
      {"modsecurity_rules_file rules/", "modsecurity_rules_file " FW_SOURCE_DIR "/rules/"},
      {" certificate.", " %%DIR%%/certificate."},
      {"logs/", "%%DIR%%/"},
      {"client_body_temp_path client_body_temp", "client_body_temp_path %%DIR%%/client_body_temp"},
  };
  for (const auto& one : more) replacements.insert(replacements.begin(), one);
  return Replaced(text, replacements);
}

inline void WriteCertificate(const TempDir& directory) {
  const Certificate localhost = Certificate::SelfSigned("localhost");
  directory.Write("certificate.pem", localhost.CertificatePem());
  directory.Write("certificate.key", localhost.KeyPem());
}

// The prompts of tests/rules/prompts.yaml as JSON strings with their quotes: the double-quoted
// texts of that file mean the same in both languages.
inline std::vector<std::string> Prompts() {
  std::ifstream file(FW_SOURCE_DIR "/tests/rules/prompts.yaml");
  const std::string begin = "  - {payload: \"";
  const std::string end = "\"}";
  std::vector<std::string> prompts;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(begin) || !line.ends_with(end)) continue;
    prompts.push_back(line.substr(begin.size() - 1, line.size() - begin.size() + 1 - 1));
  }
  return prompts;
}

// Everything that a process wrote into files of its folder, its configuration aside.
inline std::string AllLogs(const TempDir& directory) {
  std::string text;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
    if (entry.is_regular_file() && entry.path().extension() == ".log") {
      std::ifstream file(entry.path());
      text.append(std::istreambuf_iterator<char>(file), {});
    }
  }
  return text;
}

}  // namespace framewall::test
