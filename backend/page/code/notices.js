// Short words in a corner: errors, and things that went well.

import { $, element, iconButton } from "./dom.js";
import { say } from "./language.js";

const SHOWN_MS = 7000;
const MOST = 4;

export function notice(text, { bad = false, title = "", stays = false, act = null } = {}) {
  const words = element("p", {}, title && element("strong", {}, title), text);
  const run = () => {
    made.remove();
    act.run();
  };
  if (act) words.append(" ", element("button", { type: "button", class: "link", on: { click: run } }, act.text));
  const made = element("div", { class: bad ? "notice bad" : "notice" }, words,
    iconButton("close", say("close"), () => made.remove()));
  const all = $("notices");
  // The same words once.
  for (const other of all.children) {
    if (other.firstChild.textContent === words.textContent) other.remove();
  }
  all.append(made);
  while (all.children.length > MOST) all.firstChild.remove();
  if (!stays) setTimeout(() => made.remove(), SHOWN_MS);
  return made;
}

// Said by screen readers and by nobody else.
export function announce(text) {
  const line = element("p", {}, text.slice(0, 500));
  $("announcer").append(line);
  setTimeout(() => line.remove(), 10000);
}
