#include "waf/transaction_mask.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "waf/mask_body.h"
#include "waf/mask_json.h"
#include "waf/mask_text.h"
#include "waf/message_text.h"

namespace framewall::waf {
namespace {

// Does a variable of the rules ("ARGS:password") show a secret, one field that is none, or a whole
// in which anything may stand?
enum class Shows { kSecret, kField, kWhole };

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(),
                    [](char want, char have) { return want == Lower(have); });
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> lower) {
  return std::any_of(lower.begin(), lower.end(), [name](std::string_view one) {
    return one.size() == name.size() && StartsWithIgnoringCase(name, one);
  });
}

struct VariableName {
  std::string_view collection;
  std::string_view key;
};

VariableName Split(std::string_view variable) {
  const std::size_t colon = variable.find(':');
  if (colon == std::string_view::npos) return {variable, {}};
  return {variable.substr(0, colon), variable.substr(colon + 1)};
}

bool IsHeaders(std::string_view collection) {
  return IsOneOf(collection, {"request_headers", "response_headers"});
}

Shows WhatShows(const SecretFields& fields, std::string_view variable) {
  const VariableName name = Split(variable);
  if (name.key.empty()) return Shows::kWhole;
  if (IsOneOf(name.collection, {"request_cookies"})) {
    return fields.on ? Shows::kSecret : Shows::kField;
  }
  if (IsHeaders(name.collection)) {
    std::string_view field = name.key;
    if (fields.on && IsOneOf(field, {"authorization", "proxy-authorization", "cookie", "cookie2",
                                     "set-cookie"})) {
      return Shows::kSecret;
    }
    if (StartsWithIgnoringCase(field, "x-")) field.remove_prefix(2);
    return fields.Names(field) ? Shows::kSecret : Shows::kField;
  }
  if (StartsWithIgnoringCase(name.collection, "args") ||
      StartsWithIgnoringCase(name.collection, "files") ||
      StartsWithIgnoringCase(name.collection, "multipart")) {
    if (StartsWithIgnoringCase(name.collection, "args") &&
        (name.collection.ends_with("NAMES") || name.collection.ends_with("names"))) {
      return Shows::kField;
    }
    if (fields.Names(name.key)) return Shows::kSecret;
    // The text of a WebSocket message as a whole (waf/message_payload.h).
    const bool is_whole = name.key == "message" || name.key.starts_with("message.");
    return is_whole ? Shows::kWhole : Shows::kField;
  }
  return Shows::kWhole;
}

// Replaces `text` where `mask` has something to mask.
template <class Mask>
void Apply(std::string* text, Mask mask) {
  std::string masked;
  if (mask(*text, &masked)) *text = std::move(masked);
}

std::string ContentTypeIn(lib::AnchoredSetVariable& headers) {
  const auto found = headers.resolveFirst("Content-Type");
  return found == nullptr ? std::string() : *found;
}

std::size_t SizeOf(std::ostringstream& body) {
  const auto size = body.tellp();
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

}  // namespace

const SecretValues& TransactionMask::Values() {
  const std::array<std::size_t, 4> now = {
      transaction_.m_variableArgs.size() + transaction_.m_uri.size(),
      transaction_.m_variableRequestHeaders.size() + transaction_.m_variableResponseHeaders.size(),
      SizeOf(transaction_.m_requestBody), SizeOf(transaction_.m_responseBody)};
  if (now != seen_) {
    seen_ = now;
    CollectValues();
  }
  return values_;
}

void TransactionMask::CollectValues() {
  values_.Clear();
  const MaskContext context{fields_, &values_};
  for (const auto& [name, argument] : transaction_.m_variableArgs) {
    if (fields_.Names(name)) values_.Add(argument->getValue());
  }
  std::string unused;
  MaskUrl(context, transaction_.m_uri, &unused);
  for (auto* headers :
       {&transaction_.m_variableRequestHeaders, &transaction_.m_variableResponseHeaders}) {
    for (const auto& [name, field] : *headers) {
      MaskHeader(context, name, field->getValue(), &unused);
    }
  }
  if (seen_[2] > 0) {
    MaskBody(context, ContentTypeIn(transaction_.m_variableRequestHeaders),
             transaction_.m_requestBody.str(), nullptr, &unused);
  }
  if (seen_[3] > 0) {
    MaskBody(context, ContentTypeIn(transaction_.m_variableResponseHeaders),
             transaction_.m_responseBody.str(), nullptr, &unused);
  }
}

void TransactionMask::MaskWhole(std::string* text) {
  const SecretValues& values = Values();
  if (values.overflown()) {
    *text = kMasked;
    return;
  }
  Apply(text, [&](std::string_view from, std::string* to) { return values.Replace(from, to); });
  const MaskContext context{fields_};
  Apply(text,
        [&](std::string_view from, std::string* to) { return MaskFreeText(context, from, to); });
}

// `text` quotes the value of `variable`.
void TransactionMask::MaskQuote(std::string_view variable, std::string* text) {
  switch (WhatShows(fields_, variable)) {
    case Shows::kSecret:
      if (!text->empty()) *text = kMasked;
      return;
    case Shows::kWhole:
      return MaskWhole(text);
    case Shows::kField:
      break;
  }
  const MaskContext context{fields_};
  const VariableName name = Split(variable);
  Apply(text, [&](std::string_view from, std::string* to) {
    if (IsHeaders(name.collection)) return MaskHeader(context, name.key, from, to);
    if (LooksLikeJson(from)) return MaskJson(context, from, to);
    return from.find_first_of("?&") != std::string_view::npos && MaskUrl(context, from, to);
  });
}

void TransactionMask::MaskMessage(lib::RuleMessage* message) {
  constexpr std::string_view kAgainst = "against variable `";
  constexpr std::string_view kValue = "' (Value: `";
  constexpr std::string_view kEnd = "' )";
  constexpr std::string_view kMatched = "Matched Data: ";
  constexpr std::string_view kWithin = " found within ";

  // Matched "Operator `Rx' with parameter `...' against variable `ARGS:a' (Value: `...' )
  std::string variable;
  std::string plain;
  std::string& match = message->m_match;
  const std::size_t against = match.find(kAgainst);
  const std::size_t quoted = match.find(kValue, against == std::string::npos ? 0 : against);
  if (against != std::string::npos && quoted != std::string::npos) {
    const std::size_t start = against + kAgainst.size();
    variable = match.substr(start, quoted - start);
    const std::size_t value_start = quoted + kValue.size();
    std::size_t end = match.size();
    if (match.ends_with(kEnd)) end -= kEnd.size();
    if (end > value_start) {
      std::string value = match.substr(value_start, end - value_start);
      plain = value.substr(0, value.find(" ("));
      MaskQuote(variable, &value);
      match.replace(value_start, end - value_start, value);
      // `msg` and `tag` may quote it as well.
      if (value == kMasked && plain.size() > 2) {
        for (std::size_t at = message->m_message.find(plain); at != std::string::npos;
             at = message->m_message.find(plain, at + kMasked.size())) {
          message->m_message.replace(at, plain.size(), kMasked);
        }
      }
    }
  } else {
    MaskWhole(&match);
  }

  // CRS's logdata: Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}
  std::string& data = message->m_data;
  const std::size_t within = data.find(kWithin);
  if (data.starts_with(kMatched) && within != std::string::npos) {
    std::string piece = data.substr(kMatched.size(), within - kMatched.size());
    std::string rest = data.substr(within + kWithin.size());
    std::string name = variable;
    if (variable.empty() || !rest.starts_with(variable)) name = rest.substr(0, rest.find(": "));
    std::string value;
    if (rest.size() > name.size() + 2) value = rest.substr(name.size() + 2);
    const Shows shows = WhatShows(fields_, name);
    // A rule without a capture of its own quotes what one before it captured, anywhere.
    const bool is_of_value = value.find(piece) != std::string::npos;
    if (shows == Shows::kSecret || (shows == Shows::kWhole && Values().Contain(piece))) {
      piece = kMasked;
    } else if (is_of_value) {
      MaskQuote(name, &piece);
    } else {
      MaskWhole(&piece);
    }
    MaskQuote(name, &value);
    rest.resize(std::min(rest.size(), name.size() + 2));
    data = std::string(kMatched) + piece + std::string(kWithin) + rest + value;
  } else if (!data.empty()) {
    const bool is_secret = !variable.empty() && WhatShows(fields_, variable) == Shows::kSecret;
    if (is_secret || (!plain.empty() && data.starts_with(plain))) {
      MaskQuote(variable, &data);
    } else {
      MaskWhole(&data);
    }
  }
  const SecretValues& values = Values();
  const auto by_value = [&](std::string_view from, std::string* to) {
    return values.Replace(from, to);
  };
  Apply(&message->m_message, by_value);
  for (std::string& tag : message->m_tags) Apply(&tag, by_value);
}

// The index line of a concurrent log names the user, whom the library reads out of Authorization.
void TransactionMask::KeepUser() {
  const auto field = transaction_.m_variableRequestHeaders.resolveFirst("Authorization");
  if (field == nullptr || !StartsWithIgnoringCase(*field, "basic ")) return;
  const auto decoded = DecodeBase64Text(std::string_view(*field).substr(6));
  if (!decoded) return;
  const std::size_t colon = decoded->find(':');
  if (colon != std::string::npos) transaction_.m_variableRemoteUser = decoded->substr(0, colon);
}

void TransactionMask::MaskHeaders(lib::AnchoredSetVariable* headers) {
  const MaskContext context{fields_};
  for (auto& [name, field] : *headers) {
    std::string masked;
    if (MaskHeader(context, name, field->getValue(), &masked)) field->setValue(masked);
  }
}

void TransactionMask::MaskForRecord() {
  if (!masks_anything()) return;
  const SecretValues& values = Values();
  for (lib::RuleMessage& message : transaction_.m_rulesMessages) MaskMessage(&message);

  const MaskContext context{fields_};
  const auto mask_body = [&](lib::AnchoredSetVariable& headers, std::ostringstream& body) {
    if (SizeOf(body) == 0) return;
    std::string masked;
    if (MaskBody(context, ContentTypeIn(headers), body.str(), &values, &masked)) {
      body.str(std::string());
      body << masked;
    }
  };
  mask_body(transaction_.m_variableRequestHeaders, transaction_.m_requestBody);
  mask_body(transaction_.m_variableResponseHeaders, transaction_.m_responseBody);
  Apply(&transaction_.m_uri,
        [&](std::string_view from, std::string* to) { return MaskUrl(context, from, to); });
  KeepUser();
  MaskHeaders(&transaction_.m_variableRequestHeaders);
  MaskHeaders(&transaction_.m_variableResponseHeaders);
}

}  // namespace framewall::waf
