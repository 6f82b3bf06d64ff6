// websocket_client.js URI CHECK: a client made of npm's ws, as Debian packs it. Exits 0 where all held.
//
// The upstream behind URI is websocket_server.js.
"use strict";
const assert = require("assert");
const crypto = require("crypto");
const WebSocket = require("ws");

const [uri, name] = process.argv.slice(2);

// A socket whose events are promises.
class Client {
  constructor(path = "/", protocols = [], options = {}) {
    this.queue = [];
    this.waiting = [];
    this.socket = new WebSocket(uri + path, protocols, { maxPayload: 32 << 20, ...options });
    this.socket.on("upgrade", (answer) => {
      this.extensions = answer.headers["sec-websocket-extensions"];
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.on("open", resolve);
      this.socket.on("error", reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) =>
      this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
    this.socket.on("message", (data, binary) => {
      const message = binary ? data : data.toString();
      const next = this.waiting.shift();
      if (next) next(message);
      else this.queue.push(message);
    });
  }
  read() {
    if (this.queue.length > 0) return Promise.resolve(this.queue.shift());
    return new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      this.closed.then((end) => reject(new Error(`closed with ${JSON.stringify(end)}`)));
    });
  }
  async ask(message, options = {}) {
    this.socket.send(message, options);
    return this.read();
  }
}

async function open(...parameters) {
  const client = new Client(...parameters);
  await client.opened;
  return client;
}

const repeating = Array.from({ length: 3000 }, (_, i) => `line ${i * 7919 % 3001}: привет, мир ${i % 7}\n`).join("");

const checks = {
  async text_and_binary() {
    const client = await open();
    for (const message of ["hello", "", "привет, мир 👋", "\0", "a".repeat(125), "a".repeat(126),
      "a".repeat(65535), "a".repeat(65536), repeating]) {
      assert.strictEqual(await client.ask(message), message);
    }
    for (const size of [0, 1, 125, 126, 65535, 65536, 300000]) {
      const octets = crypto.randomBytes(size);
      assert.ok(octets.equals(await client.ask(octets)), `${size} octets`);
    }
    client.socket.close(1000);
    assert.deepStrictEqual(await client.closed, { code: 1000, reason: "" });
  },

  async deflate() {
    const client = await open();
    assert.match(client.extensions, /^permessage-deflate/);
    assert.match(client.extensions, /client_no_context_takeover/);
    for (let i = 0; i < 10; ++i) {
      assert.strictEqual(await client.ask(repeating.slice(i * 100)), repeating.slice(i * 100));
    }
    client.socket.close();
    await client.closed;
  },

  async deflate_with_context_takeover() {
    const client = await open("/takeover", [], {
      perMessageDeflate: { clientNoContextTakeover: false, serverNoContextTakeover: false,
        threshold: 0 } });
    assert.match(client.extensions, /^permessage-deflate/);
    assert.doesNotMatch(client.extensions, /no_context_takeover/);
    for (let i = 0; i < 10; ++i) {
      assert.strictEqual(await client.ask(repeating.slice(i * 100)), repeating.slice(i * 100));
    }
    client.socket.close();
    await client.closed;
  },

  async fragments_and_pings() {
    const client = await open();
    const ponged = new Promise((resolve) => client.socket.on("pong", resolve));
    client.socket.send("one ", { fin: false });
    client.socket.ping("between");
    client.socket.send("two ", { fin: false });
    client.socket.send("три", { fin: true });
    assert.strictEqual((await ponged).toString(), "between");
    assert.strictEqual(await client.read(), "one two три");
    client.socket.close();
    await client.closed;
  },

  async closes() {
    for (const [code, reason] of [[1000, ""], [1001, "going"], [4001, "до свидания"],
      [4999, "x".repeat(123)]]) {
      const client = await open();
      client.socket.close(code, reason);
      assert.deepStrictEqual(await client.closed, { code, reason });
      const other = await open();
      other.socket.send(`close ${code} ${reason}`);
      assert.deepStrictEqual(await other.closed, { code, reason });
    }
  },

  async subprotocols() {
    const client = await open("/", ["chat.v9", "chat.v2"]);
    assert.strictEqual(client.socket.protocol, "chat.v2");
    client.socket.close();
    await client.closed;
  },

  async sixteen_mebibytes() {
    const client = await open("/large");
    const octets = crypto.randomBytes(16 << 20);
    assert.ok(octets.equals(await client.ask(octets, { compress: false })));
    client.socket.close();
    await client.closed;
    const over = await open("/large");
    over.socket.on("error", () => {});  // EPIPE while it still sends
    over.socket.send(crypto.randomBytes((16 << 20) + 1), { compress: false });
    assert.strictEqual((await over.closed).code, 1009);
  },

  async attack() {
    const client = await open("/inspected");
    assert.strictEqual(await client.ask("what would an arrow do?"), "what would an arrow do?");
    client.socket.send("a".repeat(2000) + "attack");
    assert.strictEqual((await client.closed).code, 1008);
    const pieces = await open("/inspected");
    pieces.socket.send("att", { fin: false });
    pieces.socket.send("ack", { fin: true });
    assert.strictEqual((await pieces.closed).code, 1008);
  },
};

const timer = setTimeout(() => {
  console.error("no end after 60 s");
  process.exit(1);
}, 60000);
checks[name]().then(() => clearTimeout(timer), (error) => {
  console.error(error);
  process.exit(1);
});
