import assert from "node:assert/strict";
import { test } from "node:test";

import { textParts } from "../../../../backend/page/code/text_parts.js";

// "prose:Look |code js:let a;| …"
function shown(text) {
  return textParts(text).map((part) => `${part.kind}${part.language ? " " + part.language : ""}:${part.text}`);
}

test("a text without marks is one piece of prose, as it is", () => {
  assert.deepEqual(shown("Привет,\n  мир <b>"), ["prose:Привет,\n  мир <b>"]);
});

test("fences are code, with their language", () => {
  assert.deepEqual(shown("Look:\n```js\nlet a;\n\nlet b;\n```\n\nGood?"),
    ["prose:Look:", "code js:let a;\n\nlet b;", "prose:Good?"]);
});

test("what follows a fence is a language, or was meant to be read", () => {
  const longest = "j".repeat(60);
  assert.deepEqual(shown("```" + longest + "\na\n```"), [`code ${longest}:a`]);
  assert.deepEqual(shown("let a;\n``` and " + "more ".repeat(20).trim()), ["prose:let a;\n``` and " + "more ".repeat(20).trim()]);
});

test("a fence that is not closed lasts to the end", () => {
  assert.deepEqual(shown("So:\n```\na\nb"), ["prose:So:", "code:a\nb"]);
});

test("a fence is closed by its own kind, at least as long", () => {
  assert.deepEqual(shown("````\n```\ninner\n```\n````\nout"), ["code:```\ninner\n```", "prose:out"]);
  assert.deepEqual(shown("~~~\n```\n~~~"), ["code:```"]);
});

test("backticks in a line are code in the line", () => {
  assert.deepEqual(shown("The `Has` is `new`."), ["prose:The ", "inline:Has", "prose: is ", "inline:new", "prose:."]);
  assert.deepEqual(shown("one ` alone"), ["prose:one ` alone"]);
});

test("addresses of the web are links, and nothing else is", () => {
  assert.deepEqual(shown("see https://a.example/b?c=d#e."), ["prose:see ", "link:https://a.example/b?c=d#e", "prose:."]);
  assert.deepEqual(shown("(https://a.example/b_(c))"), ["prose:(", "link:https://a.example/b_(c))"]);
  assert.deepEqual(shown("(see https://a.example)"), ["prose:(see ", "link:https://a.example", "prose:)"]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "https://", "file:///etc/motd", "http://[bad"]) {
    assert.deepEqual(shown(text), ["prose:" + text]);
  }
});

test("no character is lost or made up", () => {
  const pieces = ["`", "```", "\n", "a", " ", "https://a.b", "~~~", ")", ".", "<script>"];
  let seed = 7;
  for (let round = 0; round < 3000; ++round) {
    let text = "";
    for (let length = 0; length < 12; ++length) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      text += pieces[seed % pieces.length];
    }
    const kept = textParts(text).map((part) => part.text + (part.language ?? "")).join("");
    const letters = (one) => one.replace(/[`~\s]/g, "");
    assert.equal(letters(kept).length, letters(text).length, JSON.stringify(text));
  }
});
