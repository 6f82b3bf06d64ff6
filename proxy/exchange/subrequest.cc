// What an exchange takes over from the one that it is a subrequest of, and what it gives back.
#include "proxy/exchange/subrequest.h"

#include "proxy/exchange/exchange.h"
#include "proxy/exchange/variables.h"

namespace framewall::exchange {

void Exchange::BeginAsSubrequest(const Exchange& parent, std::string_view uri_in,
                                 std::string_view args_in) {
  subrequest_depth = parent.subrequest_depth + 1;
  client_address = parent.client_address;

  request.method = http::Method::kGet;
  request.method_name = "GET";
  request.target = arena.Copy(parent.request.target);
  request.request_line = arena.Copy(parent.request.request_line);
  request.version = parent.request.version;
  request.version_name = arena.Copy(parent.request.version_name);
  request.fields.Reserve(parent.request.fields.size());
  for (const http::Field& field : parent.request.fields) {
    request.fields.AddView(arena.Copy(field.name), arena.Copy(field.value), field.id);
  }
  client_method =
      arena.Copy(parent.client_method.empty() ? parent.request.method_name : parent.client_method);
  if (auto parsed = http::ParseTarget(request.target, false); parsed.ok()) target = *parsed;
  body_collected = true;
  uri = arena.Copy(uri_in);
  args = arena.Copy(args_in);
  host = arena.Copy(parent.host);
  remote_user = arena.Copy(parent.remote_user);
  remote_user_known = parent.remote_user_known;
  request_id = arena.Copy(parent.request_id);
  started = CachedNow().steady;
  internal = true;
  valid_unparsed_uri = false;
  keep_alive = false;
  action = Action::kProcessingRequest;

  server = parent.server;
  location = &server->root;
  // Text of the program, not of the parent's arena.
  limit_req_status = parent.limit_req_status;
  limit_conn_status = parent.limit_conn_status;
  limits_counted = parent.limits_counted;
  waf_transaction_id = arena.Copy(parent.waf_transaction_id);
  identity_ = parent.identity_;
  identity_ends_ = parent.identity_ends_;
  CopyValues(parent, true);
}

void Exchange::TakeVariablesOf(const Exchange& subrequest) {
  CopyValues(subrequest, false);
  if (request_id.empty()) request_id = arena.Copy(subrequest.request_id);
}

void Exchange::CopyValues(const Exchange& from, bool computed_too) {
  for (size_t i = 0; i < from.values_.size(); ++i) {
    const Value& value = from.values_[i];
    if (value.state == Value::State::kUnknown) continue;
    switch (variables.origin(static_cast<config::VariableSlot>(i))) {
      case Variables::Origin::kBuiltin:
        continue;
      case Variables::Origin::kSet:
        break;
      case Variables::Origin::kComputed:
        if (!computed_too) continue;
        break;
    }
    if (values_.empty()) values_.resize(variables.slot_count());
    // Views of the same text stay as they are: most values have not changed.
    Value& mine = values_[i];
    if (mine.state == value.state && mine.text == value.text) continue;
    mine = Value{value.state, arena.Copy(value.text)};
  }
}

}  // namespace framewall::exchange
