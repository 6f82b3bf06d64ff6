// Looking for messages in all rooms.

import { $, element, roving } from "./dom.js";
import { explain } from "./errors.js";
import { moment, say } from "./language.js";
import { announce, notice } from "./notices.js";
import { placeName } from "./side.js";

export class Search {
  #api;
  #chat;
  #go;
  #text = "";
  #cursor = null;
  #settle;

  // `go(message)`: shows the message in its room; `shown()`: the results are to be seen.
  constructor(api, chat, { go, shown }) {
    this.#api = api;
    this.#chat = chat;
    this.#go = go;
    const list = $("results-list");
    this.#settle = roving(list, () => [...list.querySelectorAll(".result")]);
    $("search-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = $("search-text").value.trim();
      if (text === "") return;
      if (await this.#find(text)) shown();
    });
    $("search-text").addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.target.value = "";
    });
    $("results-more").addEventListener("click", () => this.#more());
  }

  async #find(text) {
    this.#text = text;
    this.#cursor = null;
    let page;
    try {
      page = await this.#page();
    } catch (error) {
      notice(explain(error), { bad: true });
      return false;
    }
    $("results-title").textContent = say("resultsFor", { text });
    $("results-list").replaceChildren();
    $("results-none").hidden = page.items.length > 0;
    $("results-none").textContent = say("nothingFound");
    if (page.items.length === 0) announce(say("nothingFound"));
    this.#add(page);
    return true;
  }

  async #more() {
    $("results-more").disabled = true;
    try {
      this.#add(await this.#page());
    } catch (error) {
      notice(explain(error), { bad: true });
    } finally {
      $("results-more").disabled = false;
    }
  }

  #page() {
    return this.#api.get("messages", { q: this.#text, limit: 30, cursor: this.#cursor });
  }

  #add(page) {
    this.#cursor = page.next ?? null;
    $("results-more").hidden = this.#cursor === null;
    $("results-list").append(...page.items.map((message) => element("li", {}, this.#result(message))));
    this.#settle();
  }

  #result(message) {
    const room = this.#chat.rooms.get(message.room);
    const who = message.author?.display_name || message.author?.name || room?.assistant || say("assistant");
    const where = [who, room && say("inRoom", { room: placeName(room) }), moment(new Date(message.created))];
    return element("button", { type: "button", class: "result", tabindex: "-1", on: { click: () => this.#go(message) } },
      element("span", { class: "hint" }, where.filter(Boolean).join(" · ")),
      element("span", { class: "result-text" }, ...this.#marked(message.text)));
  }

  // The words that were looked for, in what was found, from shortly before the first.
  #marked(text) {
    const words = this.#text.split(/[\s*]+/).filter(Boolean).map((word) => RegExp.escape?.(word) ?? escaped(word));
    const wanted = new RegExp(words.join("|").replace(/[её]/gi, "[её]") || "(?!)", "gi");
    const first = text.search(wanted);
    if (first > 120) text = "…" + text.slice(first - 80);
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(wanted)) {
      parts.push(text.slice(at, match.index), element("mark", {}, match[0]));
      at = match.index + match[0].length;
    }
    return [...parts, text.slice(at)];
  }
}

function escaped(word) {
  return word.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
