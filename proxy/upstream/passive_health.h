// max_fails and fail_timeout: a peer is judged by how real requests fared.
//
// A peer with max_fails failures is left out for fail_timeout seconds; then one request tries it
// (`checked` moves on when it is chosen), and success forgives everything.
#pragma once

#include "proxy/upstream/peer.h"

namespace framewall::upstream {

// May it be chosen? Not down, not failed, not full.
inline bool IsUsable(const Peer& peer, int64_t now) {
  if (peer.down) return false;
  const PeerState& state = *peer.state;
  if (peer.max_fails != 0 && state.fails >= peer.max_fails &&
      now - state.checked <= peer.fail_timeout) {
    return false;
  }
  return peer.max_connections == 0 || state.connections < peer.max_connections;
}

// It was chosen: the next probe of a failed peer is fail_timeout away.
inline void NoteChosen(Peer& peer, int64_t now) {
  if (now - peer.state->checked > peer.fail_timeout) peer.state->checked = now;
}

// True where this failure made it unusable ("upstream server temporarily disabled").
bool NoteFailure(Peer& peer, int64_t now);
void NoteSuccess(Peer& peer);

}  // namespace framewall::upstream
