// Well-known field names as small numbers, so that they compare without text.
#pragma once

#include <cstdint>
#include <string_view>

namespace framewall::http {

enum class FieldId : uint8_t {
  kOther = 0,
  kAccept,
  kAcceptCharset,
  kAcceptEncoding,
  kAcceptLanguage,
  kAcceptRanges,
  kAge,
  kAllow,
  kAuthorization,
  kCacheControl,
  kConnection,
  kContentDisposition,
  kContentEncoding,
  kContentLanguage,
  kContentLength,
  kContentLocation,
  kContentRange,
  kContentType,
  kCookie,
  kDate,
  kEtag,
  kExpect,
  kExpires,
  kHost,
  kHttp2Settings,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kKeepAlive,
  kLastModified,
  kLink,
  kLocation,
  kOrigin,
  kPragma,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kRange,
  kReferer,
  kRefresh,
  kRetryAfter,
  kSecWebSocketAccept,
  kSecWebSocketExtensions,
  kSecWebSocketKey,
  kSecWebSocketProtocol,
  kSecWebSocketVersion,
  kServer,
  kSetCookie,
  kStrictTransportSecurity,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVary,
  kVia,
  kWwwAuthenticate,
  kXAccelBuffering,
  kXAccelCharset,
  kXAccelExpires,
  kXAccelLimitRate,
  kXAccelRedirect,
  kXForwardedFor,
  kXForwardedProto,
  kXRealIp,
  kXRequestId,
  kCount,
};

// Case-blind; kOther for a name that is not in the list.
FieldId FindFieldId(std::string_view name);
// The usual spelling: "Content-Length". Requires: not kOther.
std::string_view FieldName(FieldId id);

}  // namespace framewall::http
