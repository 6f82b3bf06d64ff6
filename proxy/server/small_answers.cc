#include "proxy/server/small_answers.h"

#include <openssl/x509_vfy.h>

namespace framewall::server {

int PublicStatus(int status) { return status >= 494 && status <= 497 ? 400 : status; }

bool IsKeepAliveBroken(const exchange::Exchange& exchange) {
  const config::CoreSettings& core = exchange.settings().core;
  if (!core.keepalive_disable_msie6 && !core.keepalive_disable_safari) return false;
  const std::string_view agent = exchange.request.fields.Get(http::FieldId::kUserAgent);
  if (agent.size() < 6) return false;
  // Opera names itself MSIE too; only old ones fail to close after a POST.
  if (core.keepalive_disable_msie6 && exchange.request.method == http::Method::kPost) {
    const size_t msie = agent.find("MSIE ");
    if (msie != std::string_view::npos && msie + 6 < agent.size() && agent[msie + 6] == '.' &&
        agent.find("Opera") == std::string_view::npos) {
      const char version = agent[msie + 5];
      if (version == '4' || version == '5') return true;
      if (version == '6' && agent.find("SV1") == std::string_view::npos) return true;
    }
  }
  return core.keepalive_disable_safari && agent.find("Safari/") != std::string_view::npos &&
         agent.find("Mac OS X") != std::string_view::npos &&
         agent.find("Chrome") == std::string_view::npos;
}

bool IsMissingCa(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return true;
    default:
      return false;
  }
}

}  // namespace framewall::server
