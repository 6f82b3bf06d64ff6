// Up to which message each room was read on this device: numbers by room and account, nothing of
// what was said.

export class ReadMarks {
  #key;
  #marks;
  #store;

  constructor(user, store = localStorage) {
    this.#key = "framewall.read." + user;
    this.#store = store;
    this.#marks = kept(store, this.#key);
  }

  get(room) {
    const number = this.#marks[room];
    return Number.isInteger(number) ? number : null;
  }

  // Another tab may be further.
  set(room, number) {
    this.#marks = kept(this.#store, this.#key);
    if (number <= (this.get(room) ?? -1)) return;
    this.#marks[room] = number;
    try {
      this.#store.setItem(this.#key, JSON.stringify(this.#marks));
    } catch {
      // Full, or not allowed: then what was read is forgotten with the page.
    }
  }
}

function kept(store, key) {
  try {
    const marks = JSON.parse(store.getItem(key) ?? "{}");
    return marks !== null && typeof marks === "object" ? marks : {};
  } catch {
    return {};
  }
}
