#include "proxy/upstream/passive_health.h"

#include <algorithm>

namespace framewall::upstream {

bool NoteFailure(Peer& peer, int64_t now) {
  PeerState& state = *peer.state;
  ++state.fails;
  state.accessed = now;
  state.checked = now;
  if (peer.max_fails == 0) return false;
  // A failing peer also gets less work before it is left out.
  state.effective_weight =
      std::max<int64_t>(0, state.effective_weight - peer.weight / peer.max_fails);
  return state.fails >= peer.max_fails;
}

void NoteSuccess(Peer& peer) {
  // The probe passed: chosen after its last failure, and well.
  if (peer.state->accessed < peer.state->checked) peer.state->fails = 0;
}

}  // namespace framewall::upstream
