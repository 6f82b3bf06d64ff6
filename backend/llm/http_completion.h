// A completion over HTTP: what all providers with a server share. Statuses become problems, the end
// of the body without the dialect's end mark is an error, and so is silence.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backend/llm/http_client.h"
#include "backend/llm/provider.h"
#include "backend/llm/provider_stream.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

// What a status other than 2xx means. `said`: the provider's own words, which the client hears
// where the request is at fault.
Problem ProblemOfStatus(int status, std::string_view said, std::string_view retry_after);
// The same for a connection that failed.
Problem ProblemOfConnection(const Error& error, bool had_head);
// The text of {"error": "…"} or {"error": {"message": "…"}}, cut; empty where there is none. A
// `secret` that it repeats is masked.
std::string SaidInError(std::string_view body, std::string_view secret);
// What the fields of a request let us in with; empty: nothing.
std::string SecretOf(const HttpRequest& request);

// Sends `request` at once and reads its 2xx answer with what `make` makes; `client`, `loop` and
// `events` outlive it.
std::unique_ptr<Completion> MakeHttpCompletion(event::EventLoop& loop, HttpClient& client,
                                               HttpRequest request, MakeStream make,
                                               CompletionEvents* events);

}  // namespace framewall::backend::llm
