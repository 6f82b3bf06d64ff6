// Elements without markup: whatever a user or a model wrote goes in as text nodes.

import { say } from "./language.js";

export const $ = (id) => document.getElementById(id);

// element("p", {class: "hint", on: {click}}, "text", child, …). `label` is aria-label; null and
// false leave an attribute out.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === "label") {
      made.setAttribute("aria-label", value);
      made.title = value;
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function button(text, listener, kind = "secondary") {
  return element("button", { type: "button", class: kind, on: { click: listener } }, text);
}

export function iconButton(name, label, listener, kind = "round") {
  return element("button", { type: "button", class: kind, label, on: { click: listener } }, icon(name));
}

// The words that stand in index.html by name.
export function translate(root = document) {
  for (const one of root.querySelectorAll("[data-text]")) one.textContent = say(one.dataset.text);
  for (const one of root.querySelectorAll("[data-label]")) {
    const label = say(one.dataset.label);
    one.setAttribute("aria-label", label);
    if (one.tagName === "BUTTON") one.title = label;
  }
  for (const one of root.querySelectorAll("[data-placeholder]")) one.placeholder = say(one.dataset.placeholder);
}

// Whether Tab comes to an item of such a list, and then to what can be pressed or moved in it.
export function reach(item, isReached) {
  for (const one of [item, ...item.querySelectorAll(".acts button, .code pre, .code button")]) one.tabIndex = isReached ? 0 : -1;
}

// A list in which the arrows walk and Tab passes by: one of its items can be reached, the one that
// had the focus last. `items()` are elements in order.
export function roving(list, items, { vertical = true } = {}) {
  const previous = vertical ? "ArrowUp" : "ArrowLeft";
  const next = vertical ? "ArrowDown" : "ArrowRight";
  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = items();
    const at = all.indexOf(event.target);
    if (at < 0) return;
    const to = { [previous]: at - 1, [next]: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to]?.focus();
  });
  list.addEventListener("focusin", (event) => {
    const item = items().find((one) => one === event.target || one.contains(event.target));
    if (item) settle(item);
  });
  const settle = (chosen) => {
    for (const item of items()) reach(item, item === chosen);
  };
  // After the list changed.
  return () => {
    const all = items();
    if (!all.some((item) => item.tabIndex === 0) && all.length > 0) settle(all.at(-1));
  };
}
