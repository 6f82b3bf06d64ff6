// The messages of one room that we hold: a run of numbers without gaps, from the oldest that was
// fetched to the newest that was heard of, and the text so far of answers under way.

export class Timeline {
  #byNumber = new Map();
  #order = [];  // ascending numbers
  #answers = new Map();  // number → text so far
  #heard = null;

  // Is there nothing older?
  complete = false;

  // What follows by itself begins at `from`; true where that leaves a gap behind what we hold, which
  // is then dropped: it has to be fetched anew.
  joined(from, answers) {
    const gap = this.#heard !== null && from > this.#heard + 1;
    if (gap) this.clear();
    if (this.#heard === null) this.#heard = from - 1;
    if (from === 1 && this.#order.length === 0) this.complete = true;
    this.#answers.clear();
    for (const { number, text } of answers) {
      this.#answers.set(number, text);
      this.#show(number, text);
    }
    return gap;
  }

  // A message that was sent to the room: the highest number of these is what we say on coming back.
  heard(message) {
    if (this.#heard === null || message.number > this.#heard) this.#heard = message.number;
    return this.put(message);
  }

  // New, or as it is now; "added", "changed" or "same".
  put(message) {
    const before = this.#byNumber.get(message.number);
    const text =
      message.state === "streaming" ? (this.#answers.get(message.number) ?? message.text) : message.text;
    if (message.state !== "streaming") this.#answers.delete(message.number);
    if (before === undefined) {
      this.#byNumber.set(message.number, { ...message, text, version: 0 });
      this.#insert(message.number);
      return "added";
    }
    if (before.state !== "streaming" && message.state === "streaming") return "same";  // it has ended
    const same = ["text", "state", "edited", "deleted"].every(
      (member) => (member === "text" ? text : message[member]) === before[member]);
    if (same) return "same";
    Object.assign(before, message, { text, version: before.version + 1 });
    return "changed";
  }

  // A page of history; `more`: there is older.
  putOlder(messages, more) {
    for (const message of messages) this.put(message);
    this.complete = !more;
  }

  piece(number, text) {
    const whole = (this.#answers.get(number) ?? "") + text;
    this.#answers.set(number, whole);
    this.#show(number, whole);
  }

  get(number) {
    return this.#byNumber.get(number) ?? null;
  }

  // Ascending; not copies. `version` grows when one changes.
  get messages() {
    return this.#order.map((number) => this.#byNumber.get(number));
  }

  get oldest() {
    return this.#order[0] ?? null;
  }

  // The highest number that was sent to us; null before the first "joined".
  get after() {
    return this.#heard;
  }

  // Answers that still come.
  get streaming() {
    return [...this.#answers.keys()].map((number) => this.get(number)).filter((one) => one !== null);
  }

  // Keeps the newest `count`.
  trim(count) {
    if (this.#order.length <= count) return;
    for (const number of this.#order.splice(0, this.#order.length - count)) this.#byNumber.delete(number);
    this.complete = false;
  }

  clear() {
    this.#byNumber.clear();
    this.#order = [];
    this.#answers.clear();
    this.#heard = null;
    this.complete = false;
  }

  #show(number, text) {
    const message = this.#byNumber.get(number);
    if (message === undefined || message.state !== "streaming") return;
    message.text = text;
    ++message.version;
  }

  #insert(number) {
    let at = this.#order.length;
    while (at > 0 && this.#order[at - 1] > number) --at;
    this.#order.splice(at, 0, number);
  }
}
