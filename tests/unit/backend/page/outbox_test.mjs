import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox } from "../../../../backend/page/code/outbox.js";

function filled(...texts) {
  const outbox = new Outbox();
  texts.forEach((text, at) => outbox.add("c" + at, "room", "message", text));
  return outbox;
}

test("one text is under way at a time, in order", () => {
  const outbox = filled("a", "b");
  assert.equal(outbox.next().text, "a");
  assert.equal(outbox.next(), null);
  assert.equal(outbox.acknowledged("c0").text, "a");
  assert.equal(outbox.next().text, "b");
});

test("an acknowledgement that comes twice is nobody's", () => {
  const outbox = filled("a");
  outbox.next();
  assert.notEqual(outbox.acknowledged("c0"), null);
  assert.equal(outbox.acknowledged("c0"), null);
  assert.equal(outbox.unsent, false);
});

test("what was under way is sent again under the same id", () => {
  const outbox = filled("a", "b");
  outbox.next();
  assert.equal(outbox.disconnected(), null);
  assert.equal(outbox.next().id, "c0");
});

test("a refused text is kept, is not sent again, and does not hold up others", () => {
  const outbox = filled("attack", "b");
  outbox.next();
  const entry = outbox.refused();
  assert.equal(entry.text, "attack");
  assert.equal(entry.state, "refused");
  assert.equal(outbox.next().text, "b");
  outbox.disconnected();
  assert.equal(outbox.next().text, "b");
  assert.deepEqual(outbox.of("room").map((one) => one.text), ["attack", "b"]);
});

test("a socket that closes while nothing is under way refused nothing", () => {
  const outbox = filled("a");
  assert.equal(outbox.refused(), null);
  assert.equal(outbox.next().text, "a");
});

test("a text that ends every connection is given up after the fifth, and only then", () => {
  const outbox = filled("a");
  for (let tries = 1; tries <= 4; ++tries) {
    outbox.next();
    assert.equal(outbox.disconnected(), null);
  }
  outbox.next();
  const entry = outbox.disconnected();
  assert.equal(entry.state, "failed");
  assert.equal(entry.problem.code, "undelivered");
  assert.equal(outbox.next(), null);
  outbox.again("c0");
  assert.equal(outbox.next().text, "a");
});

test("being told to wait does not count as a try", () => {
  const outbox = filled("a");
  for (let tries = 0; tries < 20; ++tries) {
    outbox.next();
    outbox.later("c0");
  }
  outbox.next();
  assert.equal(outbox.disconnected(), null);
});

test("a room that is not joined holds up nobody else", () => {
  const outbox = new Outbox();
  outbox.add("c0", "closed", "message", "a");
  outbox.add("c1", "open", "message", "b");
  assert.equal(outbox.next((room) => room === "open").text, "b");
});

test("what failed stays until the user drops it", () => {
  const outbox = filled("a");
  outbox.next();
  outbox.failed("c0", { code: "validation" });
  assert.equal(outbox.unsent, false);
  assert.equal(outbox.drop("c0").text, "a");
  assert.deepEqual(outbox.of("room"), []);
});
