// socket_runner: takes the cases that requests are tested with through a socket.
//
//     socket_runner [--rules FILE] [--attacks N] [--binaries DIRECTORY]... [--print] cases.yaml ...
//
// Each payload goes in every form of socket_forms.h; the same rules must fire as
// when it comes in the body of a POST: {"text": ...}, or the form field
// `message`. Each response goes as a message of the upstream, each GET as the
// handshake of a socket. Ordinary messages
// must pass in every form. --attacks: at least so many payloads must be refused
// in each form. --binaries: every file below must pass as a binary message, both
// ways.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/rules/case_file.h"
#include "tests/rules/run_case.h"
#include "tests/rules/socket_carrier.h"
#include "tests/rules/socket_forms.h"

namespace framewall::rules_test {
namespace {

std::string Ids(const std::set<std::int64_t>& ids) {
  std::string text;
  for (const std::int64_t id : ids) text += " " + std::to_string(id);
  return text.empty() ? " nothing" : text;
}

class Runner {
 public:
  Runner(waf::Engine& engine, std::shared_ptr<const waf::RuleSet> rules, bool print)
      : engine_(engine), rules_(std::move(rules)), carrier_(engine, rules_), print_(print) {}

  void RunFile(const std::string& path) {
    const CaseFile file = ReadCaseFile(path);
    for (const Case& one : file.cases) {
      if (one.has_response) {
        CompareResponse(one);
      } else if (!one.payload.empty()) {
        const std::string place = one.name.substr(0, one.name.find(' '));
        if (seen_.insert(place).second) ComparePayload(place, one.payload);
      } else if (one.request.method == "GET" && one.request.body.empty()) {
        CompareHandshake(one);
      }
    }
    if (!file.messages.empty()) RunMessages(path, file);
  }

  void RunBinaries(const std::string& directory) {
    namespace fs = std::filesystem;
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      SocketMessage message{RequestWith("", "none"),
                            std::string(std::istreambuf_iterator<char>(file), {})};
      message.kind = waf::MessageKind::kBinary;
      ++count;
      for (const auto direction :
           {waf::MessageDirection::kClientToUpstream, waf::MessageDirection::kUpstreamToClient}) {
        message.direction = direction;
        const Outcome outcome = carrier_.Carry(message);
        if (outcome.refused) Complain(entry.path().string() + " is refused:" + Ids(outcome.fired));
      }
    }
    std::printf("%zu binary messages\n", count);
    if (count < 500) Complain(directory + ": too few");
  }

  void ExpectAttacks(std::size_t wanted) {
    if (refused_upstream_ > 0) {
      std::printf("%zu refused as the upstream's\n", refused_upstream_);
    }
    for (const auto& [form, count] : refused_) {
      std::printf("%zu refused as %s\n", count, form.c_str());
      if (count < wanted) Complain("too few as " + form);
    }
  }

  int complaints() const { return complaints_; }

 private:
  void Complain(const std::string& text) {
    std::printf("%s\n", text.c_str());
    ++complaints_;
  }

  Outcome Request(const std::string& payload, const std::string& where) {
    Case one;
    one.request = RequestWith(payload, where);
    return RunCase(engine_, rules_, one);
  }
  Outcome Message(const SocketForm& form, const std::string& payload) {
    SocketMessage message{RequestWith("", "none"), form.write(payload)};
    message.kind = form.kind;
    return carrier_.Carry(message);
  }

  void Compare(const std::string& name, const Outcome& request, const Outcome& message) {
    if (print_) {
      std::printf("%s: %s%s\n", name.c_str(), message.refused ? "refused" : "passes",
                  Ids(message.fired).c_str());
    }
    // A request whose body is no JSON is refused for that (200002); a message is judged as text.
    const bool same = request.fired.contains(200002) || request.fired == message.fired;
    if (same && request.refused == message.refused) return;
    Complain(name + ": as a message" + Ids(message.fired) + ", in a request" + Ids(request.fired));
  }

  void ComparePayload(const std::string& place, const std::string& payload) {
    std::map<std::string, Outcome> requests;
    for (const SocketForm& form : SocketForms()) {
      if (!form.holds(payload)) continue;
      auto& request = requests[form.request];
      if (request.fired.empty()) request = Request(payload, form.request);
      const Outcome message = Message(form, payload);
      Compare(place + " " + form.name, request, message);
      if (message.refused) ++refused_[form.name];
    }
  }

  // What a GET is refused for, a message over the socket that it opened is refused for too; but
  // for the fields that a message does not have (waf/message.cc).
  void CompareHandshake(const Case& one) {
    for (const auto& [name, value] : one.request.headers) {
      for (const char* hidden : {"Connection", "Content-Encoding", "Content-Length", "Content-Type",
                                 "Expect", "Transfer-Encoding"}) {
        if (name == hidden) return;
      }
    }
    const Outcome request = RunCase(engine_, rules_, one);
    Compare(one.name + " handshake", request, carrier_.Carry({one.request, "hello"}));
  }

  // The same octets as a response of a type that fits and as a message.
  void CompareResponse(const Case& one) {
    Case same;
    same.request = RequestWith("", "none");
    same.has_response = true;
    same.response.status = 200;
    same.response.headers = {{"Content-Type", "text/plain"}};
    same.response.body = one.response.body;
    const Outcome message = carrier_.Carry(
        {RequestWith("", "none"), one.response.body, waf::MessageDirection::kUpstreamToClient});
    Compare(one.name + " upstream", RunCase(engine_, rules_, same), message);
    if (message.refused) ++refused_upstream_;
  }

  void RunMessages(const std::string& path, const CaseFile& file) {
    for (const SocketForm& form : SocketForms()) {
      std::size_t refused = 0;
      for (const Case& one : file.messages) {
        const Outcome outcome = Message(form, one.payload);
        if (!outcome.refused) continue;
        ++refused;
        std::printf("%s %s refused:%s\n", one.name.c_str(), form.name, Ids(outcome.fired).c_str());
      }
      const double share = static_cast<double>(refused) / static_cast<double>(file.messages.size());
      std::printf("%zu of %zu messages refused as %s: %.2f %% (must be under %.2f %%)\n", refused,
                  file.messages.size(), form.name, share * 100, file.refused_share * 100);
      if (share >= file.refused_share) Complain(path + ": too many");
    }
  }

  waf::Engine& engine_;
  std::shared_ptr<const waf::RuleSet> rules_;
  DirectCarrier carrier_;
  bool print_;
  std::set<std::string> seen_;
  std::map<std::string, std::size_t> refused_;  // by form
  std::size_t refused_upstream_ = 0;
  int complaints_ = 0;
};

int Run(const std::vector<std::string>& arguments) {
  std::string rules_path = "rules/framewall.conf";
  std::size_t attacks = 0;
  bool print = false;
  std::vector<std::string> files;
  std::vector<std::string> binaries;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--rules" && i + 1 < arguments.size()) {
      rules_path = arguments[++i];
    } else if (arguments[i] == "--attacks" && i + 1 < arguments.size()) {
      attacks = std::stoul(arguments[++i]);
    } else if (arguments[i] == "--binaries" && i + 1 < arguments.size()) {
      binaries.push_back(arguments[++i]);
    } else if (arguments[i] == "--print") {
      print = true;
    } else {
      files.push_back(arguments[i]);
    }
  }
  waf::Engine& engine = waf::Engine::Create("framewall/rules");
  waf::RuleLoader loader(engine, "");
  std::vector<waf::RuleError> errors;
  const waf::RuleSource source{waf::RuleSource::Kind::kFile, rules_path, "", "command line", 0};
  const auto rules = loader.Load(nullptr, {&source, 1}, &errors);
  for (const waf::RuleError& error : errors) std::printf("%s\n", error.Text().c_str());
  if (!rules) return 2;
  Runner runner(engine, rules, print);
  for (const std::string& file : files) runner.RunFile(file);
  for (const std::string& directory : binaries) runner.RunBinaries(directory);
  runner.ExpectAttacks(attacks);
  return runner.complaints() == 0 ? 0 : 1;
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
