#include "backend/llm/make_provider.h"

#include <fmt/format.h>

#include <utility>

#include "backend/llm/anthropic_provider.h"
#include "backend/llm/echo_provider.h"
#include "backend/llm/http_client.h"
#include "backend/llm/ollama_provider.h"
#include "backend/llm/openai_provider.h"

namespace framewall::backend::llm {
namespace {

using MakeRemote = std::unique_ptr<Provider> (*)(event::EventLoop& loop,
                                                 std::unique_ptr<HttpClient> client,
                                                 const RemoteOptions& options);
struct RemoteKind {
  std::string_view name;
  std::string_view authorization;
  MakeRemote make;
};
constexpr RemoteKind kRemoteKinds[] = {
    {"ollama", "bearer", MakeOllamaProvider},
    {"openai", "bearer", MakeOpenAiProvider},
    {"anthropic", "x-api-key", MakeAnthropicProvider},
};

constexpr std::string_view kAnthropicVersion = "2023-06-01";

Error Mistake(const Settings::Provider& settings, std::string_view what) {
  return OperatorError(fmt::format("providers: \"{}\": {}", settings.name, what));
}

}  // namespace

Result<std::unique_ptr<Provider>> MakeProvider(event::EventLoop& loop,
                                               const Settings::Provider& settings) {
  if (settings.kind == "echo") {
    return std::unique_ptr<Provider>(std::make_unique<EchoProvider>(loop));
  }
  for (const RemoteKind& kind : kRemoteKinds) {
    if (kind.name != settings.kind) continue;
    RemoteOptions options;
    options.key = settings.key;
    options.authorization =
        settings.authorization.empty() ? std::string(kind.authorization) : settings.authorization;
    if (options.authorization != "bearer" && options.authorization != "x-api-key") {
      return Mistake(settings, "authorization has to be bearer or x-api-key");
    }
    options.version = settings.version.empty() ? std::string(kAnthropicVersion) : settings.version;
    options.image_addresses = settings.image_addresses;
    auto origin = ParseHttpOrigin(settings.url);
    if (!origin.ok()) return Mistake(settings, origin.error().message);
    HttpClientOptions http;
    http.origin = std::move(origin).value();
    http.ca_file = settings.ca_file;
    http.connect = std::chrono::milliseconds(settings.connect_ms);
    auto client = HttpClient::Make(loop, http);
    if (!client.ok()) return Mistake(settings, client.error().message);
    return kind.make(loop, std::move(client).value(), options);
  }
  return Mistake(settings,
                 fmt::format("\"{}\" is no kind; expected one of: echo, ollama, openai, anthropic",
                             settings.kind));
}

}  // namespace framewall::backend::llm
