// All that the page knows of rooms, kept up to date by the socket (docs/chat-protocol.md).
//
// Events, each a CustomEvent with `detail`:
//   connection {state}              "open", "waiting", …
//   places {}                       the list of rooms, or something in it
//   room {id}                       messages, people or typing of one room
//   said {room, message}            a new message of somebody else
//   refused {entry}                 the gateway refused what was sent; it is kept
//   problem {entry, problem, room}  the server did not take it; entry may be null
//   gone {room, reason}             the room is no longer ours
//   ended {what}                    the socket stays closed: "session", "fault"

import { newClientId } from "./ids.js";
import { Outbox } from "./outbox.js";
import { Timeline } from "./timeline.js";

const PAGE = 50;
const KEEP_UNSEEN = 200;
const KEEP_OPEN = 2000;
const ACK_MS = 15000;
const TYPING_SHOWN_MS = 5000;
// The message is stored, only its answer is not coming.
const STORED_ALL_THE_SAME = ["too_many_answers", "no_assistant"];

export class Chat extends EventTarget {
  #socket;
  #marks;
  #write;
  #timer = null;
  #asked = new Map();  // ref → {resolve, reject}
  #lastRef = 0;
  #time = null;  // the last that the server told

  rooms = new Map();  // id → room
  outbox = new Outbox();
  me;
  limits = { rooms: 100, text_octets: 16384, text_characters: 8192 };

  // `makeSocket(owner)`: a ChatSocket; `ticket()`: a Promise; `marks`: {get(room), set(room, number)};
  // `write(entry)`: says it in a conversation over the API: a Promise of the message.
  constructor({ makeSocket, ticket, marks, write, me }) {
    super();
    this.me = me;
    this.#marks = marks;
    this.#write = write;
    this.#socket = makeSocket({
      ticket,
      opened: () => this.#hello(),
      received: (message) => this.#received(message),
      lost: (what) => this.#lost(what),
      changed: (state) => this.#tell("connection", { state }),
      ended: (what) => this.#tell("ended", { what }),
    });
  }

  get state() {
    return this.#socket.state;
  }

  start() {
    this.#socket.start();
  }

  stop() {
    this.#socket.stop();
    this.#lost("lost");
  }

  hurry() {
    this.#socket.hurry();
  }

  // --- rooms ---

  // What the API says of a room: {id, kind, name, visibility, assistant, role, …}.
  know(about) {
    const room = this.rooms.get(about.id) ?? newRoom(about.id);
    for (const member of ["kind", "name", "visibility", "assistant", "role"]) {
      if (about[member] !== undefined) room[member] = about[member];
    }
    this.rooms.set(room.id, room);
    if (this.#joined().length < this.limits.rooms) this.look(room);
    this.#tell("places", {});
    return room;
  }

  // It is to be seen: where one is in more rooms than a socket may join, another one makes place.
  look(room) {
    if (this.state !== "open" || room.joined || room.joining) return;
    const joined = this.#joined();
    if (joined.length >= this.limits.rooms) {
      const other = joined.find((one) => !one.open) ?? joined[0];
      this.#unheard(other);
      this.#socket.send({ type: "leave", room: other.id });
    }
    this.#join(room);
  }

  forget(id) {
    if (!this.rooms.delete(id)) return;
    this.#tell("places", {});
  }

  unread(room) {
    if (room.last === null || room.read === null) return 0;
    return Math.max(0, room.last - room.read);
  }

  // Everything up to here was on the screen.
  read(room, number) {
    if (room.read !== null && number <= room.read) return;
    room.read = number;
    this.#marks.set(room.id, number);
    this.#tell("places", {});
  }

  // An older page; false where there is nothing older.
  async older(room) {
    if (room.timeline.complete) return false;
    const ask = { type: "history", room: room.id, limit: PAGE };
    if (room.timeline.oldest !== null) ask.before = room.timeline.oldest;
    const page = await this.#ask(ask);
    room.timeline.putOlder(page.messages, page.more);
    this.#tell("room", { id: room.id });
    return page.more;
  }

  // --- what the user does ---

  say(room, text) {
    const entry = this.outbox.add(newClientId(), room.id, "message", text, { created: new Date().toISOString() });
    this.#tell("room", { id: room.id });
    this.#flush();
    return entry;
  }

  edit(room, number, text) {
    const entry = this.outbox.add(newClientId(), room.id, "edit", text, { number });
    this.#tell("room", { id: room.id });
    this.#flush();
    return entry;
  }

  again(entry) {
    this.outbox.again(entry.id);
    this.#tell("room", { id: entry.room });
    this.#flush();
  }

  drop(entry) {
    this.outbox.drop(entry.id);
    this.#tell("room", { id: entry.room });
    this.#flush();
  }

  remove(room, number) {
    return this.#ask({ type: "delete", room: room.id, number });
  }

  cancel(room, number) {
    return this.#ask({ type: "cancel", room: room.id, number });
  }

  typing(room, active) {
    if (room.joined) this.#socket.send({ type: "typing", room: room.id, active });
  }

  // A fresh token for the socket that stays open.
  token(token) {
    if (this.state === "open") this.#socket.send({ type: "auth", token });
  }

  // --- the socket ---

  #hello() {
    const all = [...this.rooms.values()].sort((a, b) => Number(b.open) - Number(a.open));
    const rooms = all.slice(0, this.limits.rooms).map((room) => this.#since(room));
    this.#socket.send({ type: "hello", v: 1, rooms });
  }

  #joined() {
    return [...this.rooms.values()].filter((room) => room.joined);
  }

  #since(room) {
    const entry = { room: room.id };
    if (room.timeline.after !== null) {
      entry.after = room.timeline.after;
      if (room.since !== null) entry.since = room.since;
    }
    return entry;
  }

  // From now on nothing is heard of it: what happens there is told from the last time that we know.
  #unheard(room) {
    if (room.joined) room.since = this.#time;
    room.joined = room.joining = false;
    room.typing.clear();
    room.online.clear();
  }

  #join(room) {
    room.joining = true;
    this.#ask({ type: "join", ...this.#since(room) }).catch(() => (room.joining = false));
  }

  #lost(what) {
    for (const room of this.rooms.values()) this.#unheard(room);
    for (const { reject } of this.#asked.values()) reject(new Lost());
    this.#asked.clear();
    const { underWay } = this.outbox;
    const sent = underWay && !this.#goesByRequest(underWay) ? underWay : null;
    if (what === "refused" && sent) {
      this.outbox.refused();
      this.#tell("refused", { entry: sent });
    } else if (what === "large" && sent) {
      this.#failed(sent, { code: "too_large" });
    } else {
      const givenUp = this.outbox.disconnected();
      if (givenUp) this.#tell("problem", { entry: givenUp, problem: givenUp.problem, room: givenUp.room });
      if (what === "refused") this.#tell("problem", { entry: null, problem: { code: "refused_answer" }, room: null });
    }
    for (const id of this.rooms.keys()) this.#tell("room", { id });
  }

  #ask(message) {
    const ref = `r${++this.#lastRef}`;
    return new Promise((resolve, reject) => {
      if (!this.#socket.send({ ...message, ref })) return reject(new Lost());
      this.#asked.set(ref, { resolve, reject });
    });
  }

  #flush() {
    if (this.state !== "open") return;
    const entry = this.outbox.next((room) => this.rooms.get(room)?.joined === true);
    if (!entry) return;
    const { id, room, text } = entry;
    // A text that neither arrives nor fails was left out on the way.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.outbox.underWay === entry && this.#again(), ACK_MS);
    if (this.#goesByRequest(entry)) return void this.#flushByRequest(entry);
    this.#socket.send(
      entry.kind === "edit"
        ? { type: "edit", ref: id, room, number: entry.number, text }
        : { type: "message", room, client_id: id, text });
  }

  #goesByRequest(entry) {
    return this.rooms.get(entry.room)?.kind === "conversation";
  }

  // What is said to a model may be source code, and quote attacks: the gateway lets that pass where
  // it knows a text to be one, at the API's address of a conversation. The answer comes by socket.
  async #flushByRequest(entry) {
    try {
      const message = await this.#write(entry);
      this.#acknowledged(entry.id, message);
    } catch (error) {
      if (this.outbox.underWay !== entry) return;
      if (error.kind === "refused") {
        this.outbox.refused();
        this.#tell("refused", { entry });
        this.#tell("room", { id: entry.room });
      } else if (error.kind === "problem" && ![429, 503].includes(error.status)) {
        this.#failed(entry, error.problem);
      } else if (error.kind === "other" && error.status < 500 && error.status !== 429) {
        this.#failed(entry, { code: "", status: error.status });
      } else {
        setTimeout(() => this.outbox.underWay === entry && this.#again(), (error.retryAfter ?? 3) * 1000);
        return;
      }
    }
    this.#flush();
  }

  #again() {
    const givenUp = this.outbox.disconnected();
    if (givenUp) this.#failed(givenUp, givenUp.problem);
    this.#flush();
  }

  #acknowledged(id, { number, room, created, id: messageId }) {
    const entry = this.outbox.acknowledged(id);
    if (!entry) return;
    if (entry.kind === "message") {
      // Shown at once; the message itself follows.
      this.rooms.get(room)?.timeline.put({
        id: messageId, room, number, role: "user", author: this.me, text: entry.text, state: "whole", created,
        client_id: entry.id,
      });
    }
    this.#tell("room", { id: room });
  }

  #received(message) {
    if (typeof message.time === "string") this.#time = message.time;
    const take = this.#takers[message.type];
    if (take) take(message);
    const asked = message.in_reply_to === undefined ? undefined : this.#asked.get(message.in_reply_to);
    if (!asked) return;
    this.#asked.delete(message.in_reply_to);
    if (message.type === "error") asked.reject(new Refused(message.problem, message.retry_after));
    else asked.resolve(message);
  }

  #takers = {
    welcome: ({ limits }) => {
      Object.assign(this.limits, limits);
      this.#socket.welcomed();
    },

    joined: (message) => {
      const room = this.rooms.get(message.room) ?? newRoom(message.room);
      this.rooms.set(room.id, room);
      Object.assign(room, {
        kind: message.kind, name: message.name, role: message.role, last: message.last, joined: true, joining: false,
        assistant: message.assistant ?? null, count: message.count,
      });
      room.online = byId(message.online);
      // What was never seen here is not unread: it was there before us.
      room.read ??= this.#marks.get(room.id) ?? message.last;
      const gap = room.timeline.joined(message.from, message.answers ?? []);
      if (gap) room.stale = true;
      this.#tell("room", { id: room.id });
      this.#tell("places", {});
      this.#flush();
    },

    left: ({ room: id, reason }) => {
      const room = this.rooms.get(id);
      if (!room) return;
      room.joined = false;
      if (reason !== "removed" && reason !== "deleted") return;
      this.forget(id);
      this.#tell("gone", { room, reason });
    },

    message: (message) => {
      const room = this.rooms.get(message.room);
      if (!room) return;
      const isMine = message.author?.id === this.me.id;
      const isNew = room.timeline.heard(message) === "added";
      room.last = Math.max(room.last ?? 0, message.number);
      if (isMine) {
        if (message.client_id) this.outbox.acknowledged(message.client_id);
        this.read(room, message.number);
      } else if (message.author) {
        room.typing.delete(message.author.id);
      }
      if (isNew && !isMine) this.#tell("said", { room, message });
      room.timeline.trim(room.open ? KEEP_OPEN : KEEP_UNSEEN);
      this.#tell("room", { id: room.id });
      this.#tell("places", {});
      this.#flush();
    },

    ack: (message) => {
      this.#acknowledged(message.client_id ?? message.in_reply_to, message);
      this.#flush();
    },

    edited: (message) => this.#changed(message),
    deleted: (message) => this.#changed(message),
    answer_end: (message) => {
      this.#changed(message);
      const room = this.rooms.get(message.room);
      if (room) this.#tell("said", { room, message });
    },

    answer_piece: ({ room: id, number, text }) => {
      this.rooms.get(id)?.timeline.piece(number, text);
      this.#tell("room", { id });
    },

    typing: ({ room: id, user, active }) => {
      const room = this.rooms.get(id);
      if (!room || user.id === this.me.id) return;
      if (active) {
        const until = Date.now() + TYPING_SHOWN_MS;
        room.typing.set(user.id, { user, until });
        setTimeout(() => {
          if (room.typing.get(user.id)?.until !== until) return;
          room.typing.delete(user.id);
          this.#tell("room", { id });
        }, TYPING_SHOWN_MS);
      } else {
        room.typing.delete(user.id);
      }
      this.#tell("room", { id });
    },

    presence: ({ room: id, count, online, came = [], left = [] }) => {
      const room = this.rooms.get(id);
      if (!room) return;
      room.count = count;
      if (online) room.online = byId(online);
      for (const user of came) room.online.set(user.id, user);
      for (const user of left) {
        room.online.delete(user.id);
        room.typing.delete(user.id);
      }
      this.#tell("room", { id });
    },

    room: ({ event, room: about }) => {
      if (event === "removed" || event === "deleted") {
        const room = this.rooms.get(about.id);
        if (!room) return this.#tell("invitations", {});
        this.forget(about.id);
        this.#tell("gone", { room, reason: event });
      } else if (event === "invited") {
        this.#tell("invitations", { room: about });
      } else if (event === "added" || this.rooms.has(about.id)) {
        // What is left out is not there: nobody answers any more.
        this.know({ assistant: null, ...about });
        this.#tell("invitations", {});
        this.#tell("room", { id: about.id });
      }
    },

    error: ({ in_reply_to: id, problem, retry_after: wait, room }) => {
      // The gateway does not read refs; what it was too much for can only be what is under way.
      const isOfGateway = id === undefined && problem.status === 429;
      const entry = isOfGateway ? this.outbox.underWay : id === undefined ? null : this.outbox.find(id);
      if (isOfGateway && !entry) return;
      if (STORED_ALL_THE_SAME.includes(problem.code)) return this.#tell("problem", { entry: null, problem, room });
      const place = this.rooms.get(room);
      if (problem.code === "not_found" && place && !place.joined) {
        // It went, or we did, while we were away.
        this.forget(room);
        return this.#tell("gone", { room: place, reason: "removed" });
      }
      if (!entry) {
        if (!this.#asked.has(id)) this.#tell("problem", { entry: null, problem, room });
        return;
      }
      if (problem.status === 429 || problem.status === 503) {
        setTimeout(() => {
          this.outbox.later(entry.id);
          this.#flush();
        }, (wait ?? 2) * 1000);
      } else if (problem.code === "not_joined" && this.rooms.has(entry.room)) {
        const known = this.rooms.get(entry.room);
        known.joined = false;
        this.outbox.later(id);
        this.#join(known);
      } else {
        this.#failed(entry, problem);
      }
      this.#flush();
    },
  };

  #changed(message) {
    const room = this.rooms.get(message.room);
    // Of what we do not hold, history will tell it as it is then.
    if (!room || room.timeline.get(message.number) === null) return;
    room.timeline.put(message);
    this.#tell("room", { id: room.id });
  }

  #failed(entry, problem) {
    this.outbox.failed(entry.id, problem);
    this.#tell("problem", { entry, problem, room: entry.room });
    this.#tell("room", { id: entry.room });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// The connection went before there was an answer.
export class Lost extends Error {}

// The server's answer was an error.
export class Refused extends Error {
  constructor(problem, retryAfter) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

function newRoom(id) {
  return {
    id, kind: "room", name: "", visibility: "private", assistant: null, role: "member",
    last: null,  // the highest number of its messages
    read: null,  // the highest that was on the screen
    joined: false,  // by this socket
    joining: false,
    since: null,  // the server's time when we last heard of it
    open: false,  // on the screen
    stale: false,  // what we held had a gap and was dropped
    count: 0, online: new Map(), typing: new Map(), timeline: new Timeline(),
  };
}

function byId(users) {
  return new Map((users ?? []).map((user) => [user.id, user]));
}
