#include "proxy/http/http1/body_framing.h"

#include <cstdint>
#include <limits>

#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/http/status.h"

namespace framewall::http {
namespace {

using Kind = BodyFraming::Kind;

// What the head says about its body.
struct FramingFields {
  const Field* length = nullptr;
  const Field* encoding = nullptr;
  bool length_repeated = false;
  bool encoding_repeated = false;
};

FramingFields FindFramingFields(const HeaderMap& fields) {
  FramingFields found;
  for (const Field& field : fields) {
    if (field.id == FieldId::kContentLength) {
      found.length_repeated = found.length != nullptr;
      if (found.length_repeated) break;
      found.length = &field;
    } else if (field.id == FieldId::kTransferEncoding) {
      found.encoding_repeated = found.encoding != nullptr;
      if (found.encoding_repeated) break;
      found.encoding = &field;
    }
  }
  return found;
}

// Digits only: no sign, no list, no space, not empty; within off_t, which all of us count in.
std::optional<uint64_t> ParseLength(std::string_view text) {
  const auto length = ParseUnsigned(text);
  if (!length || *length > uint64_t{std::numeric_limits<int64_t>::max()}) return std::nullopt;
  return length;
}

// The same faults with each side's words.
struct Faults {
  MessageError duplicate;
  MessageError invalid_length;
  MessageError encoding_in_http10;
  MessageError unknown_encoding;
  MessageError both;
};

constexpr Faults kRequestFaults = {
    .duplicate = {400, "client sent duplicate header line"},
    .invalid_length = {400, "client sent invalid \"Content-Length\" header"},
    .encoding_in_http10 = {400, "client sent HTTP/1.0 request with \"Transfer-Encoding\" header"},
    .unknown_encoding = {501, "client sent unknown \"Transfer-Encoding\""},
    .both = {400,
             "client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time"},
};

constexpr Faults kResponseFaults = {
    .duplicate = {502, "upstream sent duplicate header line"},
    .invalid_length = {502, "upstream sent invalid \"Content-Length\" header"},
    .encoding_in_http10 = {502,
                           "upstream sent HTTP/1.0 response with \"Transfer-Encoding\" header"},
    .unknown_encoding = {502, "upstream sent unknown \"Transfer-Encoding\""},
    .both = {502,
             "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time"},
};

// What both sides have in common; `framing` stays as it is without either field.
std::optional<MessageError> Decide(const HeaderMap& fields, Version version, const Faults& faults,
                                   BodyFraming* framing) {
  const FramingFields found = FindFramingFields(fields);
  if (found.length_repeated || found.encoding_repeated) return faults.duplicate;
  if (found.length != nullptr) {
    const auto length = ParseLength(found.length->value);
    if (!length) return faults.invalid_length;
    *framing = {Kind::kLength, *length};
  }
  if (found.encoding != nullptr) {
    if (version == Version::kHttp10) return faults.encoding_in_http10;
    if (!EqualsIgnoreCase(found.encoding->value, "chunked")) return faults.unknown_encoding;
    if (found.length != nullptr) return faults.both;
    *framing = {Kind::kChunked, 0};
  }
  return std::nullopt;
}

}  // namespace

std::optional<MessageError> DecideRequestFraming(const RequestHead& head, BodyFraming* framing) {
  *framing = {Kind::kNone, 0};
  return Decide(head.fields, head.version, kRequestFaults, framing);
}

std::optional<MessageError> DecideResponseFraming(const ResponseHead& head, Method method,
                                                  BodyFraming* framing) {
  *framing = {Kind::kUntilClose, 0};
  if (auto error = Decide(head.fields, head.version, kResponseFaults, framing)) return error;
  if (method == Method::kHead || StatusForbidsBody(head.status)) *framing = {Kind::kNone, 0};
  return std::nullopt;
}

OutgoingFraming DecideOutgoingFraming(const ResponseHead& head, const ResponseOptions& options,
                                      Version client_version) {
  OutgoingFraming result;
  const Field* field = head.fields.Find(FieldId::kContentLength);
  const auto length = field == nullptr ? std::nullopt : ParseLength(field->value);
  if (StatusForbidsBody(head.status)) {
    // RFC 9110 8.6: a 304 may say the length of what it stands for, 1xx and 204 must not.
    result.send_length = length.has_value() && head.status == 304;
    return result;
  }
  if (options.head_request) {
    result.send_length = length.has_value();
    return result;
  }
  const bool may_chunk = options.chunked_allowed && client_version == Version::kHttp11;
  if (may_chunk && (!length || options.has_trailers)) {
    result.body.kind = Kind::kChunked;
  } else if (length) {
    result.send_length = true;
    result.body = {Kind::kLength, *length};
  } else {
    result.body.kind = Kind::kUntilClose;
    result.needs_close = true;
  }
  return result;
}

}  // namespace framewall::http
