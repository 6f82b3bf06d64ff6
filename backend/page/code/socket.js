// The chat's socket: opened with a ticket, kept alive, opened again when it is lost.
//
//   off ── start() ──► opening ── welcome ──► open
//    ▲                    ▲                     │
//    └── stop() ──        └──── waiting ◄───────┘ lost
//
// It knows heartbeats and waiting; what is said is the owner's.

import { backoffMs } from "./backoff.js";
import { whatClosed } from "./close_codes.js";

const SILENCE_MS = 25000;
const PONG_MS = 10000;
const WELCOME_MS = 15000;
const QUICK_AGAIN_MS = 3000;
const STEADY_MS = 10000;

export class ChatSocket {
  #owner;
  #socket = null;
  #state = "off";
  #attempt = 0;
  #timer = null;
  #quickAt = -Infinity;
  #openSince = Infinity;
  #round = 0;  // what belongs to an earlier round is of no interest any more

  // owner: ticket(): a Promise of one; opened(); received(message); lost(what, code);
  // changed(state); ended(what): it does not come back by itself.
  constructor(owner) {
    this.#owner = owner;
  }

  get state() {
    return this.#state;
  }

  start() {
    if (this.#state === "opening" || this.#state === "open") return;
    this.#open();
  }

  stop() {
    this.#drop();
    this.#become("off");
  }

  // The network is back, or somebody looks at the page again: no need to wait any longer.
  hurry() {
    if (this.#state === "waiting") this.#open();
  }

  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  // The server took our hello. Only what lasts then starts with the shortest waiting again: a
  // connection that is closed each time at its beginning comes back more and more slowly.
  welcomed() {
    this.#openSince = Date.now();
    this.#become("open");
    this.#heard();
  }

  async #open() {
    this.#drop();
    const round = this.#round;
    this.#become("opening");
    let ticket;
    try {
      ticket = await this.#owner.ticket();
    } catch (error) {
      if (round !== this.#round) return;
      if (error.needsLogin) return this.#end("session");
      return this.#wait(error.retryAfter);
    }
    if (round !== this.#round) return;
    const address = new URL("/ws/chat", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("ticket", ticket);
    const socket = new WebSocket(address, "framewall.chat");
    this.#socket = socket;
    this.#after(WELCOME_MS, () => socket.close());
    socket.onopen = () => this.#owner.opened();
    socket.onmessage = (event) => {
      if (round !== this.#round) return;
      if (this.#state === "open") this.#heard();
      this.#owner.received(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (round === this.#round) this.#lost(event.code);
    };
  }

  #lost(code) {
    const what = whatClosed(code);
    const now = Date.now();
    if (now - this.#openSince >= STEADY_MS) this.#attempt = 0;
    this.#openSince = Infinity;
    this.#drop();
    this.#owner.lost(what, code);
    if (what === "session" || what === "fault") return this.#end(what);
    if (what === "slow") this.#attempt = Math.max(this.#attempt, 3);
    // A text was refused, not we: at once, but not over and over.
    if (["refused", "large", "token"].includes(what) && now - this.#quickAt > QUICK_AGAIN_MS) {
      this.#quickAt = now;
      return this.#open();
    }
    this.#wait();
  }

  #wait(seconds = 0) {
    this.#become("waiting");
    this.#after(Math.max(backoffMs(this.#attempt++), seconds * 1000), () => this.#open());
  }

  #end(what) {
    this.#drop();
    this.#become("off");
    this.#owner.ended(what);
  }

  #heard() {
    this.#after(SILENCE_MS, () => {
      this.send({ type: "ping" });
      const socket = this.#socket;
      // A socket whose other end is gone would take minutes to close.
      this.#after(PONG_MS, () => {
        socket?.close();
        this.#lost(1006);
      });
    });
  }

  #drop() {
    ++this.#round;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close();
  }

  #after(ms, what) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(what, ms);
  }

  #become(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#owner.changed(state);
  }
}
