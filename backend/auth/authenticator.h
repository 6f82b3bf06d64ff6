// Authorization: Bearer, to an identity: an access token (a JWT of ours) or an API key (fw_…).
#pragma once

#include "backend/auth/services.h"
#include "backend/server/router.h"

namespace framewall::backend::auth {

class Authenticator final : public server::Authenticator {
 public:
  explicit Authenticator(ServicesRef services) : services_(std::move(services)) {}

  // Tokens at once; keys after a look into the database, where their last use is written down at
  // most once a minute.
  void Authenticate(server::CallRef call, Done done) override;

 private:
  ServicesRef services_;
};

}  // namespace framewall::backend::auth
