// Requests to /api/v1/, and what becomes of them.

const BASE = "/api/v1/";
const PATIENCE_MS = 30000;

// Why a request did not do what it should:
//   network  no answer           refused  by the gateway's rules, not by the server
//   problem  the server's own, with `problem` as in RFC 9457
//   other    a status without a word
export class ApiError extends Error {
  constructor(kind, status = 0, problem = null, retryAfter = null) {
    super(problem?.detail ?? `${kind} ${status}`);
    Object.assign(this, { kind, status, problem, retryAfter });
  }

  get code() {
    return this.problem?.code ?? "";
  }

  get needsLogin() {
    return this.status === 401;
  }
}

// `session`: token(): a Promise of the access token, "" where nobody is logged in; expired(): the
// token was refused: a Promise of true where there is a newer one.
export class Api {
  #session;

  constructor(session) {
    this.#session = session;
  }

  get(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const search = new URLSearchParams(given).toString();
    return this.#request("GET", path + (search && "?" + search));
  }

  // `key`: an Idempotency-Key, so that a request that is sent again makes nothing twice.
  post(path, body, key = null) {
    return this.#request("POST", path, body, key);
  }

  patch(path, body) {
    return this.#request("PATCH", path, body);
  }

  put(path, body) {
    return this.#request("PUT", path, body);
  }

  delete(path) {
    return this.#request("DELETE", path);
  }

  // Every page of a list.
  async all(path, query = {}, most = 1000) {
    const items = [];
    let cursor = null;
    do {
      const page = await this.get(path, { ...query, cursor });
      items.push(...page.items);
      cursor = page.next ?? null;
    } while (cursor !== null && items.length < most);
    return items;
  }

  async #request(method, path, body, key = null) {
    const headers = {};
    if (key) headers["Idempotency-Key"] = key;
    for (let again = false; ; again = true) {
      const token = await this.#session.token();
      if (token) headers["Authorization"] = "Bearer " + token;
      try {
        return await send(method, path, body, headers);
      } catch (error) {
        if (!error.needsLogin || again || !(await this.#session.expired())) throw error;
      }
    }
  }
}

// One request; the answer's JSON, null where it has no body.
export async function send(method, path, body = undefined, headers = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, cache: "no-store" };
  options.credentials = "same-origin";
  options.signal = AbortSignal.timeout(PATIENCE_MS);
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  let text;
  try {
    response = await fetch(BASE + path, options);
    text = await response.text();
  } catch {
    throw new ApiError("network");
  }
  const type = response.headers.get("Content-Type") ?? "";
  const json = /^application\/(problem\+)?json/.test(type) ? parsed(text) : null;
  if (response.ok) return json;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const isRefused = response.status === 403 && (!json?.code || json.code === "refused");
  if (json?.code && !isRefused) throw new ApiError("problem", response.status, json, retryAfter);
  // The server always says why; who says 403 and nothing more is the gateway.
  throw new ApiError(isRefused ? "refused" : "other", response.status, null, retryAfter);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
