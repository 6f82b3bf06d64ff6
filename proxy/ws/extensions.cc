#include "proxy/ws/extensions.h"

#include <algorithm>

#include "proxy/base/parse.h"
#include "proxy/base/text.h"

namespace framewall::ws {
namespace {

constexpr std::string_view kDeflateName = "permessage-deflate";
constexpr std::string_view kServerNoTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoTakeover = "client_no_context_takeover";
constexpr std::string_view kServerBits = "server_max_window_bits";
constexpr std::string_view kClientBits = "client_max_window_bits";
constexpr int kLeastBits = 8;
constexpr int kMostBits = 15;

// --- Grammar -----------------------------------------------------------------------------------

// extension-list = 1#extension
// extension      = token *( ";" token [ "=" ( token / quoted-string ) ] )
// White space may stand between all of these.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) { SkipSpace(); }

  bool at_end() const { return rest_.empty(); }

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    SkipSpace();
    return true;
  }

  std::optional<std::string> TakeToken() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsTokenChar);
    const auto size = static_cast<size_t>(end - rest_.begin());
    if (size == 0) return std::nullopt;
    std::string token(rest_.substr(0, size));
    rest_.remove_prefix(size);
    SkipSpace();
    return token;
  }

  // A token, or a quoted string that is one without its quotes and backslashes.
  std::optional<std::string> TakeValue() {
    if (!rest_.starts_with('"')) return TakeToken();
    std::string value;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        SkipSpace();
        if (!IsToken(value)) return std::nullopt;
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      value += rest_[i];
    }
    return std::nullopt;
  }

 private:
  void SkipSpace() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

Error SyntaxError(std::string_view what) {
  return {ErrorKind::kSyntax, ErrorSource::kClient,
          std::string("Sec-WebSocket-Extensions ").append(what), 0};
}

Result<Extension> TakeExtension(Cursor& cursor) {
  auto name = cursor.TakeToken();
  if (!name) return SyntaxError("has an element that is not a token");
  Extension extension{std::move(*name), {}};
  while (cursor.Take(';')) {
    auto param = cursor.TakeToken();
    if (!param) return SyntaxError("has a parameter that is not a token");
    std::optional<std::string> value;
    if (cursor.Take('=')) {
      value = cursor.TakeValue();
      if (!value) return SyntaxError("has a value that is neither a token nor a quoted one");
    }
    if (extension.params.size() == kMostExtensionParams) {
      return SyntaxError("has an extension with too many parameters");
    }
    extension.params.push_back({std::move(*param), std::move(value)});
  }
  return extension;
}

// --- permessage-deflate ------------------------------------------------------------------------

// The parameters of an offer or an answer, as they came.
struct Params {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  std::optional<int> server_bits;
  bool has_client_bits = false;
  std::optional<int> client_bits;
};

// RFC 7692 7.1.2.1: decimal without leading zeros, 8 to 15.
std::optional<int> ParseBits(const std::optional<std::string>& value) {
  if (!value || value->starts_with('0')) return std::nullopt;
  const auto bits = ParseUnsigned(*value);
  if (!bits || *bits < kLeastBits || *bits > kMostBits) return std::nullopt;
  return static_cast<int>(*bits);
}

// Nothing where a parameter is unknown, comes twice, or has a value it must not have.
std::optional<Params> ReadParams(const Extension& extension) {
  Params params;
  for (const auto& [name, value] : extension.params) {
    if (name == kServerNoTakeover && !value && !params.server_no_takeover) {
      params.server_no_takeover = true;
    } else if (name == kClientNoTakeover && !value && !params.client_no_takeover) {
      params.client_no_takeover = true;
    } else if (name == kServerBits && !params.server_bits && ParseBits(value)) {
      params.server_bits = ParseBits(value);
    } else if (name == kClientBits && !params.has_client_bits && (!value || ParseBits(value))) {
      params.has_client_bits = true;
      params.client_bits = ParseBits(value);
    } else {
      return std::nullopt;
    }
  }
  return params;
}

void AppendParam(std::string& text, std::string_view name) { text.append("; ").append(name); }
void AppendBits(std::string& text, std::string_view name, int bits) {
  AppendParam(text, name);
  text.append("=").append(std::to_string(bits));
}

DeflateAnswer Accept(const Params& offer, const DeflateSettings& settings) {
  const int client_bits = offer.has_client_bits ? std::min(offer.client_bits.value_or(kMostBits),
                                                           settings.client_max_window_bits)
                                                : kMostBits;
  const DeflateParams params{
      .server_no_context_takeover = offer.server_no_takeover || !settings.server_context_takeover,
      .client_no_context_takeover = offer.client_no_takeover || !settings.client_context_takeover,
      .server_max_window_bits =
          std::min(offer.server_bits.value_or(kMostBits), settings.server_max_window_bits),
      .client_max_window_bits = client_bits,
  };
  std::string text(kDeflateName);
  if (params.server_no_context_takeover) AppendParam(text, kServerNoTakeover);
  if (params.client_no_context_takeover) AppendParam(text, kClientNoTakeover);
  // An offer with a width is accepted by naming one (RFC 7692 7.1.2.1).
  if (offer.server_bits || params.server_max_window_bits < kMostBits) {
    AppendBits(text, kServerBits, params.server_max_window_bits);
  }
  if (client_bits < kMostBits) AppendBits(text, kClientBits, client_bits);
  return {params, std::move(text)};
}

Error AnswerError(std::string_view what) {
  return {ErrorKind::kSyntax, ErrorSource::kUpstream,
          std::string("Sec-WebSocket-Extensions of the answer ").append(what), 0};
}

}  // namespace

Result<std::vector<Extension>> ParseExtensions(std::string_view field) {
  std::vector<Extension> extensions;
  Cursor cursor(field);
  while (!cursor.at_end()) {
    if (cursor.Take(',')) continue;  // an empty element (RFC 9110 5.6.1.2)
    if (extensions.size() == kMostExtensions) return SyntaxError("has too many elements");
    FW_ASSIGN(auto extension, TakeExtension(cursor));
    extensions.push_back(std::move(extension));
    if (!cursor.at_end() && !cursor.Take(',')) {
      return SyntaxError("has something other than a comma between elements");
    }
  }
  if (extensions.empty()) return SyntaxError("is empty");
  return extensions;
}

DeflateAnswer NegotiateAsServer(const std::vector<Extension>& offers,
                                const DeflateSettings& settings) {
  if (!settings.enabled) return {};
  for (const Extension& offer : offers) {
    if (offer.name != kDeflateName) continue;
    if (const auto params = ReadParams(offer)) return Accept(*params, settings);
  }
  return {};
}

std::string OfferText(const DeflateSettings& settings) {
  if (!settings.enabled) return {};
  std::string text(kDeflateName);
  if (!settings.server_context_takeover) AppendParam(text, kServerNoTakeover);
  if (!settings.client_context_takeover) AppendParam(text, kClientNoTakeover);
  if (settings.server_max_window_bits < kMostBits) {
    AppendBits(text, kServerBits, settings.server_max_window_bits);
  }
  // Without a width it only says that we would obey one.
  if (settings.client_max_window_bits < kMostBits) {
    AppendBits(text, kClientBits, settings.client_max_window_bits);
  } else {
    AppendParam(text, kClientBits);
  }
  return text;
}

Result<std::optional<DeflateParams>> CheckAnswer(std::string_view field,
                                                 const DeflateSettings& settings) {
  if (Trim(field).empty()) return std::optional<DeflateParams>();
  const auto extensions = ParseExtensions(field);
  if (!extensions.ok()) return AnswerError("does not follow the grammar");
  if (!settings.enabled || extensions->size() != 1 || extensions->front().name != kDeflateName) {
    return AnswerError("names an extension that was not offered");
  }
  const auto params = ReadParams(extensions->front());
  if (!params || (params->has_client_bits && !params->client_bits)) {
    return AnswerError("has parameters that permessage-deflate does not know, or has them twice");
  }
  if (!settings.server_context_takeover && !params->server_no_takeover) {
    return AnswerError("lacks server_no_context_takeover, which was a condition");
  }
  if (settings.server_max_window_bits < kMostBits && !params->server_bits) {
    return AnswerError("lacks server_max_window_bits, which was a condition");
  }
  const DeflateParams agreed{
      .server_no_context_takeover = params->server_no_takeover,
      // Our own side: stricter than the answer asks is always allowed.
      .client_no_context_takeover = params->client_no_takeover || !settings.client_context_takeover,
      .server_max_window_bits = params->server_bits.value_or(kMostBits),
      .client_max_window_bits = params->client_bits.value_or(settings.client_max_window_bits),
  };
  if (agreed.server_max_window_bits > settings.server_max_window_bits ||
      agreed.client_max_window_bits > settings.client_max_window_bits) {
    return AnswerError("has a window wider than was offered");
  }
  return std::optional<DeflateParams>(agreed);
}

}  // namespace framewall::ws
