// Which language the page speaks, and its words, dates and numbers.

import { STRINGS } from "./strings.js";

const KEPT = "framewall.language";
const FORMS = { en: ["one", "other"], ru: ["one", "few", "many"] };

let current = "en";
let formats = {};
const listeners = new Set();

export function language() {
  return current;
}

// The browser's, unless the user chose another.
export function chooseLanguage(kept = localStorage.getItem(KEPT), wanted = navigator.languages ?? []) {
  const known = [kept, ...wanted.map((tag) => tag.slice(0, 2).toLowerCase())];
  use(known.find((tag) => Object.hasOwn(STRINGS, tag ?? "")) ?? "en");
}

export function switchLanguage() {
  use(current === "en" ? "ru" : "en");
  localStorage.setItem(KEPT, current);
  for (const listener of listeners) listener();
}

export function onLanguage(listener) {
  listeners.add(listener);
}

// The words for `key`. With `n` among the values, in the form that goes with this number.
export function say(key, values = {}) {
  const found = STRINGS[current][key] ?? STRINGS.en[key];
  const text = Array.isArray(found) ? found[FORMS[current].indexOf(formOf(values.n))] ?? found.at(-1) : found;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

export function timeOfDay(date) {
  return formats.time.format(date);
}

export function day(date, now = new Date()) {
  const days = Math.round((startOfDay(now) - startOfDay(date)) / 86400000);
  if (days === 0) return say("today");
  if (days === 1) return say("yesterday");
  return (date.getFullYear() === now.getFullYear() ? formats.day : formats.dayAndYear).format(date);
}

export function moment(date) {
  return formats.moment.format(date);
}

export function sameDay(a, b) {
  return startOfDay(a) === startOfDay(b);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function formOf(n) {
  return formats.plural.select(n ?? 0);
}

function use(tag) {
  current = tag;
  const locale = tag === "en" ? "en-GB" : "ru-RU";
  formats = {
    time: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }),
    day: new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }),
    dayAndYear: new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" }),
    moment: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }),
    plural: new Intl.PluralRules(locale),
  };
}

use(current);
