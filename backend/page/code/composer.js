// Where one writes: sends, changes an earlier message, stops an answer.

import { $ } from "./dom.js";
import { onLanguage, say } from "./language.js";
import { announce } from "./notices.js";
import { placeName } from "./side.js";

const TYPING_EVERY_MS = 3000;

export class Composer {
  #chat;
  #room = null;
  #edited = null;  // the number of the message that is being changed
  #drafts = new Map();  // room → text
  #typedAt = 0;
  #sent;
  #resized;

  // `sent()`: something was said: whoever reads wants to see it. `resized()`: the field may be higher
  // or lower now.
  constructor(chat, { sent, resized }) {
    this.#chat = chat;
    this.#sent = sent;
    this.#resized = resized;
    const text = $("composer-text");
    // What the key does is what it says.
    text.enterKeyHint = isTouched() ? "enter" : "send";
    text.addEventListener("input", () => this.#input());
    text.addEventListener("keydown", (event) => this.#key(event));
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("composer-cancel").addEventListener("click", () => this.#endEdit());
    $("composer-stop").addEventListener("click", () => this.#stop());
    chat.addEventListener("room", (event) => event.detail.id === this.#room?.id && this.#drawStop());
    onLanguage(() => this.#draw());
  }

  open(room) {
    this.#leave();
    this.#room = room;
    this.#edited = null;
    if (!room) return;
    $("composer-text").value = this.#drafts.get(room.id) ?? "";
    this.#draw();
  }

  edit(message) {
    if (this.#edited === null) this.#drafts.set(this.#room.id, $("composer-text").value);
    this.#edited = message.number;
    $("composer-text").value = message.text;
    this.#draw();
    $("composer-text").focus();
  }

  // A text that was refused comes back to be changed; what stood here already stays below it.
  takeBack(entry) {
    if (entry.kind === "edit") return this.edit({ number: entry.number, text: entry.text });
    const text = $("composer-text");
    text.value = text.value.trim() === "" ? entry.text : entry.text + "\n\n" + text.value;
    this.#draw();
    text.focus();
  }

  focus() {
    // On a phone this would open the keyboard over the room.
    if (!isTouched()) $("composer-text").focus();
  }

  #submit() {
    const box = $("composer-text");
    const text = box.value.replace(/^\s*\n|\s+$/g, "");
    if (text.trim() === "" || this.#tooMany(text) > 0) return;
    this.#notTyping();
    if (this.#edited !== null) {
      const number = this.#edited;
      const same = this.#room.timeline.get(number)?.text === text;
      this.#endEdit();
      if (!same) this.#chat.edit(this.#room, number, text);
      return;
    }
    box.value = "";
    this.#drafts.delete(this.#room.id);
    this.#draw();
    this.#chat.say(this.#room, text);
    this.#sent();
  }

  #key(event) {
    if (event.isComposing) return;
    const box = $("composer-text");
    // Keyboards of phones have no Shift+Enter: there a button sends.
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouched()) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") {
      if (this.#edited !== null) this.#endEdit();
      else if (!$("composer-stop").hidden) this.#stop();
    } else if (event.key === "ArrowUp" && box.value === "") {
      const mine = this.#room.timeline.messages.findLast((one) => one.author?.id === this.#chat.me.id && !one.deleted);
      if (!mine) return;
      event.preventDefault();
      this.edit(mine);
    }
  }

  #input() {
    this.#draw();
    const isEmpty = $("composer-text").value.trim() === "";
    if (isEmpty) return this.#notTyping();
    const now = Date.now();
    if (this.#edited !== null || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#chat.typing(this.#room, true);
  }

  #notTyping() {
    if (this.#typedAt === 0) return;
    this.#typedAt = 0;
    if (this.#room) this.#chat.typing(this.#room, false);
  }

  #leave() {
    if (!this.#room) return;
    this.#notTyping();
    if (this.#edited === null) this.#drafts.set(this.#room.id, $("composer-text").value);
  }

  #endEdit() {
    this.#edited = null;
    $("composer-text").value = this.#drafts.get(this.#room.id) ?? "";
    this.#draw();
    $("composer-text").focus();
  }

  // Of an answer to us, or any where the room is ours.
  #stoppable() {
    const { me } = this.#chat;
    const may = (one) => one.asked_by?.id === me.id || this.#room.role === "owner";
    return this.#room?.timeline.streaming.findLast(may) ?? null;
  }

  async #stop() {
    const answer = this.#stoppable();
    if (!answer) return;
    // The button goes away with the answer, and must not take the focus along.
    this.focus();
    $("composer-stop").disabled = true;
    try {
      await this.#chat.cancel(this.#room, answer.number);
      announce(say("cut"));
    } catch {
      // It has ended by itself, or the connection did: then the server tells what became of it.
    } finally {
      $("composer-stop").disabled = false;
    }
  }

  #tooMany(text) {
    const characters = [...text].length - this.#chat.limits.text_characters;
    const octets = new TextEncoder().encode(text).length - this.#chat.limits.text_octets;
    return Math.max(characters, octets);
  }

  #drawStop() {
    if (this.#room) $("composer-stop").hidden = this.#stoppable() === null;
  }

  #draw() {
    if (!this.#room) return;
    const box = $("composer-text");
    box.placeholder = say("messageTo", { room: placeName(this.#room) });
    box.setAttribute("aria-label", box.placeholder);
    // As high as its text; CSS has the limit. What is around it stands still while it is measured.
    const row = box.parentElement;
    row.style.height = row.offsetHeight + "px";
    box.style.height = "auto";
    box.style.height = box.scrollHeight + "px";
    row.style.height = "";
    box.style.overflowY = box.scrollHeight > box.clientHeight + 2 ? "auto" : "hidden";
    $("composer-editing").hidden = this.#edited === null;
    const tooMany = this.#tooMany(box.value);
    const hint = $("composer-hint");
    hint.classList.toggle("bad", tooMany > 0);
    hint.textContent = tooMany > 0 ? say("tooLong", { n: tooMany }) : say("composerHint");
    $("composer-send").disabled = box.value.trim() === "" || tooMany > 0;
    this.#drawStop();
    this.#resized();
  }
}

function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}
