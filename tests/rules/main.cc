// rules_runner: takes the cases of YAML files through the rules.
//
//     rules_runner [--rules FILE] [--crs-of VARIABLE] [--print] cases.yaml ...
//
// --print shows what fired for each case instead of judging it. --crs-of takes CRS
// from the folder that an environment variable names instead of the one that
// crs.conf beside FILE says; where it names none, the exit status is 77: skipped.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/rules/case_file.h"
#include "tests/rules/run_case.h"

namespace framewall::rules_test {
namespace {

void Print(const Case& one, const Outcome& outcome) {
  std::printf("%s: %s", one.name.c_str(),
              outcome.refused ? std::to_string(outcome.status).c_str() : "passes");
  for (const std::int64_t id : outcome.fired) std::printf(" %lld", static_cast<long long>(id));
  std::printf("\n");
}

// Returns how many complaints there are.
int RunFile(waf::Engine& engine, const std::shared_ptr<const waf::RuleSet>& rules,
            const std::string& path, bool print) {
  const CaseFile file = ReadCaseFile(path);
  int complaints = 0;
  for (const Case& one : file.cases) {
    const Outcome outcome = RunCase(engine, rules, one);
    if (print) {
      Print(one, outcome);
      continue;
    }
    const std::string complaint = Complaint(one, outcome);
    if (complaint.empty()) continue;
    std::printf("%s: %s\n", one.name.c_str(), complaint.c_str());
    ++complaints;
  }
  std::size_t refused = 0;
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  // refused, all
  for (const Case& message : file.messages) {
    const Outcome outcome = RunCase(engine, rules, message);
    auto& [refused_of_kind, all_of_kind] = kinds[message.kind];
    ++all_of_kind;
    if (outcome.refused) {
      ++refused;
      ++refused_of_kind;
    }
    if (outcome.refused || (print && !outcome.fired.empty())) Print(message, outcome);
  }
  if (!file.cases.empty()) std::printf("%zu cases\n", file.cases.size());
  if (kinds.size() > 1) {
    for (const auto& [kind, counts] : kinds) {
      std::printf("  %s: %zu of %zu refused\n", kind.c_str(), counts.first, counts.second);
    }
  }
  if (!file.messages.empty()) {
    const double share = static_cast<double>(refused) / static_cast<double>(file.messages.size());
    std::printf("%zu of %zu messages refused: %.2f %% (must be under %.2f %%)\n", refused,
                file.messages.size(), share * 100, file.refused_share * 100);
    if (share >= file.refused_share && !print) ++complaints;
  }
  return complaints;
}

namespace fs = std::filesystem;

// A folder like that of `rules_path`, but with another crs.conf; gone with it.
class RulesWithCrs {
 public:
  RulesWithCrs(const fs::path& rules_path, const fs::path& crs) {
    std::string name = (fs::temp_directory_path() / "fw_rules_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (const auto& entry : fs::directory_iterator(fs::absolute(rules_path).parent_path())) {
      if (entry.path().filename() != "crs.conf") {
        fs::create_symlink(entry.path(), folder_ / entry.path().filename());
      }
    }
    fs::path setup = crs / "crs-setup.conf";
    if (!fs::exists(setup)) setup += ".example";
    std::ofstream(folder_ / "crs.conf")
        << "Include " << setup.string() << "\nInclude " << (crs / "rules").string() << "/*.conf\n";
    entry_ = folder_ / rules_path.filename();
  }
  ~RulesWithCrs() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  RulesWithCrs(const RulesWithCrs&) = delete;
  RulesWithCrs& operator=(const RulesWithCrs&) = delete;

  std::string entry() const { return entry_.string(); }

 private:
  fs::path folder_;
  fs::path entry_;
};

int Run(std::vector<std::string> arguments) {
  constexpr int kSkipped = 77;
  std::string rules_path = "rules/framewall.conf";
  std::string crs_variable;
  bool print = false;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--rules" && i + 1 < arguments.size()) {
      rules_path = arguments[++i];
    } else if (arguments[i] == "--crs-of" && i + 1 < arguments.size()) {
      crs_variable = arguments[++i];
    } else if (arguments[i] == "--print") {
      print = true;
    } else {
      files.push_back(arguments[i]);
    }
  }
  std::optional<RulesWithCrs> other;
  if (!crs_variable.empty()) {
    const char* folder = std::getenv(crs_variable.c_str());
    if (folder == nullptr || *folder == '\0') {
      std::printf("skipped: %s names no folder with CRS (crs-setup.conf.example and rules/)\n",
                  crs_variable.c_str());
      return kSkipped;
    }
    rules_path = other.emplace(rules_path, fs::absolute(folder)).entry();
  }
  waf::Engine& engine = waf::Engine::Create("framewall/rules");
  waf::RuleLoader loader(engine, "");
  std::vector<waf::RuleError> errors;
  const waf::RuleSource source{waf::RuleSource::Kind::kFile, rules_path, "", "command line", 0};
  const auto rules = loader.Load(nullptr, {&source, 1}, &errors);
  for (const waf::RuleError& error : errors) std::printf("%s\n", error.Text().c_str());
  if (!rules) return 2;
  int complaints = 0;
  for (const std::string& file : files) complaints += RunFile(engine, rules, file, print);
  return complaints == 0 ? 0 : 1;
}

}  // namespace
}  // namespace framewall::rules_test

int main(int argc, char** argv) {
  try {
    return framewall::rules_test::Run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 2;
  }
}
