// What the user wrote and the server has not acknowledged yet.
//
//   waiting ── next() ──► sent ── acknowledged() ──► gone
//      ▲                    │
//      ├── disconnected() ──┤        sent again under the same id: the server knows it then
//      └── later() ─────────┤
//                           └── refused(), failed() ──► kept, with its text, until the user decides
//
// One at a time is under way. Whoever refuses a text by closing the socket does not say which one
// it was; so it can only be that one, and it is never sent by itself again.

const MOST_TRIES = 5;

export class Outbox {
  #entries = [];
  #sent = null;

  // An entry: {id, room, kind, text, state: "waiting" | "sent" | "refused" | "failed", problem,
  // tries, …}. `more` is kept beside it as it is.
  add(id, room, kind, text, more = {}) {
    const entry = { ...more, id, room, kind, text, state: "waiting", problem: null, tries: 0 };
    this.#entries.push(entry);
    return entry;
  }

  // The entry to send now, or null: nothing waits, or one is under way. `isOpen(room)`: may be
  // written to.
  next(isOpen = () => true) {
    if (this.#sent) return null;
    const entry = this.#entries.find((one) => one.state === "waiting" && isOpen(one.room)) ?? null;
    if (entry) {
      entry.state = "sent";
      ++entry.tries;
      this.#sent = entry;
    }
    return entry;
  }

  // The entry, or null where it is none of ours (an acknowledgement that came twice).
  acknowledged(id) {
    return this.#take(id);
  }

  // The server said no. The entry stays for the user to change or drop.
  failed(id, problem) {
    const entry = this.find(id);
    if (!entry) return null;
    if (this.#sent === entry) this.#sent = null;
    entry.state = "failed";
    entry.problem = problem;
    return entry;
  }

  // The server said not now: the same entry is next again.
  later(id) {
    if (this.#sent?.id !== id) return null;
    const entry = this.#sent;
    this.#sent = null;
    entry.state = "waiting";
    --entry.tries;
    return entry;
  }

  // What was under way is next again; but a connection that ends each time that something is sent
  // must not go on like this for ever. Returns the entry that was given up, or null.
  disconnected() {
    const entry = this.#sent;
    if (!entry) return null;
    if (entry.tries >= MOST_TRIES) return this.failed(entry.id, { code: "undelivered" });
    this.#sent = null;
    entry.state = "waiting";
    return null;
  }

  // The user says: once more, as it is.
  again(id) {
    const entry = this.find(id);
    if (!entry || this.#sent === entry) return;
    Object.assign(entry, { state: "waiting", problem: null, tries: 0 });
  }

  // The gateway closed the socket because of what was sent. The entry that it was, or null where
  // nothing was under way.
  refused() {
    const entry = this.#sent;
    if (!entry) return null;
    this.#sent = null;
    entry.state = "refused";
    return entry;
  }

  // Takes it out, whatever its state: the user dropped it, or changes it.
  drop(id) {
    return this.#take(id);
  }

  find(id) {
    return this.#entries.find((one) => one.id === id) ?? null;
  }

  of(room) {
    return this.#entries.filter((one) => one.room === room);
  }

  // What was sent and is not acknowledged; null: nothing.
  get underWay() {
    return this.#sent;
  }

  get unsent() {
    return this.#entries.some((one) => one.state === "waiting" || one.state === "sent");
  }

  #take(id) {
    const at = this.#entries.findIndex((one) => one.id === id);
    if (at < 0) return null;
    const [entry] = this.#entries.splice(at, 1);
    if (this.#sent === entry) this.#sent = null;
    return entry;
  }
}
