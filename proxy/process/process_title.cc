#include "proxy/process/process_title.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

extern char** environ;

namespace framewall::process {
namespace {

struct Saved {
  std::vector<std::string> arguments;
  std::string program;
  std::vector<std::string> environment;
  std::vector<char*> environment_pointers;
  char* title = nullptr;  // the memory of argv and environ, which the kernel shows
  size_t title_size = 0;
};

// Never destroyed: the environment points into it until the end.
Saved& Storage() {
  static Saved* saved = new Saved;
  return *saved;
}

std::string FindProgram(const std::string& name) {
  std::error_code ignored;
  if (name.find('/') != name.npos) {
    return std::filesystem::absolute(name, ignored).lexically_normal().string();
  }
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

}  // namespace

void SaveArguments(int argc, char** argv) {
  Saved& saved = Storage();
  // Arguments and environment lie one after the other; where they do not, the title ends earlier.
  char* end = argc > 0 ? argv[0] : nullptr;
  saved.title = end;
  const auto extend = [&end](char* text) {
    if (text == end) end = text + std::strlen(text) + 1;
  };
  for (int i = 0; i < argc; ++i) {
    saved.arguments.emplace_back(argv[i]);
    extend(argv[i]);
  }
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
    extend(*variable);
  }
  saved.title_size = static_cast<size_t>(end - saved.title);
  saved.program = argc > 0 ? FindProgram(saved.arguments[0]) : "";
  ReplaceEnvironment(std::move(variables));
}

const std::vector<std::string>& SavedArguments() { return Storage().arguments; }
const std::string& ProgramPath() { return Storage().program; }

void SetProcessTitle(std::string_view title) {
  const Saved& saved = Storage();
  if (saved.title_size < 2) return;
  const std::string text = "framewall: " + std::string(title);
  const size_t length = std::min(text.size(), saved.title_size - 1);
  std::memset(saved.title, 0, saved.title_size);
  std::memcpy(saved.title, text.data(), length);
}

std::vector<std::string> AllowedEnvironment(const std::vector<std::string>& env_directives) {
  std::vector<std::string> allowed;
  bool has_zone = false;
  const auto add = [&allowed](const std::string& directive) {
    if (directive.find('=') != directive.npos) {
      allowed.push_back(directive);
    } else if (const char* value = std::getenv(directive.c_str()); value != nullptr) {
      allowed.push_back(directive + "=" + value);
    }
  };
  for (const std::string& directive : env_directives) {
    has_zone = has_zone || directive == "TZ" || directive.starts_with("TZ=");
    add(directive);
  }
  if (!has_zone) add("TZ");
  return allowed;
}

void ReplaceEnvironment(std::vector<std::string> variables) {
  Saved& saved = Storage();
  saved.environment = std::move(variables);
  saved.environment_pointers.clear();
  for (std::string& variable : saved.environment) {
    saved.environment_pointers.push_back(variable.data());
  }
  saved.environment_pointers.push_back(nullptr);
  environ = saved.environment_pointers.data();
}

}  // namespace framewall::process
