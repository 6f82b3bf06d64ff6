// The list of rooms, conversations and invitations.

import { $, button, element, roving } from "./dom.js";
import { moment, onLanguage, say } from "./language.js";

// What a room is called where it has no name.
export function placeName(room) {
  if (room.name) return room.name;
  return say("unnamedConversation", { date: moment(madeAt(room.id)) });
}

export class Side {
  #chat;
  #current = null;
  #invitations = [];
  #answer;
  #settle = [];
  #planned = false;
  #loaded = false;
  #places = new WeakMap();  // room → its elements
  #empty = new Map();  // list → what stands in it where there is nothing

  // `answer(invitation, accept)` is called for the buttons of an invitation.
  constructor(chat, { answer }) {
    this.#chat = chat;
    this.#answer = answer;
    for (const id of ["rooms", "conversations"]) {
      const list = $(id);
      this.#settle.push(roving(list, () => [...list.querySelectorAll(".place")]));
    }
    chat.addEventListener("places", () => this.#plan());
    chat.addEventListener("connection", () => this.#drawConnection());
    onLanguage(() => this.draw());
    this.draw();
  }

  // Only now it is known where there is nothing.
  loaded() {
    if (this.#loaded) return;
    this.#loaded = true;
    this.draw();
  }

  set current(id) {
    this.#current = id;
    this.draw();
  }

  set invitations(list) {
    this.#invitations = list;
    this.draw();
  }

  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => {
      this.#planned = false;
      this.draw();
    }, 30);
  }

  draw() {
    const all = [...this.#chat.rooms.values()];
    this.#drawPlaces("rooms", all.filter((room) => room.kind !== "conversation").sort(byName));
    this.#drawPlaces("conversations", all.filter((room) => room.kind === "conversation").sort(byAge));
    this.#drawInvitations();
    this.#drawConnection();
    for (const settle of this.#settle) settle();
    const unread = all.filter((room) => room.id !== this.#current || document.hidden)
      .reduce((sum, room) => sum + this.#chat.unread(room), 0);
    const current = this.#chat.rooms.get(this.#current);
    document.title = (unread > 0 ? `(${unread}) ` : "") + (current ? placeName(current) + " · " : "") + "framewall";
  }

  // What stands here is changed, never replaced: whoever is clicking on it must not lose it.
  #drawPlaces(listId, rooms) {
    const list = $(listId);
    const wanted = rooms.map((room) => this.#place(room));
    if (rooms.length === 0) wanted.push(this.#nothingIn(listId));
    for (const old of [...list.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((item, at) => {
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
    });
    const chosen = list.querySelector("[aria-current]") ?? list.querySelector(".place");
    if (chosen && !list.querySelector('.place[tabindex="0"]')) chosen.tabIndex = 0;
  }

  // Words, and on a phone, which shows the list alone, what to begin with.
  #nothingIn(listId) {
    const words = { rooms: "noRooms", conversations: "noConversations" };
    const acts = { rooms: [["new-room", "newRoom"], ["browse-rooms", "browseTitle"]], conversations: [["new-conversation", "newConversation"]] };
    if (!this.#empty.has(listId)) {
      this.#empty.set(listId, element("li", { class: "quiet" }, element("p"),
        element("p", { class: "buttons" }, ...acts[listId].map(([act]) => element("button", { type: "button", class: "link", "data-act": act })))));
    }
    const item = this.#empty.get(listId);
    const texts = [say(this.#loaded ? words[listId] : "loading"), ...acts[listId].map(([, key]) => say(key))];
    item.lastChild.hidden = !this.#loaded;
    [item.firstChild, ...item.querySelectorAll("button")].forEach((one, at) => {
      if (one.textContent !== texts[at]) one.textContent = texts[at];
    });
    return item;
  }

  #place(room) {
    let place = this.#places.get(room);
    if (!place) {
      const name = element("span", { class: "place-name" });
      const count = element("span", { class: "count", hidden: true });
      const link = element("a", { class: "place", href: "#/" + room.id, tabindex: "-1", "data-room": room.id }, name, count);
      place = { item: element("li", {}, link), link, name, count };
      this.#places.set(room, place);
    }
    const { item, link, name, count } = place;
    const unread = this.#chat.unread(room);
    const shown = placeName(room);
    if (name.textContent !== shown) name.textContent = shown;
    link.classList.toggle("has-unread", unread > 0);
    if (room.id === this.#current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const text = unread > 99 ? "99+" : String(unread);
    if (count.dataset.shown !== text + say("unread", { n: unread })) {
      count.dataset.shown = text + say("unread", { n: unread });
      count.hidden = unread === 0;
      count.replaceChildren(text, element("span", { class: "unseen" }, " " + say("unread", { n: unread })));
    }
    return item;
  }

  #drawInvitations() {
    $("invitations-section").hidden = this.#invitations.length === 0;
    $("invitations").replaceChildren(...this.#invitations.map((room) =>
      element("li", { class: "invitation" }, say("invitedTo", { room: room.name }),
        element("div", { class: "buttons" },
          button(say("accept"), () => this.#answer(room, true), "link"),
          button(say("decline"), () => this.#answer(room, false), "link")))));
  }

  #drawConnection() {
    const words = { open: "online", opening: "connecting", waiting: "offline", off: "off" };
    const line = $("connection");
    const text = say(words[this.#chat.state]);
    if (line.textContent !== text) line.textContent = text;
    line.className = "connection " + this.#chat.state;
  }
}

// Ids begin with the milliseconds of their making (RFC 9562 5.7).
function madeAt(id) {
  return new Date(parseInt(id.replace("-", "").slice(0, 12), 16));
}

function byName(a, b) {
  return a.name.localeCompare(b.name);
}

// Ids of things that were made later sort behind.
function byAge(a, b) {
  return a.id < b.id ? 1 : -1;
}
