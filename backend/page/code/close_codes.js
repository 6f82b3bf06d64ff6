// What the end of a socket means for us (docs/chat-protocol.md, "Close codes").

// `what`: "lost" come back; "refused" and "large" come back without what was sent last; "token"
// come back with a new one; "session" log in anew; "fault" do not come back; "slow" come back
// later.
const BY_CODE = new Map([
  [1002, "fault"],
  [1003, "fault"],
  [1007, "fault"],
  [1008, "refused"],
  [1009, "large"],
  [4400, "fault"],
  [4401, "token"],
  [4403, "session"],
  [4429, "slow"],
]);

export function whatClosed(code) {
  return BY_CODE.get(code) ?? "lost";
}
