#include "proxy/process/command_line.h"

#include "proxy/process/signals.h"

namespace framewall::process {
namespace {

// Options with a value, and what nginx says where it is missing.
struct ValueOption {
  char letter;
  const char* missing;
};
constexpr ValueOption kValueOptions[] = {
    {'p', "directory name"}, {'e', "file name"}, {'c', "file name"},
    {'g', "parameter"},      {'s', "parameter"},
};

const ValueOption* FindValueOption(char letter) {
  for (const ValueOption& option : kValueOptions) {
    if (option.letter == letter) return &option;
  }
  return nullptr;
}

Status SetValue(CommandLine& line, char letter, std::string value) {
  switch (letter) {
    case 'p':
      line.prefix = std::move(value);
      break;
    case 'e':
      line.error_log = std::move(value);
      break;
    case 'c':
      line.conf_path = std::move(value);
      break;
    case 'g':
      line.global_directives = std::move(value);
      break;
    default:
      if (!SignalOfCommand(value)) return OperatorError("invalid option: \"-s " + value + "\"");
      line.signal = std::move(value);
  }
  return OkStatus();
}

Status SetFlag(CommandLine& line, char letter) {
  switch (letter) {
    case '?':
    case 'h':
      line.show_version = line.show_help = true;
      break;
    case 'v':
      line.show_version = true;
      break;
    case 'V':
      line.show_version = line.show_configure = true;
      break;
    case 't':
      line.test = true;
      break;
    case 'T':
      line.test = line.dump = true;
      break;
    case 'q':
      line.quiet = true;
      break;
    default:
      return OperatorError(std::string("invalid option: \"") + letter + "\"");
  }
  return OkStatus();
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.empty() || word[0] != '-') {
      return OperatorError("invalid option: \"" + std::string(word) + "\"");
    }
    for (size_t at = 1; at < word.size(); ++at) {
      const ValueOption* option = FindValueOption(word[at]);
      if (option == nullptr) {
        FW_TRY(SetFlag(line, word[at]));
        continue;
      }
      std::string value(word.substr(at + 1));
      if (value.empty()) {
        if (i + 1 >= argc) {
          return OperatorError(std::string("option \"-") + option->letter + "\" requires " +
                               option->missing);
        }
        value = argv[++i];
      }
      FW_TRY(SetValue(line, option->letter, std::move(value)));
      break;
    }
  }
  return line;
}

}  // namespace framewall::process
