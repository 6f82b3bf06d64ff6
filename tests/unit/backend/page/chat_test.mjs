// The chat against a socket that the test holds in its hands.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Chat } from "../../../../backend/page/code/chat.js";

globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail }) {
    super(type);
    this.detail = detail;
  }
};

// Timers of the chat do not keep the test.
const { setTimeout: realTimeout } = globalThis;
globalThis.setTimeout = (...all) => realTimeout(...all).unref();

const ME = { id: "u1", name: "ann", display_name: "Ann" };
const BOB = { id: "u2", name: "bob", display_name: "Bob" };

class FakeSocket {
  state = "off";
  sent = [];

  constructor(owner) {
    this.owner = owner;
  }

  start() {
    this.sent = [];
    this.state = "opening";
    this.owner.opened();
  }

  stop() {
    this.state = "off";
  }

  welcomed() {
    this.state = "open";
  }

  send(message) {
    this.sent.push(message);
    return true;
  }

  get(type) {
    return this.sent.filter((message) => message.type === type);
  }

  lose(what = "lost") {
    this.state = "waiting";
    this.owner.lost(what);
  }
}

function connected({ kind = "room", last = 0, write = null } = {}) {
  const marks = new Map();
  let socket;
  const chat = new Chat({
    me: ME,
    marks: { get: (room) => marks.get(room) ?? null, set: (room, number) => marks.set(room, number) },
    makeSocket: (owner) => (socket = new FakeSocket(owner)),
    ticket: async () => "t",
    write,
  });
  const heard = [];
  for (const type of ["refused", "problem", "said", "gone"]) {
    chat.addEventListener(type, ({ detail }) => heard.push({ type, ...detail }));
  }
  const room = chat.know({ id: "r1", kind, name: "Kitchen", assistant: null });
  chat.start();
  welcome(socket, last);
  return { chat, socket, room, heard, receive: (message) => socket.owner.received(message) };
}

function welcome(socket, last, from = last + 1) {
  socket.owner.received({ type: "welcome", v: 1, user: ME, time: "2026-11-21T20:00:00.000Z", limits: {} });
  socket.owner.received({ type: "joined", room: "r1", kind: "room", name: "Kitchen", role: "member", last, from, online: [ME], count: 1, answers: [], time: "2026-11-21T20:00:00.000Z" });
}

function message(number, author, text, client) {
  return { type: "message", id: "m" + number, room: "r1", number, role: "user", author, text, state: "whole", created: "2026-11-21T20:00:01.000Z", client_id: client };
}

function shown(chat, room) {
  return [...room.timeline.messages.map((one) => one.text), ...chat.outbox.of("r1").map((one) => `${one.text} (${one.state})`)];
}

test("a message is shown as pending, and once when acknowledged and sent to all", () => {
  const { chat, socket, room, receive } = connected();
  const entry = chat.say(room, "hello");
  assert.deepEqual(shown(chat, room), ["hello (sent)"]);
  assert.equal(socket.get("message")[0].client_id, entry.id);
  receive({ type: "ack", room: "r1", client_id: entry.id, number: 1, id: "m1", created: "2026-11-21T20:00:01.000Z", repeated: false });
  assert.deepEqual(shown(chat, room), ["hello"]);
  receive(message(1, ME, "hello", entry.id));
  assert.deepEqual(shown(chat, room), ["hello"]);
});

test("the message may come before its acknowledgement", () => {
  const { chat, room, receive } = connected();
  const entry = chat.say(room, "hello");
  receive(message(1, ME, "hello", entry.id));
  receive({ type: "ack", room: "r1", client_id: entry.id, number: 1, id: "m1", created: "", repeated: false });
  assert.deepEqual(shown(chat, room), ["hello"]);
});

test("without an acknowledgement it is sent again after coming back, with the same id and after the last number", () => {
  const { chat, socket, room, receive } = connected({ last: 4 });
  receive(message(5, BOB, "hi"));
  const entry = chat.say(room, "hello");
  socket.lose();
  assert.deepEqual(shown(chat, room), ["hi", "hello (waiting)"]);
  socket.start();
  assert.deepEqual(socket.get("hello")[0].rooms, [{ room: "r1", after: 5, since: "2026-11-21T20:00:00.000Z" }]);
  assert.deepEqual(socket.get("message"), []);
  welcome(socket, 7, 6);
  assert.equal(socket.get("message")[0].client_id, entry.id);
  receive(message(6, BOB, "missed"));
  receive(message(7, ME, "hello", entry.id));
  receive({ type: "ack", room: "r1", client_id: entry.id, number: 7, id: "m7", created: "", repeated: true });
  assert.deepEqual(shown(chat, room), ["hi", "missed", "hello"]);
});

test("a refused message is told, kept and not sent again; others are", () => {
  const { chat, socket, room, heard } = connected();
  chat.say(room, "attack");
  chat.say(room, "harmless");
  assert.equal(socket.get("message").length, 1);
  socket.lose("refused");
  assert.deepEqual(heard.map((one) => [one.type, one.entry.text]), [["refused", "attack"]]);
  socket.start();
  welcome(socket, 0);
  assert.deepEqual(socket.get("message").map((one) => one.text), ["harmless"]);
  assert.deepEqual(shown(chat, room), ["attack (refused)", "harmless (sent)"]);
});

test("a text that is too large is kept, with the reason", () => {
  const { chat, socket, room, heard } = connected();
  chat.say(room, "large");
  socket.lose("large");
  assert.equal(heard[0].problem.code, "too_large");
  assert.deepEqual(shown(chat, room), ["large (failed)"]);
});

test("an error of the server keeps the text; the next one goes on its way", () => {
  const { chat, socket, room, receive, heard } = connected();
  const entry = chat.say(room, "no");
  chat.say(room, "yes");
  receive({ type: "error", in_reply_to: entry.id, room: "r1", problem: { status: 422, code: "validation", detail: "no" } });
  assert.deepEqual(heard.map((one) => one.entry.text), ["no"]);
  assert.deepEqual(socket.get("message").map((one) => one.text), ["no", "yes"]);
});

test("an answer that does not come because there are too many leaves the message alone", () => {
  const { chat, room, receive, heard } = connected();
  const entry = chat.say(room, "ask");
  receive({ type: "ack", room: "r1", client_id: entry.id, number: 1, id: "m1", created: "", repeated: false });
  receive({ type: "error", in_reply_to: entry.id, room: "r1", problem: { status: 429, code: "too_many_answers" } });
  assert.deepEqual(shown(chat, room), ["ask"]);
  assert.equal(heard[0].entry, null);
});

test("others' messages are unread until they were on the screen; one's own never are", () => {
  const { chat, room, receive } = connected({ last: 10 });
  assert.equal(chat.unread(room), 0);
  receive(message(11, BOB, "a"));
  receive(message(12, BOB, "b"));
  assert.equal(chat.unread(room), 2);
  chat.read(room, 12);
  assert.equal(chat.unread(room), 0);
  receive(message(13, ME, "c"));
  assert.equal(chat.unread(room), 0);
});

test("somebody who writes is shown until the message or the end of it", () => {
  const { room, receive } = connected();
  receive({ type: "typing", room: "r1", user: BOB, active: true });
  assert.equal(room.typing.size, 1);
  receive(message(1, BOB, "there"));
  assert.equal(room.typing.size, 0);
  receive({ type: "typing", room: "r1", user: ME, active: true });
  assert.equal(room.typing.size, 0);
});

test("a message that was too much for the gateway is sent again, though it names none", async () => {
  const { chat, socket, room, receive, heard } = connected();
  const entry = chat.say(room, "hello");
  receive({ type: "error", problem: { status: 429, code: "rate" }, retry_after: 0.01 });
  await new Promise((resolve) => realTimeout(resolve, 50));
  assert.deepEqual(socket.get("message").map((one) => one.client_id), [entry.id, entry.id]);
  assert.deepEqual(heard, []);
});

test("of more rooms than a socket may join, those that are looked at are joined", () => {
  const { chat, socket, receive } = connected();
  receive({ type: "welcome", v: 1, user: ME, limits: { rooms: 2 } });
  chat.know({ id: "r2", kind: "room", name: "two" });
  assert.deepEqual(socket.get("join").map((one) => one.room), ["r2"]);
  receive({ type: "joined", room: "r2", kind: "room", name: "two", role: "member", last: 0, from: 1, online: [], count: 1, answers: [] });
  const third = chat.know({ id: "r3", kind: "room", name: "three" });
  assert.deepEqual(socket.get("join").map((one) => one.room), ["r2"]);
  chat.look(third);
  assert.deepEqual(socket.get("leave").map((one) => one.room), ["r1"]);
  assert.deepEqual(socket.get("join").map((one) => one.room), ["r2", "r3"]);
});

test("presence follows who came and left", () => {
  const { room, receive } = connected();
  receive({ type: "presence", room: "r1", count: 2, came: [BOB], left: [] });
  assert.deepEqual([...room.online.keys()], ["u1", "u2"]);
  receive({ type: "presence", room: "r1", count: 1, came: [], left: [BOB] });
  assert.deepEqual([...room.online.keys()], ["u1"]);
  assert.equal(room.count, 1);
});

test("history is asked for before what is held", async () => {
  const { chat, socket, room, receive } = connected({ last: 60 });
  const first = chat.older(room);
  const [{ ref, before, limit }] = socket.get("history");
  assert.deepEqual([before, limit], [undefined, 50]);
  receive({ type: "history", in_reply_to: ref, room: "r1", messages: [message(59, BOB, "a"), message(60, BOB, "b")], more: true });
  assert.equal(await first, true);
  chat.older(room);
  assert.equal(socket.get("history")[1].before, 59);
});

test("what was asked for fails with the connection", async () => {
  const { chat, socket, room } = connected({ last: 60 });
  const page = chat.older(room);
  socket.lose();
  await assert.rejects(page);
});

test("what happened in a room is told from when it was last heard, not from when another was", () => {
  const { chat, socket, receive } = connected({ last: 3 });
  receive({ type: "welcome", v: 1, user: ME, limits: { rooms: 1 }, time: "2026-11-21T20:01:00.000Z" });
  const other = chat.know({ id: "r2", kind: "room", name: "two" });
  chat.look(other);
  receive({ type: "joined", room: "r2", kind: "room", name: "two", role: "member", last: 0, from: 1, online: [], count: 1, answers: [], time: "2026-11-21T20:05:00.000Z" });
  chat.look(chat.rooms.get("r1"));
  const { room, after, since } = socket.get("join").at(-1);
  assert.deepEqual([room, after, since], ["r1", 3, "2026-11-21T20:01:00.000Z"]);
});

test("a room that is asked for twice is joined once", () => {
  const { chat, socket } = connected();
  chat.know({ id: "r2", kind: "room", name: "two" });
  chat.know({ id: "r2", kind: "room", name: "two" });
  assert.equal(socket.get("join").length, 1);
});

test("a room that went while we were away is gone", () => {
  const { chat, socket, heard, receive } = connected();
  socket.lose();
  socket.start();
  receive({ type: "welcome", v: 1, user: ME, limits: {} });
  receive({ type: "error", room: "r1", problem: { status: 404, code: "not_found" } });
  assert.equal(chat.rooms.size, 0);
  assert.deepEqual(heard.map((one) => one.type), ["gone"]);
});

test("a socket that is refused while a request is under way says nothing of that request", () => {
  const { chat, socket, room, heard } = connected({ kind: "conversation", write: () => new Promise(() => {}) });
  room.kind = "conversation";
  chat.say(room, "a prompt");
  socket.lose("refused");
  assert.deepEqual(shown(chat, room), ["a prompt (waiting)"]);
  assert.deepEqual(heard.map((one) => one.problem.code), ["refused_answer"]);
});

test("a room that was taken away is gone", () => {
  const { chat, receive, heard } = connected();
  receive({ type: "left", room: "r1", reason: "removed" });
  assert.equal(chat.rooms.size, 0);
  assert.equal(heard[0].type, "gone");
});

test("a conversation's texts go by request, not by socket", async () => {
  const asked = [];
  const write = async (entry) => {
    asked.push(entry.text);
    return message(1, ME, entry.text, entry.id);
  };
  const { chat, socket, room, receive } = connected({ kind: "conversation", write });
  room.kind = "conversation";
  receive({ type: "joined", room: "r1", kind: "conversation", name: "", role: "owner", last: 0, from: 1, online: [], count: 1, answers: [] });
  chat.say(room, "<script>");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, ["<script>"]);
  assert.deepEqual(socket.get("message"), []);
  assert.deepEqual(shown(chat, room), ["<script>"]);
});

test("what the list of rooms is told to leave out is gone", () => {
  const { chat, receive } = connected();
  const about = { id: "r1", kind: "room", name: "Kitchen", visibility: "public" };
  receive({ type: "room", event: "changed", room: { ...about, assistant: "echo" } });
  assert.equal(chat.rooms.get("r1").assistant, "echo");
  receive({ type: "room", event: "changed", room: { ...about, name: "Garden" } });
  assert.equal(chat.rooms.get("r1").assistant, null);
  assert.equal(chat.rooms.get("r1").name, "Garden");
  // Of rooms that are not ours nothing is learned.
  receive({ type: "room", event: "changed", room: { ...about, id: "r9" } });
  assert.equal(chat.rooms.has("r9"), false);
});
