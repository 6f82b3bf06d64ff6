// The one dialog of the page. The browser keeps the focus inside, closes it with Escape, and gives
// the focus back.

import { $, button, element, iconButton } from "./dom.js";
import { explain } from "./errors.js";
import { say } from "./language.js";

export function openDialog(title, ...content) {
  const dialog = $("dialog");
  if (dialog.open) dialog.close();
  dialog.replaceChildren(
    element("div", { class: "dialog-head" }, element("h2", { id: "dialog-title" }, title),
      iconButton("close", say("close"), closeDialog)),
    ...content.filter(Boolean));
  dialog.showModal();
  dialog.querySelector("input, select, .buttons button, .stack button")?.focus();
}

export function closeDialog() {
  $("dialog").close();
}

// A form whose `act(values)` may fail: then its words stand above the fields, and nothing typed is
// lost. `words`: see explain().
export function form(fields, submit, act, { words = {}, danger = false, more = null } = {}) {
  const error = element("p", { class: "form-error", role: "alert", hidden: true });
  const send = element("button", { type: "submit", class: danger ? "secondary danger" : "primary" }, submit);
  const made = element("form", {}, error, ...fields, element("div", { class: "buttons" }, more, send));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    send.disabled = true;
    try {
      await act(Object.fromEntries(new FormData(made)));
    } catch (fault) {
      error.textContent = explain(fault, words);
      error.hidden = false;
    } finally {
      send.disabled = false;
    }
  });
  return made;
}

export function field(label, name, attributes = {}) {
  return element("label", { class: "field" }, element("span", {}, label),
    element("input", { name, autocomplete: "off", ...attributes }));
}

// `options`: [[value, text], …]
export function choice(label, name, options, chosen = options[0]?.[0]) {
  return element("label", { class: "field" }, element("span", {}, label),
    element("select", { name }, ...options.map(([value, text]) =>
      element("option", { value, selected: value === chosen }, text))));
}

export function confirm(title, text, yes, act) {
  openDialog(title, form([element("p", {}, text)], yes, async () => {
    await act();
    closeDialog();
  }, { danger: true, more: button(say("cancel"), closeDialog) }));
}
