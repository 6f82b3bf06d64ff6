#include "proxy/config/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "proxy/config/directive_spec.h"
#include "proxy/config/directive_table.h"
#include "proxy/config/directives/directives.h"

namespace framewall::config {
namespace {

class Builder {
 public:
  Builder(Config& config, Diagnostics& diagnostics) : config_(config), diagnostics_(diagnostics) {}

  void BuildMain(const std::vector<Directive>& tree);

 private:
  // A block to enter once the leaves around it are applied.
  struct Child {
    const DirectiveSpec* row;
    const Directive* directive;
    size_t instruction = 0;  // kIf: its place in the rewrite program
  };

  std::vector<Child> ApplyLeaves(BuildContext& context, const std::vector<Directive>& block);
  const DirectiveSpec* Check(const BuildContext& context, const Directive& directive);
  void AddIf(BuildContext& context, const Directive& directive, Child& child);

  void BuildHttp(const Directive& http);
  void BuildUpstream(const Directive& upstream);
  void BuildRedis(const Directive& redis);
  void BuildServer(const Directive& server);
  void BuildLocation(BuildContext& outer, const Directive& directive);
  void BuildIf(BuildContext& outer, const Child& child);
  void BuildLimitExcept(BuildContext& outer, const Directive& directive);
  void EnterLocationChildren(BuildContext& context, const std::vector<Child>& children);

  BuildContext Inside(Context context) { return BuildContext{config_, diagnostics_, context}; }
  std::unique_ptr<LocationConfig> NewLocation(LocationConfig& parent, const SourceLocation& at);

  Config& config_;
  Diagnostics& diagnostics_;
};

std::string UnknownDirective(std::string_view name, Context context) {
  const std::string_view nearest = DirectiveTable::Get().Nearest(name, context);
  if (nearest.empty()) return fmt::format("unknown directive \"{}\"", name);
  return fmt::format("unknown directive \"{}\"; did you mean \"{}\"?", name, nearest);
}

// nginx's order: name, place, terminator, number of arguments.
const DirectiveSpec* Builder::Check(const BuildContext& context, const Directive& directive) {
  const DirectiveTable& table = DirectiveTable::Get();
  const auto refuse = [&](std::string text) {
    diagnostics_.Error(directive.at, std::move(text));
    return nullptr;
  };
  const DirectiveSpec* row = table.Find(directive.name, context.context);
  if (row == nullptr) {
    const DirectiveSpec* elsewhere = table.FindAnywhere(directive.name);
    if (elsewhere == nullptr) return refuse(UnknownDirective(directive.name, context.context));
    return refuse(fmt::format("\"{}\" directive is not allowed here", directive.name));
  }
  if (row->support == Support::kRefused) {
    return refuse(fmt::format("\"{}\" directive is not supported: {}", row->name, row->doc));
  }
  if (!row->block && directive.has_block) {
    return refuse(fmt::format("directive \"{}\" is not terminated by \";\"", row->name));
  }
  if (row->block && !directive.has_block) {
    return refuse(fmt::format("directive \"{}\" has no opening \"{{\"", row->name));
  }
  const size_t count = directive.args.size();
  if (count < static_cast<size_t>(row->arity.min) || count > static_cast<size_t>(row->arity.max)) {
    return refuse(fmt::format("invalid number of arguments in \"{}\" directive", row->name));
  }
  return row;
}

std::vector<Builder::Child> Builder::ApplyLeaves(BuildContext& context,
                                                 const std::vector<Directive>& block) {
  std::vector<Child> children;
  std::set<std::string_view> used;
  for (const Directive& directive : block) {
    const DirectiveSpec* row = Check(context, directive);
    if (row == nullptr) continue;
    const bool is_first = used.insert(row->group.empty() ? row->name : row->group).second;
    if (!is_first && !row->repeatable && row->inherits != Inherits::kReplacedAsList) {
      diagnostics_.Error(directive.at, fmt::format("\"{}\" directive is duplicate", row->name));
      continue;
    }
    if (row->support == Support::kInert) {
      diagnostics_.Warn(directive.at,
                        fmt::format("\"{}\" has no effect here: {}", row->name, row->doc));
    }
    if (row->opens != Opens::kNothing) {
      Child child{row, &directive};
      if (row->opens == Opens::kIf) AddIf(context, directive, child);
      children.push_back(child);
      continue;
    }
    context.first_in_block = is_first;
    if (row->apply != nullptr) row->apply(context, directive);
  }
  return children;
}

// The instruction keeps its place among set, return and rewrite; what is in it comes later.
void Builder::AddIf(BuildContext& context, const Directive& directive, Child& child) {
  RewriteInstruction instruction;
  instruction.kind = RewriteInstruction::Kind::kIf;
  instruction.at = directive.at;
  Result<Condition> condition = ParseCondition(context, directive);
  if (condition.ok()) {
    instruction.condition = std::move(condition).value();
  } else {
    context.Error(directive, condition.error().message);
  }
  child.instruction = context.rewrite->size();
  context.rewrite->push_back(std::move(instruction));
}

void Builder::BuildMain(const std::vector<Directive>& tree) {
  BuildContext context = Inside(kMain);
  for (const Child& child : ApplyLeaves(context, tree)) {
    if (child.row->opens == Opens::kEvents) {
      config_.events.present = true;
      BuildContext events = Inside(kEvents);
      ApplyLeaves(events, child.directive->block);
    } else {
      BuildHttp(*child.directive);
    }
  }
}

void Builder::BuildHttp(const Directive& http) {
  config_.http.present = true;
  SetHttpDefaults(config_);
  BuildContext context = Inside(kHttp);
  context.settings = &config_.http.settings;
  context.server_settings = &config_.http.server_settings;
  const std::vector<Child> children = ApplyLeaves(context, http.block);
  // Servers may name any upstream, wherever it stands.
  for (const Child& child : children) {
    if (child.row->opens == Opens::kUpstream) BuildUpstream(*child.directive);
    if (child.row->opens == Opens::kRedis) BuildRedis(*child.directive);
  }
  for (const Child& child : children) {
    if (child.row->opens == Opens::kServer) BuildServer(*child.directive);
  }
}

void Builder::BuildUpstream(const Directive& upstream) {
  auto& upstreams = config_.http.upstreams;
  const std::string& name = upstream.args[0];
  const bool is_known = std::any_of(upstreams.begin(), upstreams.end(),
                                    [&](const auto& each) { return each->name == name; });
  if (is_known) {
    diagnostics_.Error(upstream.at, fmt::format("duplicate upstream \"{}\"", name));
    return;
  }
  auto& built = upstreams.emplace_back(std::make_unique<UpstreamConfig>());
  built->name = name;
  built->index = static_cast<int>(upstreams.size()) - 1;
  built->at = upstream.at;
  BuildContext context = Inside(kUpstream);
  context.upstream = built.get();
  ApplyLeaves(context, upstream.block);
}

void Builder::BuildRedis(const Directive& redis) {
  auto& all = config_.http.redis;
  const std::string& name = redis.args[0];
  const bool is_known =
      std::any_of(all.begin(), all.end(), [&](const auto& each) { return each->name == name; });
  if (is_known) {
    diagnostics_.Error(redis.at, fmt::format("duplicate redis \"{}\"", name));
    return;
  }
  auto& built = all.emplace_back(std::make_unique<RedisConfig>());
  built->name = name;
  built->index = static_cast<int>(all.size()) - 1;
  built->at = redis.at;
  BuildContext context = Inside(kRedis);
  context.redis = built.get();
  ApplyLeaves(context, redis.block);
}

void Builder::BuildServer(const Directive& directive) {
  auto& servers = config_.http.servers;
  auto& server = servers.emplace_back(std::make_unique<ServerConfig>());
  server->index = static_cast<int>(servers.size()) - 1;
  server->at = directive.at;
  server->settings = config_.http.server_settings;
  LocationConfig& root = server->root;
  root.match = LocationConfig::Match::kServer;
  root.settings = config_.http.settings;
  root.id = config_.http.location_count++;
  root.at = directive.at;

  BuildContext context = Inside(kServer);
  context.settings = &root.settings;
  context.server_settings = &server->settings;
  context.server = server.get();
  context.location = &root;
  context.rewrite = &root.rewrite;
  const std::vector<Child> children = ApplyLeaves(context, directive.block);
  EnterLocationChildren(context, children);
}

void Builder::EnterLocationChildren(BuildContext& context, const std::vector<Child>& children) {
  for (const Child& child : children) {
    switch (child.row->opens) {
      case Opens::kIf:
        BuildIf(context, child);
        break;
      case Opens::kLocation:
        BuildLocation(context, *child.directive);
        break;
      case Opens::kLimitExcept:
        BuildLimitExcept(context, *child.directive);
        break;
      default:
        FW_UNREACHABLE();
    }
  }
}

std::unique_ptr<LocationConfig> Builder::NewLocation(LocationConfig& parent,
                                                     const SourceLocation& at) {
  auto location = std::make_unique<LocationConfig>();
  location->settings = parent.settings;
  location->alias_prefix_length = parent.alias_prefix_length;
  location->parent = &parent;
  location->id = config_.http.location_count++;
  location->at = at;
  return location;
}

// "/x" and "^~ /x" are one place in the tree of prefixes; "= /x" is another. Regexes may repeat.
bool IsSamePlace(const LocationConfig& a, const LocationConfig& b) {
  using Match = LocationConfig::Match;
  const auto place = [](Match match) {
    return match == Match::kPrefixNoRegex ? Match::kPrefix : match;
  };
  return a.match != Match::kRegex && place(a.match) == place(b.match) && a.name == b.name;
}

void Builder::BuildLocation(BuildContext& outer, const Directive& directive) {
  LocationConfig& parent = *outer.location;
  std::unique_ptr<LocationConfig> location = NewLocation(parent, directive.at);
  if (Status parsed = ParseLocationMatch(outer, directive, *location); !parsed.ok()) {
    diagnostics_.Error(directive.at, parsed.error().message);
  } else if (std::any_of(parent.locations.begin(), parent.locations.end(),
                         [&](const auto& each) { return IsSamePlace(*each, *location); })) {
    diagnostics_.Error(directive.at, fmt::format("duplicate location \"{}\"", location->name));
  }

  BuildContext context = outer;
  context.context = kLocation;
  context.settings = &location->settings;
  context.location = location.get();
  context.rewrite = &location->rewrite;
  const std::vector<Child> children = ApplyLeaves(context, directive.block);
  EnterLocationChildren(context, children);
  parent.locations.push_back(std::move(location));
}

// In a server only the rewrite module's directives may stand inside. In a location the block is a
// location of its own that also takes over who answers, which other children do not.
void Builder::BuildIf(BuildContext& outer, const Child& child) {
  RewriteInstruction& instruction = (*outer.rewrite)[child.instruction];
  BuildContext context = outer;
  context.rewrite = &instruction.block;
  if (outer.context == kServer) {
    context.context = kIfInServer;
    ApplyLeaves(context, child.directive->block);
    return;
  }
  instruction.location = NewLocation(*outer.location, child.directive->at);
  LocationConfig& location = *instruction.location;
  location.match = LocationConfig::Match::kIf;
  location.name = outer.location->name;
  location.content = outer.location->content;
  location.proxy_pass = outer.location->proxy_pass;
  context.context = kIfInLocation;
  context.settings = &location.settings;
  context.location = &location;
  ApplyLeaves(context, child.directive->block);
}

void Builder::BuildLimitExcept(BuildContext& outer, const Directive& directive) {
  LocationConfig& parent = *outer.location;
  Result<uint32_t> methods = ParseLimitExceptMethods(directive);
  if (methods.ok()) {
    parent.limit_except_methods = *methods;
  } else {
    diagnostics_.Error(directive.at, methods.error().message);
  }
  parent.limit_except = NewLocation(parent, directive.at);
  LocationConfig& location = *parent.limit_except;
  location.match = LocationConfig::Match::kExcept;
  location.name = parent.name;
  location.content = parent.content;
  location.proxy_pass = parent.proxy_pass;

  BuildContext context = outer;
  context.context = kLimitExcept;
  context.settings = &location.settings;
  context.location = &location;
  context.rewrite = &location.rewrite;
  ApplyLeaves(context, directive.block);
}

}  // namespace

void Build(const std::vector<Directive>& tree, Config& config, Diagnostics& diagnostics) {
  Builder(config, diagnostics).BuildMain(tree);
}

}  // namespace framewall::config
