// Coming back, with a clock that the test moves on and sockets that it holds in its hands.
import assert from "node:assert/strict";
import { test } from "node:test";

let now = 0;
let timers = [];
globalThis.setTimeout = (what, ms) => {
  const timer = { at: now + ms, what };
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  timers = timers.filter((one) => one !== timer);
};
Date.now = () => now;
Math.random = () => 0;
globalThis.location = { href: "https://host.example/", protocol: "https:" };

class FakeWebSocket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];

  constructor(address, protocol) {
    Object.assign(this, { address: String(address), protocol });
    FakeWebSocket.all.push(this);
  }

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  close() {
    this.readyState = 3;
  }

  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}
globalThis.WebSocket = FakeWebSocket;

const { ChatSocket } = await import("../../../../backend/page/code/socket.js");

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

// To the next timer; how long that was.
async function next() {
  timers.sort((a, b) => a.at - b.at);
  const timer = timers.shift();
  const waited = timer.at - now;
  now = timer.at;
  timer.what();
  await turn();
  return waited;
}

class Owner {
  states = [];
  received = [];
  losses = [];
  ends = [];
  tickets = 0;
  failure = null;

  constructor() {
    timers = [];
    FakeWebSocket.all = [];
    this.socket = new ChatSocket({
      ticket: async () => {
        ++this.tickets;
        if (this.failure) throw this.failure;
        return "ticket " + this.tickets;
      },
      opened: () => this.socket.send({ type: "hello" }),
      received: (message) => {
        this.received.push(message);
        if (message.type === "welcome") this.socket.welcomed();
      },
      lost: (what) => this.losses.push(what),
      changed: (state) => this.states.push(state),
      ended: (what) => this.ends.push(what),
    });
  }

  get last() {
    return FakeWebSocket.all.at(-1);
  }

  async open() {
    this.socket.start();
    await turn();
    this.welcome();
    return this;
  }

  welcome() {
    this.last.accept();
    this.last.say({ type: "welcome" });
  }
}

test("each try has a ticket of its own, over TLS where the page is", async () => {
  const owner = await new Owner().open();
  assert.equal(owner.last.address, "wss://host.example/ws/chat?ticket=ticket+1");
  assert.deepEqual(owner.last.sent, [{ type: "hello" }]);
  assert.deepEqual(owner.states, ["opening", "open"]);
  owner.last.end(1006);
  assert.equal(await next(), 1000);
  assert.equal(owner.last.address, "wss://host.example/ws/chat?ticket=ticket+2");
});

test("it waits longer each time, and from the beginning once a connection has lasted", async () => {
  const owner = await new Owner().open();
  for (const expected of [1000, 2000, 4000, 8000, 16000, 30000, 30000]) {
    owner.last.end(1006);
    assert.equal(await next(), expected);
  }
  owner.welcome();
  owner.last.end(1006);
  assert.equal(await next(), 30000);
  owner.welcome();
  now += 10000;
  owner.last.end(1006);
  assert.equal(await next(), 1000);
});

test("after a refused text it is back at once, but not over and over", async () => {
  const owner = await new Owner().open();
  owner.last.end(1008);
  await turn();
  assert.equal(FakeWebSocket.all.length, 2);
  owner.welcome();
  owner.last.end(1008);
  await turn();
  assert.equal(FakeWebSocket.all.length, 2);
  assert.equal(await next(), 1000);
  assert.deepEqual(owner.losses, ["refused", "refused"]);
});

test("where the session is over, or nothing is understood, it stays closed", async () => {
  for (const [code, what] of [[4403, "session"], [4400, "fault"]]) {
    const owner = await new Owner().open();
    owner.last.end(code);
    assert.deepEqual(owner.ends, [what]);
    assert.equal(owner.socket.state, "off");
    assert.deepEqual(timers, []);
  }
});

test("without a ticket it waits, or ends where nobody is logged in", async () => {
  const owner = new Owner();
  owner.failure = { retryAfter: 40 };
  owner.socket.start();
  await turn();
  assert.equal(await next(), 40000);
  owner.failure = { needsLogin: true };
  await next();
  assert.deepEqual(owner.ends, ["session"]);
});

test("silence is asked about, and given up on", async () => {
  const owner = await new Owner().open();
  const { last } = owner;
  assert.equal(await next(), 25000);
  assert.deepEqual(last.sent.at(-1), { type: "ping" });
  last.say({ type: "pong" });
  assert.equal(await next(), 25000);
  assert.equal(await next(), 10000);
  assert.equal(owner.socket.state, "waiting");
  assert.equal(last.readyState, 3);
  // What the old one still says is nobody's.
  last.say({ type: "message" });
  assert.equal(owner.received.length, 2);
});

test("a socket that is never welcomed is closed", async () => {
  const owner = new Owner();
  owner.socket.start();
  await turn();
  owner.last.accept();
  assert.equal(await next(), 15000);
  assert.equal(owner.last.readyState, 3);
});

test("somebody who looks at the page does not have to wait", async () => {
  const owner = await new Owner().open();
  owner.last.end(1006);
  owner.socket.hurry();
  await turn();
  assert.equal(FakeWebSocket.all.length, 2);
  owner.socket.hurry();
  await turn();
  assert.equal(FakeWebSocket.all.length, 2);
});

test("once stopped it is stopped, whatever was under way", async () => {
  const owner = new Owner();
  owner.socket.start();
  owner.socket.stop();
  await turn();
  assert.equal(FakeWebSocket.all.length, 0);
  assert.equal(owner.socket.state, "off");
  assert.deepEqual(timers, []);
});
