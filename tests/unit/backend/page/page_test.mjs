// The page's own files: words in both languages, and nothing that CSP or a stranger would mind.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { STRINGS } from "../../../../backend/page/code/strings.js";
import { chooseLanguage, moment, say } from "../../../../backend/page/code/language.js";
import { placeName } from "../../../../backend/page/code/side.js";

const ROOT = fileURLToPath(new URL("../../../../backend/page/", import.meta.url));
const HTML = readFileSync(ROOT + "index.html", "utf8");
const CODE = new Map(readdirSync(ROOT + "code").filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(ROOT + "code/" + name, "utf8")]));
const STYLE = readdirSync(ROOT + "style").map((name) => readFileSync(ROOT + "style/" + name, "utf8")).join("\n");

function placeholders(text) {
  return [...new Set([text].flat().join(" ").match(/\{\w+\}/g) ?? [])].sort();
}

test("both languages have the same words with the same gaps", () => {
  assert.deepEqual(Object.keys(STRINGS.ru), Object.keys(STRINGS.en));
  for (const [key, text] of Object.entries(STRINGS.en)) {
    assert.deepEqual(placeholders(STRINGS.ru[key]), placeholders(text), key);
    assert.equal(Array.isArray(text), Array.isArray(STRINGS.ru[key]), key);
    if (!Array.isArray(text)) continue;
    assert.equal(text.length, 2, key);
    assert.equal(STRINGS.ru[key].length, 3, key);
  }
});

test("every word that the page names is there, and every word is used", () => {
  const used = new Set([...HTML.matchAll(/data-(?:text|label|placeholder)="(\w+)"/g)].map((match) => match[1]));
  for (const key of used) assert.ok(key in STRINGS.en, `index.html: ${key}`);
  for (const [name, text] of CODE) {
    for (const [, key] of text.matchAll(/\bsay\("(\w+)"/g)) assert.ok(key in STRINGS.en, `${name}: ${key}`);
  }
  const everywhere = HTML + [...CODE].filter(([name]) => name !== "strings.js").map(([, text]) => text).join("\n");
  assert.deepEqual(Object.keys(STRINGS.en).filter((key) => !everywhere.includes(`"${key}"`)), []);
});

test("numbers choose the form", () => {
  chooseLanguage("ru", []);
  assert.equal(say("toEnd", { n: 1 }), "1 новое сообщение");
  assert.equal(say("toEnd", { n: 3 }), "3 новых сообщения");
  assert.equal(say("toEnd", { n: 11 }), "11 новых сообщений");
  assert.equal(say("toEnd", { n: 21 }), "21 новое сообщение");
  chooseLanguage("en", []);
  assert.equal(say("toEnd", { n: 1 }), "1 new message");
  assert.equal(say("toEnd", { n: 0 }), "0 new messages");
});

test("the language is what was chosen, else the browser's, else English", () => {
  for (const [kept, wanted, hello] of [
    [null, ["ru-RU", "en"], "Войти"], [null, ["de", "ru"], "Войти"], ["en", ["ru"], "Log in"], [null, ["de"], "Log in"],
    ["constructor", [], "Log in"],
  ]) {
    chooseLanguage(kept, wanted);
    assert.equal(say("logIn"), hello, `${kept} ${wanted}`);
  }
});

test("a conversation without a name is called by the time of its making", () => {
  chooseLanguage("en", []);
  const made = new Date(2026, 10, 21, 20, 15);
  const hex = made.getTime().toString(16).padStart(12, "0");
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
  assert.equal(placeName({ id, name: "" }), "Conversation of " + moment(made));
  assert.equal(placeName({ id, name: "Plans" }), "Plans");
});

test("a value with braces is put in as it is", () => {
  chooseLanguage("en", []);
  assert.equal(say("said", { name: "{text}", text: "$&" }), "{text}: $&");
});

test("nothing is made from markup, nothing is inline, nothing is from elsewhere", () => {
  for (const [name, text] of CODE) {
    for (const forbidden of [/innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe/,
      /\beval\(|new Function|import\(/, /setAttribute\("(?:style|on)/, /from "(?!\.\/)/]) {
      assert.doesNotMatch(text, forbidden, name);
    }
  }
  assert.doesNotMatch(HTML, /<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/);
  assert.doesNotMatch(HTML + STYLE, /(?:src|href)="(?:https?:)?\/\/|url\(|@import/);
});

test("the token is in memory only", () => {
  for (const [name, text] of CODE) {
    for (const [line] of text.matchAll(/(?:local|session)Storage\.setItem\([^)]*\)/g)) assert.doesNotMatch(line, /token/i, name);
    assert.doesNotMatch(text, /document\.cookie/, name);
  }
});

test("what is a button or a field has a name for screen readers", () => {
  for (const [, attributes, content] of HTML.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g)) {
    const isFilled = /id="entrance-(?:other|submit)"|data-language|id="to-end"/.test(attributes);
    assert.ok(isFilled || /data-(?:text|label)=/.test(attributes + content) || /id="me"/.test(attributes), attributes);
  }
});
