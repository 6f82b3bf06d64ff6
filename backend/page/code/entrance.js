// Logging in, registering, and choosing a password of one's own.

import { $ } from "./dom.js";
import { explain } from "./errors.js";
import { onLanguage, say } from "./language.js";

const MODES = {
  logIn: { title: "logInTitle", submit: "logIn", other: "toRegister", name: true, password: "password", fresh: false },
  register: { title: "registerTitle", submit: "register", other: "toLogIn", name: true, password: "password", fresh: false },
  mustChange: { title: "mustChangeTitle", submit: "changePassword", hint: "mustChangeHint", name: false, password: "currentPassword", fresh: true },
};

const FIELDS = ["entrance-name", "entrance-password", "entrance-fresh"];

export class Entrance {
  #session;
  #done;
  #mode = "logIn";
  #mayRegister = false;
  #passwordMin = 0;
  #hint = "";
  #error = null;
  #bad = [];  // fields that the error is about

  // `done()`: somebody is in, with a password of their own.
  constructor(session, done) {
    this.#session = session;
    this.#done = done;
    $("entrance-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("entrance-other").addEventListener("click", () => {
      this.#show(this.#mode === "logIn" ? "register" : "logIn");
    });
    onLanguage(() => this.#draw());
  }

  // `hint`: the key of a sentence that says why one is here again; `message`: what the site has to
  // say to all.
  open({ mayRegister, passwordMin, hint = "", message = "" }) {
    this.#mayRegister = mayRegister;
    this.#passwordMin = passwordMin;
    $("entrance-message").textContent = message;
    $("entrance-message").hidden = message === "";
    this.#hint = hint;
    $("entrance").hidden = false;
    this.#show(this.#session.isIn && this.#session.mustChangePassword ? "mustChange" : "logIn");
  }

  close() {
    $("entrance").hidden = true;
    $("entrance-form").reset();
  }

  #show(mode) {
    this.#mode = mode;
    this.#error = null;
    this.#bad = [];
    this.#draw();
    const first = mode === "mustChange" ? $("entrance-password") : $("entrance-name");
    if (first.value === "" || mode !== "mustChange") first.focus();
    else $("entrance-fresh").focus();
  }

  #draw() {
    const mode = MODES[this.#mode];
    const isRegistering = this.#mode === "register";
    $("entrance-title").textContent = say(mode.title);
    $("entrance-submit").textContent = say(mode.submit);
    $("entrance-name-field").hidden = !mode.name;
    $("entrance-fresh-field").hidden = !mode.fresh;
    $("entrance-password-label").textContent = say(mode.password);
    $("entrance-password").autocomplete = isRegistering ? "new-password" : "current-password";
    $("entrance-rule").hidden = !mode.fresh && !isRegistering;
    $("entrance-rule").textContent = say("passwordRule", { n: this.#passwordMin });
    $("entrance-other").hidden = !mode.other || !this.#mayRegister;
    $("entrance-other").textContent = mode.other ? say(mode.other) : "";
    const hint = mode.hint ?? (isRegistering ? "nameRule" : this.#hint);
    $("entrance-hint").hidden = !hint;
    $("entrance-hint").textContent = hint ? say(hint) : "";
    $("entrance-error").hidden = this.#error === null;
    $("entrance-error").textContent = this.#error === null ? "" : this.#error();
    for (const id of FIELDS) $(id).setAttribute("aria-invalid", String(this.#bad.includes(id)));
  }

  async #submit() {
    const name = $("entrance-name").value.trim();
    const password = $("entrance-password").value;
    const empty = [...$("entrance-form").querySelectorAll("input")].find((one) => one.offsetParent && one.value === "");
    if (empty) return empty.focus();
    $("entrance-submit").disabled = true;
    this.#error = null;
    this.#bad = [];
    try {
      if (this.#mode === "logIn") await this.#session.logIn(name, password);
      else if (this.#mode === "register") await this.#session.register(name, password);
      else await this.#session.changePassword(password, $("entrance-fresh").value);
      if (this.#session.mustChangePassword) this.#show("mustChange");
      else this.#done();
    } catch (error) {
      this.#error = () => explain(error);
      this.#bad = this.#badFields(error);
      this.#draw();
      const first = this.#bad.at(this.#mode === "logIn" ? -1 : 0);
      if (first) $(first).select();
    } finally {
      $("entrance-submit").disabled = false;
    }
  }

  // Which fields have to be written anew; none where it is nobody's fault here.
  #badFields({ code, problem }) {
    if (code === "wrong_credentials") return ["entrance-name", "entrance-password"];
    if (code === "wrong_password") return ["entrance-password"];
    if (code === "name_taken") return ["entrance-name"];
    const fields = { "/name": "entrance-name", "/password": "entrance-password", "/current_password": "entrance-password", "/new_password": "entrance-fresh" };
    const named = (problem?.errors ?? []).map(({ pointer }) => fields[pointer]);
    return FIELDS.filter((id) => named.includes(id));
  }
}
