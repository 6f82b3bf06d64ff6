// A sentence for people about what went wrong.

import { language, say } from "./language.js";

const BY_CODE = {
  undelivered: "undelivered",
  budget_unavailable: "errBusy",
  concurrent_requests: "errAnswers",
  requests_per_day: "errBudget",
  requests_per_minute: "errRateSoon",
  token_budget_exceeded: "errBudget",
  tokens_per_minute: "errBudget",
  too_large: "tooLarge",
  rate: "errRateSoon",
  too_many_answers: "errAnswers",
  no_assistant: "errNoAssistant",
  not_found: "errNotFound",
  busy: "errBusy",
  refused_answer: "errRefusedAnswer",
  account_locked: "errLocked",
  account_changed: "errAccountChanged",
  answer_size: "errAnswerLong",
  answer_time: "errModelSlow",
  csrf: "errCookies",
  gone: "errGone",
  invalid_refresh_token: "sessionEnded",
  invalid_token: "sessionEnded",
  last_admin: "errForbidden",
  model_not_found: "errNoModel",
  name_taken: "nameTaken",
  not_member: "errNotMember",
  owner: "errOwner",
  password_change_required: "errPasswordFirst",
  provider_broken: "errModelFault",
  provider_busy: "errModelBusy",
  provider_error: "errModelFault",
  provider_refused: "errModelFault",
  provider_timeout: "errModelSlow",
  provider_unavailable: "errModelAway",
  refresh_token_reused: "sessionEnded",
  refused_by_provider: "errModelRefuses",
  registration_closed: "errRegistrationClosed",
  room_full: "errRoomFull",
  timeout: "errNetwork",
  too_many_conversations: "errManyConversations",
  too_many_rooms: "errManyRooms",
  unauthorized: "sessionEnded",
  unavailable: "errBusy",
  wrong_credentials: "wrongPassword",
  wrong_password: "wrongCurrentPassword",
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
  if (problem.code === "origin") return explainOrigin(problem.detail ?? "");
  if (BY_CODE[problem.code]) return say(BY_CODE[problem.code]);
  if (problem.errors?.length > 0) return problem.errors.map(explainField).join(" ");
  if (BY_STATUS[problem.status] && language() !== "en") return say(BY_STATUS[problem.status]);
  if (problem.status >= 500) return say(problem.status === 503 ? "errBusy" : "errServer");
  // The server speaks English; to others it says no more than that it did not work.
  return problem.detail && language() === "en" ? sentence(problem.detail) : say("errOther");
}

// The page was opened at another address than the site's own, which the server tells.
function explainOrigin(detail) {
  const address = /https?:\/\/[^\s"]+?(?=\.?(?:\s|$))/.exec(detail)?.[0];
  return address ? say("errOrigin", { address }) : say("errForbidden");
}

// What the server expected, by its words: [of which field, of what it says, key]. A number is put in.
const FIELDS = [
  [/password$/, /at least (\d+)/, "fieldPassword"],
  [/new_password$/, /than the current/, "fieldPasswordSame"],
  [/current_password$/, /./, "wrongCurrentPassword"],
  [/password$/, /at most (\d+)/, "fieldPasswordLong"],
  [/password$/, /than the name/, "fieldPasswordName"],
  [/^\/name$/, /a-z/, "fieldName"],
  [/^\/client_id$/, /./, "errFault"],
  [/^\?q$/, /./, "fieldSearch"],
  [/./, /at most (\d+)/, "fieldLong"],
  [/./, /more than nothing|is missing/, "fieldEmpty"],
  [/./, /the character (U\+\w+)|control characters/, "fieldCharacter"],
];

function explainField({ pointer, detail }) {
  for (const [where, what, key] of FIELDS) {
    const found = where.test(pointer) && what.exec(detail);
    if (found) return say(key, { n: Number(found[1]) || 0 });
  }
  // Of what the server alone knows, its words are better than none.
  return language() === "en" ? sentence(detail) : say("fieldOther", { why: detail });
}

function sentence(text) {
  const upper = text[0].toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(upper) ? upper : upper + ".";
}
