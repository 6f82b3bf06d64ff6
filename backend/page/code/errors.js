// A sentence for people about what went wrong.

import { language, say } from "./language.js";

const BY_CODE = {
  undelivered: "undelivered",
  too_large: "tooLarge",
  rate: "errRateSoon",
  too_many_answers: "errAnswers",
  no_assistant: "errNoAssistant",
  not_found: "errNotFound",
  busy: "errBusy",
  refused_answer: "errRefusedAnswer",
  account_locked: "errLocked",
};

const BY_STATUS = { 403: "errForbidden", 404: "errNotFound", 413: "errTooLarge", 429: "errRateSoon" };

// Of an ApiError, a Refused of the chat or a Lost. `words`: {code: key of a string} that fit better
// here.
export function explain(error, words = {}) {
  if (error.kind === "network") return say("errNetwork");
  if (error.kind === "refused") return say("refusedForm");
  if (error.problem) {
    if (words[error.problem.code]) return say(words[error.problem.code]);
    if (error.retryAfter && error.status === 429) return say("errRate", { n: error.retryAfter });
    return explainProblem(error.problem);
  }
  if ([502, 503, 504].includes(error.status)) return say("errBusy");
  if (BY_STATUS[error.status]) return say(BY_STATUS[error.status]);
  if (error.status >= 500) return say("errServer");
  return error.status === undefined ? say("errNetwork") : say("errOther");
}

export function explainProblem(problem) {
  if (BY_CODE[problem.code]) return say(BY_CODE[problem.code]);
  if (problem.errors?.length > 0) return problem.errors.map(explainField).join(" ");
  if (BY_STATUS[problem.status] && language() !== "en") return say(BY_STATUS[problem.status]);
  if (problem.status >= 500) return say(problem.status === 503 ? "errBusy" : "errServer");
  return problem.detail ? sentence(problem.detail) : say("errOther");
}

// `pointer` says which field of a form it was, where that is clear without the form.
function explainField({ pointer, detail }) {
  const least = /at least (\d+)/.exec(detail)?.[1];
  if (/password$/.test(pointer) && least) return say("fieldPassword", { n: Number(least) });
  const known = { "/name": /a-z/.test(detail) && "fieldName", "/client_id": "errFault", "?q": "fieldSearch" }[pointer];
  if (known) return say(known);
  // The server speaks English: of what it alone knows, its words are better than none.
  return language() === "en" ? sentence(detail) : say("fieldOther", { why: detail });
}

function sentence(text) {
  const upper = text[0].toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(upper) ? upper : upper + ".";
}
