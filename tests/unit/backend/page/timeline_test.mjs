import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline } from "../../../../backend/page/code/timeline.js";

function message(number, text = "text " + number, more = {}) {
  return { number, text, state: "whole", role: "user", ...more };
}

function numbers(timeline) {
  return timeline.messages.map((one) => one.number);
}

test("messages are in order of their numbers, each once, however they come", () => {
  const timeline = new Timeline();
  timeline.joined(4, []);
  assert.equal(timeline.heard(message(4)), "added");
  assert.equal(timeline.heard(message(5)), "added");
  timeline.putOlder([message(1), message(2), message(3)], false);
  assert.equal(timeline.heard(message(5)), "same");
  assert.deepEqual(numbers(timeline), [1, 2, 3, 4, 5]);
  assert.equal(timeline.oldest, 1);
  assert.equal(timeline.complete, true);
});

test("what we say on coming back is the highest number that was sent to us", () => {
  const timeline = new Timeline();
  assert.equal(timeline.after, null);
  timeline.joined(42, []);
  assert.equal(timeline.after, 41);
  timeline.heard(message(42));
  // An acknowledgement of our own may overtake the messages before it.
  timeline.put(message(45));
  assert.equal(timeline.after, 42);
  timeline.heard(message(43));
  assert.equal(timeline.after, 43);
  assert.deepEqual(numbers(timeline), [42, 43, 45]);
});

test("a join that leaves a gap drops what was held", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  for (let number = 1; number <= 3; ++number) timeline.heard(message(number));
  assert.equal(timeline.joined(4, []), false);
  assert.deepEqual(numbers(timeline), [1, 2, 3]);
  assert.equal(timeline.joined(2000, []), true);
  assert.deepEqual(numbers(timeline), []);
  assert.equal(timeline.after, 1999);
  assert.equal(timeline.complete, false);
});

test("a room without messages has nothing older", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  assert.equal(timeline.complete, true);
});

test("pieces of an answer are joined, and its end has the last word", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  timeline.heard(message(1, "", { state: "streaming", role: "assistant" }));
  timeline.piece(1, "Hel");
  timeline.piece(1, "lo");
  assert.equal(timeline.get(1).text, "Hello");
  assert.deepEqual(timeline.streaming.map((one) => one.number), [1]);
  assert.equal(timeline.put(message(1, "Hello.", { role: "assistant" })), "changed");
  assert.equal(timeline.get(1).text, "Hello.");
  assert.deepEqual(timeline.streaming, []);
});

test("an answer that is under way when one comes begins with its text so far", () => {
  const timeline = new Timeline();
  timeline.joined(8, [{ number: 7, text: "So far" }]);
  timeline.putOlder([message(6), message(7, "", { state: "streaming" })], true);
  assert.equal(timeline.get(7).text, "So far");
  timeline.piece(7, ", so good");
  assert.equal(timeline.get(7).text, "So far, so good");
});

test("history that was asked for before an answer ended does not bring it back", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  timeline.heard(message(1, "whole"));
  assert.equal(timeline.put(message(1, "", { state: "streaming" })), "same");
  assert.equal(timeline.get(1).text, "whole");
});

test("edits and deletions change what is held, and its version", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  timeline.heard(message(1));
  assert.equal(timeline.put(message(1, "better", { edited: "2026-11-21T20:00:00.000Z" })), "changed");
  assert.equal(timeline.put(message(1, "better", { edited: "2026-11-21T20:00:00.000Z" })), "same");
  assert.equal(timeline.get(1).version, 1);
  timeline.put(message(1, "", { deleted: "2026-11-21T20:01:00.000Z" }));
  assert.equal(timeline.get(1).text, "");
  assert.equal(timeline.get(1).version, 2);
});

test("a timeline that nobody looks at is kept short", () => {
  const timeline = new Timeline();
  timeline.joined(1, []);
  for (let number = 1; number <= 300; ++number) timeline.heard(message(number));
  timeline.trim(300);
  assert.equal(timeline.complete, true);
  timeline.trim(200);
  assert.equal(timeline.oldest, 101);
  assert.equal(timeline.complete, false);
  assert.equal(timeline.after, 300);
});
