import assert from "node:assert/strict";
import { test } from "node:test";

import { backoffMs } from "../../../../backend/page/code/backoff.js";
import { whatClosed } from "../../../../backend/page/code/close_codes.js";
import { ReadMarks } from "../../../../backend/page/code/marks.js";

test("waiting doubles from one second to thirty, up to half longer by chance", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, 0)), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(backoffMs(0, 0.999999), 1500);
  assert.equal(backoffMs(50, 0.999999), 45000);
});

test("close codes mean what the protocol says", () => {
  assert.deepEqual([1000, 1001, 1006, 1011, 1013, 4408].map(whatClosed), Array(6).fill("lost"));
  assert.deepEqual([1008, 1009, 4401, 4403, 4429, 4400].map(whatClosed), ["refused", "large", "token", "session", "slow", "fault"]);
});

function store(initial = {}) {
  const kept = new Map(Object.entries(initial));
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

test("what was read is kept by account and room, and only grows", () => {
  const kept = store();
  const marks = new ReadMarks("u1", kept);
  assert.equal(marks.get("r1"), null);
  marks.set("r1", 5);
  marks.set("r1", 3);
  assert.equal(marks.get("r1"), 5);
  assert.equal(new ReadMarks("u1", kept).get("r1"), 5);
  assert.equal(new ReadMarks("u2", kept).get("r1"), null);
});

test("marks that somebody broke are forgotten", () => {
  for (const text of ["{", "null", "7", '{"r1":"x"}']) {
    const marks = new ReadMarks("u1", store({ "framewall.read.u1": text }));
    assert.equal(marks.get("r1"), null, text);
  }
});
