import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../../../backend/page/code/api.js";
import { explain } from "../../../../backend/page/code/errors.js";
import { chooseLanguage, say } from "../../../../backend/page/code/language.js";

function problem(status, code, detail = "In English.", errors = undefined) {
  return new ApiError("problem", status, { status, code, detail, errors });
}

function field(pointer, detail) {
  return problem(422, "validation", "Some fields are not as expected.", [{ pointer, detail }]);
}

function inBoth(error) {
  return ["en", "ru"].map((language) => {
    chooseLanguage(language, []);
    return explain(error);
  });
}

// What a person may cause on the page, as the server says it.
const PROBLEMS = {
  wrong_credentials: 401, invalid_token: 401, invalid_refresh_token: 401, refresh_token_reused: 401, unauthorized: 401,
  wrong_password: 403, account_locked: 403, registration_closed: 403, password_change_required: 403, not_member: 403, csrf: 403,
  forbidden: 403, not_found: 404, timeout: 408, name_taken: 409, account_changed: 409, owner: 409, room_full: 409,
  too_many_rooms: 409, too_many_conversations: 409, no_assistant: 409, last_admin: 409, gone: 410, too_large: 413, rate: 429,
  too_many_answers: 429, answer_size: 413, answer_time: 504, model_not_found: 404, provider_broken: 502, provider_busy: 429,
  provider_error: 502, provider_refused: 502, provider_timeout: 504, provider_unavailable: 503, refused_by_provider: 400, busy: 503, unavailable: 503,
};
const FIELDS = [
  ["/name", "expected 2 to 32 of a-z, 0-9, '.', '_' and '-', a letter or digit first"], ["/name", "expected more than nothing and spaces"],
  ["/name", "expected at most 80 characters, found 81"], ["/name", "the character U+202E is not allowed here"], ["/name", "is missing"],
  ["/password", "expected at least 10 characters"], ["/password", "expected at most 511 octets"],
  ["/password", "expected something else than the name of the account"], ["/password", "expected text without control characters"],
  ["/current_password", "expected the password of this account"], ["/new_password", "expected another one than the current"],
  ["/display_name", "expected at most 64 characters, found 65"], ["/text", "expected at most 16384 octets of UTF-8, found 20000"],
  ["?q", "expected at least one word"],
];

test("nobody reads English who does not", () => {
  for (const [code, status] of Object.entries(PROBLEMS)) {
    const [en, ru] = inBoth(problem(status, code));
    assert.notEqual(ru, say("errOther"), code);
    assert.match(ru, /^[А-ЯЁа-яё]/, code);
    // "cookie" is the word for it in Russian too.
    assert.doesNotMatch(ru.replace("cookie", ""), /[a-z]/i, code);
    assert.doesNotMatch(en, /[а-яё]/i, code);
  }
  for (const [pointer, detail] of FIELDS) {
    const [, ru] = inBoth(field(pointer, detail));
    assert.doesNotMatch(ru.replace("a–z", ""), /[a-z]/i, `${pointer} ${detail}`);
  }
  // Of a problem that nobody thought of, no English either.
  assert.equal(inBoth(problem(409, "something_new"))[1], say("errOther"));
});

test("a wrong password is called one", () => {
  assert.deepEqual(inBoth(problem(403, "wrong_password")), ["That is not your current password.", "Это не ваш текущий пароль."]);
  assert.deepEqual(inBoth(field("/new_password", "expected at least 10 characters")),
    ["A password has at least 10 characters.", "В пароле должно быть не меньше 10 знаков."]);
});

test("who came to another address is told the right one", () => {
  const error = problem(403, "origin", "This may be asked only by pages of https://chat.example.com:8443.");
  for (const text of inBoth(error)) assert.match(text, /https:\/\/chat\.example\.com:8443\./);
  assert.equal(inBoth(problem(403, "origin", "A call that uses cookies needs the field Origin."))[0], "You may not do this.");
});

test("what the gateway, the network or nobody said", () => {
  chooseLanguage("en", []);
  assert.match(explain(new ApiError("refused", 403)), /protection of this site/);
  assert.match(explain(new ApiError("network")), /No connection/);
  assert.match(explain(new ApiError("other", 502)), /busy or starting/);
  assert.match(explain(new ApiError("problem", 429, { status: 429, code: "rate", detail: "" }, 7)), /Wait 7 seconds/);
  assert.match(explain(problem(404, "not_found")), /nothing like this/);
  assert.equal(explain(problem(404, "not_found"), { not_found: "errNoUser" }), "There is no such person.");
});
