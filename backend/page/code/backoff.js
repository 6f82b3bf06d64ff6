// How long to wait before the next try: 1, 2, 4 … 30 seconds, each up to half longer by chance, so
// that a thousand pages do not come back in the same moment (docs/chat-protocol.md).

const FIRST_MS = 1000;
const LONGEST_MS = 30000;

// `attempt` from 0; `random` in [0, 1).
export function backoffMs(attempt, random = Math.random()) {
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(wait * (1 + random / 2));
}
