#include "waf/prose.h"

#include <modsecurity/rule_marker.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "waf/step.h"

namespace framewall::waf {
namespace {

constexpr std::string_view kMark = "framewall/prose=";
constexpr std::string_view kMarker = "FRAMEWALL-BEHIND-CRS";
constexpr std::string_view kRoot = "json.";
constexpr std::string_view kElement = "array_";
constexpr std::string_view kBase64 = "@base64";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The piece up to the next `separator`, which goes too.
std::string_view Cut(std::string_view* text, char separator) {
  const std::size_t end = text->find(separator);
  const std::string_view piece = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return piece;
}

bool IsElement(std::string_view part) {
  return part.size() > kElement.size() && part.starts_with(kElement) &&
         std::all_of(part.begin() + kElement.size(), part.end(), IsDigit);
}

bool IsBase64(std::string_view value) {
  if (value.starts_with("data:")) {
    const std::size_t comma = value.find(',');
    const std::string_view head = value.substr(0, comma);
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '/' || c == '-' || c == '+' || c == '.';
    };
    constexpr std::string_view kScheme = "data:";
    constexpr std::string_view kCoding = ";base64";
    if (comma == std::string_view::npos || !head.ends_with(kCoding)) return false;
    const std::string_view type =
        head.substr(kScheme.size(), head.size() - kScheme.size() - kCoding.size());
    if (!std::all_of(type.begin(), type.end(), plain)) return false;
    value.remove_prefix(comma + 1);
  }
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '+' || c == '/' ||
           c == '=' || c == '-' || c == '_';
  });
}

struct Member {
  std::string path;  // "messages.*.content"
  bool base64 = false;

  // `name` as the library has it: "json.messages.array_0.content".
  bool Fits(std::string_view name, std::string_view value) const {
    if (!name.starts_with(kRoot)) return false;
    name.remove_prefix(kRoot.size());
    std::string_view rest = path;
    while (!rest.empty()) {
      if (name.empty()) return false;
      const std::string_view wanted = Cut(&rest, '.');
      const std::string_view part = Cut(&name, '.');
      if (wanted == "*" ? !IsElement(part) : part != wanted) return false;
    }
    return name.empty() && (!base64 || IsBase64(value));
  }
};

// Could a member with this name, as it is spelt in the body, make the library's name of another?
bool Misleads(std::string_view name, const std::vector<Member>& members) {
  if (name.find('\\') != std::string_view::npos || name.find(kElement) != std::string_view::npos) {
    return true;
  }
  return name.find('.') != std::string_view::npos &&
         std::any_of(members.begin(), members.end(), [name](const Member& member) {
           return member.path.find(name) != std::string::npos;
         });
}

// Requires: `body` is JSON, so that a string with a colon behind it is the name of a member.
bool HasMisleadingName(std::string_view body, const std::vector<Member>& members) {
  for (std::size_t at = body.find('"'); at != std::string_view::npos; at = body.find('"', at)) {
    const std::size_t begin = at + 1;
    for (at = begin; at < body.size() && body[at] != '"'; ++at) {
      if (body[at] == '\\') ++at;
    }
    if (at >= body.size()) return true;
    const std::string_view text = body.substr(begin, at - begin);
    const std::size_t next = body.find_first_not_of(" \t\r\n", ++at);
    if (next != std::string_view::npos && body[next] == ':' && Misleads(text, members)) return true;
  }
  return false;
}

// Runs when a prose rule has matched.
class HideProse : public lib::actions::Action {
 public:
  explicit HideProse(std::vector<Member> members)
      : Action("prose", RunTimeOnlyIfMatchKind), members_(std::move(members)) {}

  bool evaluate(lib::RuleWithActions*, lib::Transaction* transaction,
                std::shared_ptr<lib::RuleMessage>) override {
    auto& noted = static_cast<NotedTransaction&>(*transaction);
    lib::AnchoredSetVariable& arguments = noted.m_variableArgs;
    const bool hides = noted.m_requestBodyProcessor == lib::Transaction::JSONRequestBody &&
                       !HasMisleadingName(noted.m_requestBody.view(), members_);
    std::size_t rest = 0;
    for (auto at = arguments.begin(); at != arguments.end();) {
      const auto argument = at++;
      const std::string& value = argument->second->getValue();
      const bool is_prose = hides && noted.m_variableArgsGet.count(argument->first) == 0 &&
                            std::any_of(members_.begin(), members_.end(), [&](const Member& one) {
                              return one.Fits(argument->first, value);
                            });
      if (is_prose) {
        noted.prose.push_back(arguments.extract(argument));
      } else {
        rest += argument->first.size() + value.size();
      }
    }
    noted.m_collections.m_tx_collection->storeOrUpdateFirst("prose_rest", std::to_string(rest));
    return true;
  }

 private:
  std::vector<Member> members_;
};

// Stands behind the marker.
class ShowProse : public Step {
 public:
  using Step::Step;
  bool evaluate(lib::Transaction* transaction) override {
    static_cast<NotedTransaction&>(*transaction).ShowProse();
    return true;
  }
};

std::optional<std::vector<Member>> ReadMembers(std::string_view text) {
  std::vector<Member> members;
  if (text.empty() || text.ends_with(',')) return std::nullopt;
  while (!text.empty()) {
    std::string_view item = Cut(&text, ',');
    Member member;
    if (item.ends_with(kBase64)) {
      member.base64 = true;
      item.remove_suffix(kBase64.size());
    }
    if (item.empty() || item.ends_with('.')) return std::nullopt;
    member.path = item;
    while (!item.empty()) {
      const std::string_view part = Cut(&item, '.');
      const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' ||
               c == '-';
      };
      if (part.empty() || (part != "*" && !std::all_of(part.begin(), part.end(), plain))) {
        return std::nullopt;
      }
    }
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace

bool ArmProse(lib::RulesSet& rules, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    auto& list = rules.m_rulesSetPhases.at(phase)->m_rules;
    bool waits = false;  // a prose rule stands before, and no marker yet
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto* marker = dynamic_cast<lib::RuleMarker*>(list[i].get());
      if (marker != nullptr && waits && *marker->getName() == kMarker) {
        list.insert(list.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    std::make_shared<ShowProse>(*list[i]));
        waits = false;
        continue;
      }
      auto* rule = dynamic_cast<lib::RuleWithActions*>(list[i].get());
      if (rule == nullptr || !std::string_view(rule->m_ver).starts_with(kMark)) continue;
      const auto refuse = [&](const std::string& why) {
        errors->push_back({*rule->getFileName(), rule->getLineNumber(), why});
      };
      auto members = ReadMembers(std::string_view(rule->m_ver).substr(kMark.size()));
      if (!members) {
        refuse("\"ver:'" + rule->m_ver + "'\" must list members of a JSON body, as in \"ver:'" +
               std::string(kMark) + "messages.*.content,images.*@base64'\"");
      } else if (rule->isChained()) {
        refuse("a rule that names prose cannot be a chain");
      } else if (phase != lib::Phases::RequestBodyPhase) {
        refuse("a rule that names prose must be of phase 2, where a body is known");
      } else {
        RuntimeActionsOf(*rule).push_back(new HideProse(*std::move(members)));  // the rule's
        waits = true;
      }
    }
    if (!waits) continue;
    errors->push_back({"", 0,
                       "no SecMarker \"" + std::string(kMarker) + "\" behind a rule with ver:'" +
                           std::string(kMark) + "...': no later rule would see what it names"});
  }
  return errors->size() == before;
}

}  // namespace framewall::waf
