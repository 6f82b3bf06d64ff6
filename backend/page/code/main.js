// The page: who is in, which room is open, and what everything has to do with each other.

import { accountDialog } from "./account_dialog.js";
import { Api, send } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { confirm } from "./dialog.js";
import { $, translate } from "./dom.js";
import { Entrance } from "./entrance.js";
import { explain, explainProblem } from "./errors.js";
import { chooseLanguage, language, onLanguage, say, switchLanguage } from "./language.js";
import { ReadMarks } from "./marks.js";
import { announce, notice } from "./notices.js";
import { fromApi, RoomsDialogs } from "./rooms_dialogs.js";
import { Search } from "./search.js";
import { Session } from "./session.js";
import { placeName, Side } from "./side.js";
import { ChatSocket } from "./socket.js";
import { answerFailure, Transcript } from "./transcript.js";

const RETRY_MS = 3000;

const session = new Session();
const api = new Api(session);
const entrance = new Entrance(session, enter);
let inside = null;  // what there is only for somebody who is logged in

class Inside {
  room = null;
  refusedNotice = null;
  wasOpen = false;

  constructor() {
    const { me } = session;
    this.chat = new Chat({
      me,
      marks: new ReadMarks(me.id),
      makeSocket: (owner) => new ChatSocket(owner),
      ticket: async () => (await api.post("socket-ticket")).ticket,
      write: ({ id, room, kind, text, number }) => {
        const path = `conversations/${room}/messages`;
        return kind === "edit"
          ? api.patch(`${path}/${number}`, { text })
          : api.post(path, { text, client_id: id }, id);
      },
    });
    const { chat } = this;
    this.dialogs = new RoomsDialogs(api, chat, go);
    this.side = new Side(chat, { answer: (room, accept) => this.answerInvitation(room, accept) });
    this.transcript = new Transcript(chat, {
      edit: (message) => this.composer.edit(message),
      remove: (message) => this.remove(message),
      change: (entry) => {
        this.drop(entry);
        this.composer.takeBack(entry);
      },
      drop: (entry) => this.drop(entry),
    });
    this.composer = new Composer(chat, {
      sent: () => this.transcript.followEnd(),
      resized: () => this.transcript.keepEnd(),
    });
    this.search = new Search(api, chat, {
      go: (message) => this.goTo(message),
      shown: () => {
        this.refusedNotice?.remove();
        showStage("results", $("results-title"));
      },
    });
    this.#listen();
  }

  #listen() {
    const { chat } = this;
    const on = (type, listener) => chat.addEventListener(type, (event) => listener(event.detail));
    on("room", ({ id }) => id === this.room?.id && this.drawHead());
    on("places", () => this.room && this.drawHead());
    on("connection", ({ state }) => {
      if (this.room) {
        this.transcript.plan();
        this.drawHead();
      }
      if (state !== "open") return;
      // What was made or asked of us meanwhile.
      if (this.wasOpen) this.load();
      this.wasOpen = true;
    });
    on("invitations", () => this.loadInvitations());
    on("said", ({ room, message }) => this.say(room, message));
    on("refused", () => {
      this.refusedNotice = notice(say("refusedText"), { bad: true, title: say("refusedTitle"), stays: true });
    });
    on("problem", ({ entry, problem }) => {
      const text = explainProblem(problem);
      notice(entry ? say("failedHere", { why: text }) : text, { bad: true });
    });
    on("gone", ({ room, reason }) => {
      notice(say(reason === "deleted" ? "roomDeleted" : "removedFromRoom", { room: placeName(room) }));
      if (room.id === this.room?.id) go("");
    });
    on("ended", ({ what }) => {
      // The password may have been changed in another tab: then there is a newer session.
      if (what === "session") session.expired().then((again) => again && chat.start(), () => chat.start());
      else notice(say("errFault"), { bad: true, stays: true, act: { text: say("reload"), run: () => location.reload() } });
    });
  }

  async start() {
    await this.load();
    this.chat.start();
    this.route();
  }

  // The list of what is ours, until it is there.
  async load() {
    for (;;) {
      try {
        const [rooms, conversations] = await Promise.all([api.all("rooms", { of: "mine" }), api.all("conversations")]);
        for (const room of rooms) this.chat.know(fromApi(room, "room"));
        for (const room of conversations) this.chat.know(fromApi(room, "conversation"));
        this.side.loaded();
        await this.loadInvitations();
        return;
      } catch (error) {
        if (error.needsLogin || this !== inside) return;
        notice(explain(error), { bad: true });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async loadInvitations() {
    try {
      this.side.invitations = await api.all("rooms", { of: "invited" });
    } catch (error) {
      if (!error.needsLogin) notice(explain(error), { bad: true });
    }
  }

  async answerInvitation(room, accept) {
    if (accept) {
      await this.dialogs.join(room.id);
    } else {
      try {
        await api.delete(`rooms/${room.id}/membership`);
      } catch (error) {
        notice(explain(error), { bad: true });
      }
    }
    this.loadInvitations();
  }

  // What the address says: #/ROOM, or #/ for the list.
  async route() {
    const id = location.hash.replace(/^#\/?/, "");
    const room = this.chat.rooms.get(id) ?? null;
    if (room === this.room && room !== null) return showStage("room", null);
    this.room = room;
    // What was refused is kept in its room, and says there why.
    this.refusedNotice?.remove();
    this.side.current = room?.id ?? null;
    if (!room) {
      if (id !== "") this.offer(id);
      this.composer.open(null);
      this.transcript.open(null);
      return showStage(null, null);
    }
    this.drawHead();
    showStage("room", null);
    this.composer.open(room);
    this.composer.focus();
    await this.transcript.open(room);
  }

  // The address of a room that is not ours: perhaps one may join it.
  async offer(id) {
    try {
      const room = await api.get("rooms/" + encodeURIComponent(id));
      if (this.room) return;
      const act = { text: say("join"), run: () => this.dialogs.join(room.id) };
      notice(say("notMember", { room: room.name }), { stays: true, act });
    } catch (error) {
      notice(explain(error), { bad: true });
    }
  }

  async goTo(message) {
    go(message.room);
    await this.route();
    showStage("room", null);
    await this.transcript.show(message.number);
  }

  leaveResults() {
    showStage(this.room ? "room" : null, null);
    if (this.room) this.composer.focus();
    else $("search-text").focus();
  }

  drawHead() {
    const { room } = this;
    const isConversation = room.kind === "conversation";
    const isLost = this.chat.state === "waiting";
    $("room-title").textContent = placeName(room);
    const about = [];
    if (!isConversation) about.push(say(room.visibility === "public" ? "publicRoom" : "privateRoom"));
    if (!isConversation && room.joined) about.push(say("here", { n: room.count }));
    if (room.assistant) about.push(say(isConversation ? "answeredBy" : "askAssistant", { model: room.assistant }));
    // On a phone the list, where this stands too, is not to be seen now.
    $("room-about").textContent = isLost ? say("offline") : about.join(" · ");
    $("room-about").classList.toggle("lost", isLost);
    $("room-people").hidden = isConversation;
    $("typing").textContent = typingWords([...room.typing.values()].map(({ user }) => user.display_name || user.name));
  }

  drop(entry) {
    this.chat.drop(entry);
    this.refusedNotice?.remove();
  }

  remove(message) {
    confirm(say("deleteTitle"), say("deleteText"), say("delete"), () => this.chat.remove(this.room, message.number));
  }

  say(room, message) {
    if (message.role === "assistant" && message.state === "streaming") return;
    if (room.id !== this.room?.id && document.hasFocus()) return;
    if (message.state === "failed") return announce(answerFailure(message));
    const name = message.author?.display_name || message.author?.name || message.model || room.assistant || say("assistant");
    announce(say("said", { name, text: message.text }));
  }

  end() {
    this.chat.stop();
  }
}

function typingWords(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return say("typingOne", { a: names[0] });
  if (names.length === 2) return say("typingTwo", { a: names[0], b: names[1] });
  return say("typingMany");
}

// Which part of the stage is shown; null: none, on a phone the list.
function showStage(name, focus) {
  for (const id of ["room", "results"]) $(id).hidden = id !== name;
  $("nothing-open").hidden = name !== null;
  $("app").classList.toggle("showing-stage", name !== null);
  focus?.focus();
}

function go(id) {
  const hash = "#/" + id;
  if (location.hash === hash) inside?.route();
  else location.hash = hash;
}

async function enter() {
  entrance.close();
  $("loading").hidden = true;
  $("app").hidden = false;
  $("me-name").textContent = session.me.display_name || session.me.name;
  inside = new Inside();
  await inside.start();
}

function leave(hint = "") {
  inside?.end();
  // Nothing of one account is left for the next: a new page, which begins with the entrance.
  sessionStorage.setItem("framewall.hint", hint);
  location.hash = "";
  location.reload();
}

async function begin() {
  chooseLanguage();
  words();
  let site = { registration_open: false };
  for (let told = false; ; told = true) {
    try {
      const isIn = await session.resume();
      if (isIn && !session.mustChangePassword) return await enter();
      // As nobody: who has to change the password first is let in nowhere, with a token not here either.
      site = await send("GET", "site");
      break;
    } catch (error) {
      if (!told) notice(explain(error), { bad: true, stays: true });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  $("notices").replaceChildren();
  $("loading").hidden = true;
  const hint = sessionStorage.getItem("framewall.hint") ?? "";
  sessionStorage.removeItem("framewall.hint");
  entrance.open({ mayRegister: site.registration_open, passwordMin: site.password_min, message: site.message_of_the_day ?? "", hint });
}

function words() {
  document.documentElement.lang = language();
  translate();
  for (const one of document.querySelectorAll("[data-language]")) {
    one.textContent = say("otherLanguage");
    one.lang = language() === "en" ? "ru" : "en";
  }
  if (inside?.room) inside.drawHead();
}

onLanguage(words);
for (const one of document.querySelectorAll("[data-language]")) one.addEventListener("click", switchLanguage);
session.addEventListener("token", ({ detail }) => inside?.chat.token(detail.token));
session.addEventListener("ended", () => leave("sessionEnded"));
addEventListener("hashchange", () => inside?.route());
addEventListener("online", () => inside?.chat.hurry());
document.addEventListener("visibilitychange", () => document.hidden || inside?.chat.hurry());
addEventListener("beforeunload", (event) => {
  if (inside?.chat.outbox.unsent) event.preventDefault();
});
$("new-room").addEventListener("click", () => inside.dialogs.newRoom());
$("new-conversation").addEventListener("click", () => inside.dialogs.newConversation());
$("browse-rooms").addEventListener("click", () => inside.dialogs.browse());
// The same from where there is nothing yet.
document.addEventListener("click", ({ target }) => {
  const act = target.closest?.("[data-act]")?.dataset.act;
  if (act) $(act).click();
});
// Past the list. What the address says after # is the room that is open: it stays.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const open = [$("composer-text"), $("results-title"), document.querySelector("#nothing-open button")];
  open.find((one) => one.checkVisibility())?.focus();
});
$("room-people").addEventListener("click", () => inside.dialogs.people(inside.room));
$("room-menu").addEventListener("click", () => inside.dialogs.about(inside.room));
$("room-back").addEventListener("click", () => go(""));
// The address stays the same when one comes back from the results.
$("side-lists").addEventListener("click", (event) => {
  if (event.target.closest(".place")?.hash === location.hash) inside.route();
});
$("results-back").addEventListener("click", () => inside.leaveResults());
for (const id of ["results", "search-text"]) {
  $(id).addEventListener("keydown", (event) => event.key === "Escape" && !$("results").hidden && inside.leaveResults());
}
$("me").addEventListener("click", () => accountDialog({
  api, session,
  renamed: (me) => {
    Object.assign(session.me, me);
    $("me-name").textContent = me.display_name;
  },
  out: () => leave(),
  withoutSocket: async (work) => {
    inside.chat.stop();
    try {
      await work();
    } finally {
      inside.chat.start();
    }
  },
}));
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k" && inside) {
    event.preventDefault();
    $("search-text").focus();
  }
});
begin();
