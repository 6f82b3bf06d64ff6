// The messages of the open room: drawn anew only where they changed, at the place where one reads.

import { $, button, element, iconButton, reach, roving } from "./dom.js";
import { explain, explainProblem } from "./errors.js";
import { day, moment, onLanguage, sameDay, say, timeOfDay } from "./language.js";
import { textParts } from "./text_parts.js";

const TONES = 6;
const SAME_SPEAKER_MS = 5 * 60 * 1000;
const NEAR_END = 60;  // pixels that still count as the end
const NEAR_BEGIN = 400;

export class Transcript {
  #chat;
  #acts;
  #room = null;
  #drawn = new Map();  // key → {element, state}
  #planned = false;
  #loading = false;
  #failed = false;
  #newFrom = null;  // the first number that was unread when the room was opened
  #atEnd = true;
  #height = null;  // of the window, when it was last put right
  #settle;
  #tones = new Map();  // of people, in the order in which they were met

  // acts: edit(message), remove(message), change(entry), drop(entry).
  constructor(chat, acts) {
    this.#chat = chat;
    this.#acts = acts;
    this.#toneOf(chat.me);
    const list = $("messages");
    this.#settle = roving(list, () => [...list.querySelectorAll(".message")]);
    list.addEventListener("keydown", (event) => this.#key(event));
    $("scroll").addEventListener("scroll", () => this.#scrolled(), { passive: true });
    $("to-end").addEventListener("click", () => {
      this.#toEnd();
      $("composer-text").focus();
    });
    new ResizeObserver(() => {
      this.#height = $("scroll").clientHeight;
      if (this.#atEnd) this.#toEnd();
    }).observe($("scroll"));
    chat.addEventListener("room", (event) => event.detail.id === this.#room?.id && this.plan());
    chat.addEventListener("places", () => this.#drawEndButton());
    document.addEventListener("visibilitychange", () => this.#seen());
    onLanguage(() => this.#reset());
  }

  async open(room) {
    if (this.#room) this.#room.open = false;
    this.#room = room;
    this.#failed = false;
    // Before anything is drawn, which makes it read.
    this.#newFrom = room && this.#chat.unread(room) > 0 ? room.read + 1 : null;
    this.#atEnd = true;
    this.#reset();
    if (!room) return;
    room.open = true;
    this.#chat.look(room);
    if (room.timeline.oldest === null || room.timeline.messages.length < 30) await this.#older();
  }

  // Where the number is, once it is there; false where it is not.
  async show(number) {
    const room = this.#room;
    for (let pages = 0; pages < 40 && room === this.#room; ++pages) {
      const { oldest, complete } = room.timeline;
      if ((oldest !== null && oldest <= number) || complete || this.#failed) break;
      await this.#older();
    }
    if (room !== this.#room) return false;
    this.#draw();
    const found = this.#drawn.get("m" + number)?.element;
    if (!found) return false;
    this.#atEnd = false;
    found.scrollIntoView({ block: "center" });
    found.classList.add("found");
    setTimeout(() => found.classList.remove("found"), 4000);
    found.focus({ preventScroll: true });
    return true;
  }

  plan() {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      if (this.#room?.stale) {
        this.#room.stale = false;
        this.#older();
      }
      this.#draw();
    });
  }

  // What stands below has another height: who was at the end still is.
  keepEnd() {
    if (this.#room && this.#atEnd) this.#toEnd();
  }

  followEnd() {
    this.#atEnd = true;
    this.plan();
  }

  #reset() {
    this.#drawn.clear();
    $("messages").replaceChildren();
    this.#draw();
  }

  async #older() {
    const room = this.#room;
    if (!room || this.#loading) return;
    this.#loading = true;
    this.#failed = false;
    this.#drawHistoryLine();
    try {
      await this.#chat.older(room);
    } catch (error) {
      // Without a connection it is tried again when there is one.
      this.#failed = room === this.#room;
    } finally {
      this.#loading = false;
    }
    if (room === this.#room) this.#draw();
    else if (this.#room?.timeline.oldest === null) this.#older();
  }

  // --- drawing ---

  #draw() {
    const room = this.#room;
    if (!room) return;
    if (this.#failed && room.joined && !this.#loading) return void this.#older();
    const box = $("scroll");
    const list = $("messages");
    const fromEnd = box.scrollHeight - box.scrollTop;
    const before = list.querySelector(".message")?.dataset.key;

    const wanted = this.#rows(room);
    const keys = new Set(wanted.map((row) => row.key));
    for (const [key, drawn] of this.#drawn) {
      if (keys.has(key)) continue;
      drawn.element.remove();
      this.#drawn.delete(key);
    }
    let at = list.firstElementChild;
    for (const row of wanted) {
      let drawn = this.#drawn.get(row.key);
      if (drawn && drawn.state !== row.state) {
        const made = row.make();
        const hadFocus = drawn.element.contains(document.activeElement);
        if (made.matches(".message")) reach(made, drawn.element.tabIndex === 0);
        if (at === drawn.element) at = made;
        drawn.element.replaceWith(made);
        if (hadFocus) made.focus({ preventScroll: true });
        drawn = { element: made, state: row.state };
        this.#drawn.set(row.key, drawn);
      } else if (!drawn) {
        drawn = { element: row.make(), state: row.state };
        if (drawn.element.matches(".message")) reach(drawn.element, false);
        this.#drawn.set(row.key, drawn);
      }
      if (drawn.element === at) at = at.nextElementSibling;
      else list.insertBefore(drawn.element, at);
    }
    this.#settle();
    this.#drawHistoryLine();

    if (this.#atEnd) this.#toEnd();
    else if (before !== list.querySelector(".message")?.dataset.key) box.scrollTop = box.scrollHeight - fromEnd;
    this.#drawEndButton();
    this.#seen();
    if (box.scrollTop < NEAR_BEGIN && !room.timeline.complete && room.joined && !this.#failed) this.#older();
  }

  // What is to be seen, in order: {key, state, make}. A row is made anew when its state differs.
  #rows(room) {
    const rows = [];
    let last = null;
    for (const message of room.timeline.messages) {
      const created = new Date(message.created);
      if (last === null || !sameDay(last.created, created)) {
        rows.push({ key: "d" + day(created) + created.getFullYear() + message.number, state: day(created), make: () => element("li", { class: "day" }, day(created)) });
        last = null;
      }
      if (message.number === this.#newFrom) {
        rows.push({ key: "new", state: "", make: () => element("li", { class: "new-line" }, say("newMessages")) });
        last = null;
      }
      const speaker = speakerOf(message);
      const isFirst = last === null || last.speaker !== speaker || created - last.created > SAME_SPEAKER_MS;
      rows.push({
        key: "m" + message.number,
        state: `${message.version} ${isFirst}`,
        make: () => this.#message(room, message, created, isFirst),
      });
      last = { created, speaker };
    }
    for (const entry of this.#chat.outbox.of(room.id)) {
      // A change that is under way is seen in its own place in a moment.
      const isOnItsWay = entry.state === "waiting" || entry.state === "sent";
      if (entry.kind === "edit" && isOnItsWay && this.#chat.state === "open") continue;
      rows.push({
        key: "e" + entry.id,
        state: `${entry.state} ${this.#chat.state === "open"} ${entry.problem?.code}`,
        make: () => this.#entry(entry, last?.speaker !== this.#chat.me.id),
      });
    }
    return rows;
  }

  #message(room, message, created, isFirst) {
    const isAnswer = message.role === "assistant";
    const isStreaming = message.state === "streaming";
    const name = this.#nameOf(room, message);
    const said = element("div", { class: "said" });
    if (message.deleted) {
      said.append(element("p", { class: "gone" }, say("deletedMessage")));
    } else {
      said.append(...shownText(message.text));
      if (isStreaming) (said.lastElementChild ?? said.appendChild(element("p", { class: "prose gone" }, say("thinking")))).classList.add("caret");
      if (message.state === "cut") said.append(element("p", { class: "mark" }, say("cut")));
      if (message.state === "failed") said.append(element("p", { class: "mark bad" }, answerFailure(message)));
      if (message.edited) said.append(element("p", { class: "mark" }, element("span", { title: moment(new Date(message.edited)) }, say("edited"))));
    }
    const isMine = message.author?.id === this.#chat.me.id;
    const mayEdit = isMine && !message.deleted && message.role === "user";
    const mayRemove = !message.deleted && !isStreaming && (isMine || room.role === "owner");
    const acts = (mayEdit || mayRemove) && element("div", { class: "acts", role: "group", "aria-label": say("actions") },
      mayEdit && iconButton("edit", say("edit"), () => this.#acts.edit(message)),
      mayRemove && iconButton("delete", say("delete"), () => this.#acts.remove(message)));
    return element("li", {
      class: "message" + (isFirst ? " first" : "") + (isMine ? " mine" : ""),
      tabindex: "-1",
      "data-key": "m" + message.number,
      "data-number": message.number,
      "data-state": message.state,
    },
    element("span", { class: isAnswer ? "who assistant" : "who " + this.#toneOf(message.author), title: name }, name),
    said,
    element("time", { class: "when", datetime: message.created, title: moment(created) }, timeOfDay(created)),
    acts);
  }

  #toneOf(author) {
    if (!author) return "";
    if (!this.#tones.has(author.id)) this.#tones.set(author.id, this.#tones.size % TONES);
    return "tone-" + this.#tones.get(author.id);
  }

  #nameOf(room, message) {
    if (message.role === "assistant") return message.model ?? room.assistant ?? say("assistant");
    return message.author?.display_name || message.author?.name || say("system");
  }

  // What was not acknowledged yet, or never will be.
  #entry(entry, isFirst) {
    const isKept = entry.state === "refused" || entry.state === "failed";
    const said = element("div", { class: "said" });
    if (entry.kind === "edit") said.append(element("p", { class: "mark" }, say("changeOf")));
    said.append(...shownText(entry.text));
    if (isKept) {
      const why = entry.state === "refused" ? say("refusedHere") : say("failedHere", { why: explainProblem(entry.problem) });
      said.append(element("p", { class: "why" }, why),
        element("p", { class: "buttons" },
          button(say("change"), () => this.#acts.change(entry), "link"),
          entry.state === "failed" && button(say("sendAgain"), () => this.#chat.again(entry), "link"),
          button(say("remove"), () => this.#acts.drop(entry), "link")));
    } else {
      const waits = this.#chat.state === "open" ? "sending" : "waitingForConnection";
      said.append(element("p", { class: "mark" }, say(waits)));
    }
    const { me } = this.#chat;
    return element("li", {
      class: "message mine " + (isKept ? "kept" : "pending") + (isFirst || isKept ? " first" : ""),
      tabindex: "-1",
      "data-key": "e" + entry.id,
    }, element("span", { class: "who " + this.#toneOf(me) }, me.display_name || me.name), said);
  }

  #drawHistoryLine() {
    const room = this.#room;
    const line = $("history-line");
    const { complete, messages } = room.timeline;
    let text = "";
    if (this.#failed) text = say("loadFailed");
    else if (this.#loading || (!complete && messages.length === 0)) text = say("loading");
    else if (complete && messages.length === 0) text = say(room.kind === "conversation" ? "emptyConversation" : "emptyRoom");
    else if (complete) text = say("beginning");
    // As high without a text: nothing moves when it comes and goes.
    line.textContent = text;
  }

  #drawEndButton() {
    const room = this.#room;
    if (!room) return;
    const unread = this.#chat.unread(room);
    $("to-end").hidden = this.#atEnd;
    $("to-end").textContent = unread > 0 ? say("toEnd", { n: unread }) : say("toEndNone");
  }

  // --- where one is ---

  #scrolled() {
    const box = $("scroll");
    // The field below grew: nobody has scrolled, and the observer is about to put it right.
    if (this.#height !== null && box.clientHeight !== this.#height) return;
    this.#atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    this.#drawEndButton();
    this.#seen();
    if (box.scrollTop < NEAR_BEGIN && this.#room && !this.#room.timeline.complete && this.#room.joined) this.#older();
  }

  #toEnd() {
    const box = $("scroll");
    box.scrollTop = box.scrollHeight;
    this.#atEnd = true;
  }

  // The end is on the screen: all is read.
  #seen() {
    const room = this.#room;
    if (!room || !this.#atEnd || document.hidden || room.last === null) return;
    const last = room.timeline.messages.at(-1)?.number ?? 0;
    if (last >= room.last) this.#chat.read(room, room.last);
  }

  #key(event) {
    const number = Number(event.target.dataset?.number);
    if (!number || event.altKey || event.ctrlKey || event.metaKey) return;
    const message = this.#room.timeline.get(number);
    const item = event.target;
    if (event.key === "Enter") {
      event.preventDefault();
      item.querySelector(".acts button")?.focus();
    } else if (event.key === "Delete" && item.querySelector(".acts")) {
      event.preventDefault();
      this.#acts.remove(message);
    } else if (event.key === "Escape") {
      $("composer-text").focus();
    }
  }
}

// Why an answer did not become whole.
export function answerFailure({ problem }) {
  return problem ? say("answerFailedWhy", { why: explain({ problem }) }) : say("answerFailed");
}

function speakerOf(message) {
  return message.author?.id ?? message.role;
}

// Elements of a text: paragraphs with text nodes, and code.
function shownText(text) {
  const shown = [];
  let prose = null;
  for (const part of textParts(text)) {
    if (part.kind === "code") {
      prose = null;
      shown.push(codeBlock(part));
      continue;
    }
    if (prose === null) {
      prose = element("p", { class: "prose" });
      shown.push(prose);
    }
    if (part.kind === "prose") prose.append(part.text);
    else if (part.kind === "inline") prose.append(element("code", {}, part.text));
    else prose.append(element("a", { href: part.text, target: "_blank", rel: "noopener noreferrer nofollow" }, part.text));
  }
  return shown;
}

function codeBlock({ text, language }) {
  const label = language ? say("codeIn", { language }) : say("code");
  const copy = navigator.clipboard && element("button", { type: "button", class: "small copy" }, say("copy"));
  if (copy) {
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text).catch(() => {});
      copy.textContent = say("copied");
      setTimeout(() => (copy.textContent = say("copy")), 2000);
    });
  }
  return element("div", { class: "code", role: "group", "aria-label": label },
    language && element("p", { class: "of" }, language),
    element("pre", { tabindex: "0" }, element("code", {}, text)), copy);
}
