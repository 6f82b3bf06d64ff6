// Who is logged in. The access token is in memory only, the refresh token in a cookie that no script
// can read; a call that uses or sets that cookie carries a CSRF token that only we can have read.
//
// Events: "token" {token}: a newer one; "ended": nobody is logged in any more.

import { ApiError, send } from "./api.js";

const HINT = "framewall.session";  // a refresh may be worth a try; says nothing else
const EARLY_MS = 60000;

export class Session extends EventTarget {
  #token = "";
  #expires = 0;  // by performance.now()
  #timer = null;
  #refreshing = null;

  me = null;
  mustChangePassword = false;

  get isIn() {
    return this.#token !== "";
  }

  // Goes on with a session of before; false where there is none. Throws where nobody can know.
  async resume() {
    if (!localStorage.getItem(HINT)) return false;
    return this.#refresh();
  }

  async logIn(name, password) {
    this.#take(await cookieCall("login", { name, password, cookie: true }));
  }

  async register(name, password) {
    await send("POST", "register", { name, password });
    await this.logIn(name, password);
  }

  // Other sessions of this account end, sockets too; this one is replaced by a new one.
  async changePassword(before, after) {
    const body = { current_password: before, new_password: after, cookie: true };
    await this.token();
    this.#take(await cookieCall("password", body, this.#bearer()));
  }

  async logOut(everywhere = false) {
    await this.token();
    await send("POST", everywhere ? "logout-everywhere" : "logout", undefined, this.#bearer());
    this.#forget();
  }

  // It is over: told by the socket, or by a refresh that was refused.
  ended() {
    if (!this.isIn) return;
    this.#forget();
    this.dispatchEvent(new Event("ended"));
  }

  async token() {
    if (this.isIn && performance.now() > this.#expires - 5000) await this.expired();
    return this.#token;
  }

  // The token was refused, or is about to be: is there a newer one?
  async expired() {
    if (!this.isIn) return false;
    if (await this.#refresh()) return true;
    this.ended();
    return false;
  }

  // One at a time, in all tabs: a refresh token is good for one use, and used twice it ends the
  // session.
  #refresh() {
    this.#refreshing ??= withLock(() => this.#refreshNow()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshNow() {
    try {
      this.#take(await cookieCall("refresh"));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || ![401, 403].includes(error.status)) throw error;
      localStorage.removeItem(HINT);
      return false;
    }
  }

  #take(answer) {
    this.#token = answer.access_token;
    this.me = answer.user;
    this.mustChangePassword = answer.user.must_change_password === true;
    const lifetime = answer.expires_in * 1000;
    this.#expires = performance.now() + lifetime;
    localStorage.setItem(HINT, "1");
    clearTimeout(this.#timer);
    const early = Math.max(lifetime / 2, lifetime - EARLY_MS);
    this.#timer = setTimeout(() => this.expired().catch(() => this.#later()), early);
    this.dispatchEvent(new CustomEvent("token", { detail: { token: this.#token } }));
  }

  // The network was away when the token was due.
  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.expired().catch(() => this.#later()), 5000);
  }

  #forget() {
    this.#token = "";
    this.me = null;
    clearTimeout(this.#timer);
    localStorage.removeItem(HINT);
  }

  #bearer() {
    return { Authorization: "Bearer " + this.#token };
  }
}

// The CSRF token is asked for each time: its cookie may have ended, or be another tab's.
async function cookieCall(path, body, headers = {}) {
  const { csrf_token: token } = await send("GET", "csrf");
  return send("POST", path, body, { ...headers, "X-CSRF-Token": token });
}

function withLock(work) {
  return navigator.locks ? navigator.locks.request("framewall.refresh", work) : work();
}
