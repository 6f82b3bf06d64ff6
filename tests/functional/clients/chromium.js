// A browser that tests drive: Chromium's DevTools protocol over a pipe, without other packages.
//
//   const browser = await Chromium.start("/tmp/folder");
//   const page = await browser.page();            // each in a profile of its own
//   await page.open("http://localhost:8080/");
//   await page.type("#name", "ann");
//   await page.press("Enter");
//   await page.until(() => document.title === "framewall");
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");

const PATIENCE_MS = 60000;

class Chromium {
  #process;
  #last = 0;
  #asked = new Map();
  #pages = new Map();  // session → Page
  #rest = Buffer.alloc(0);

  static async start(home, flags = []) {
    const browser = new Chromium();
    await browser.#spawn(home, flags);
    return browser;
  }

  async #spawn(home, flags) {
    const all = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--ignore-certificate-errors", "--force-color-profile=srgb",
      "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
      "--user-data-dir=" + home + "/browser", "--remote-debugging-pipe", ...flags];
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
    this.#process = spawn("/usr/bin/chromium", all, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], env });
    this.#process.stdio[4].on("data", (data) => this.#read(data));
    this.#process.on("exit", () => {
      for (const { reject } of this.#asked.values()) reject(new Error("chromium is gone"));
    });
    await this.ask("Browser.getVersion");
  }

  ask(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.#process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject, method }));
  }

  async page({ width = 1280, height = 800, language = "en-GB", dark = false, phone = false } = {}) {
    const { browserContextId } = await this.ask("Target.createBrowserContext");
    const page = await this.tab(browserContextId);
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: phone ? 2 : 1, mobile: phone });
    if (phone) await page.ask("Emulation.setTouchEmulationEnabled", { enabled: true });
    await page.ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
    await page.ask("Emulation.setLocaleOverride", { locale: language });
    const { userAgent } = await this.ask("Browser.getVersion");
    await page.ask("Emulation.setUserAgentOverride", { userAgent, acceptLanguage: language });
    return page;
  }

  // Another page of the same profile.
  async tab(browserContextId) {
    const { targetId } = await this.ask("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.ask("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, browserContextId);
    this.#pages.set(sessionId, page);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.ask(domain + ".enable");
    await page.ask("Emulation.setFocusEmulationEnabled", { enabled: true });
    return page;
  }

  async stop() {
    await Promise.race([this.ask("Browser.close"), wait(3000)]).catch(() => {});
    this.#process.kill("SIGKILL");
  }

  #read(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    for (;;) {
      const end = this.#rest.indexOf(0);
      if (end < 0) return;
      const message = JSON.parse(this.#rest.subarray(0, end).toString());
      this.#rest = this.#rest.subarray(end + 1);
      const asked = this.#asked.get(message.id);
      if (asked) {
        this.#asked.delete(message.id);
        if (message.error) asked.reject(new Error(`${asked.method}: ${message.error.message}`));
        else asked.resolve(message.result);
      } else if (message.sessionId) {
        this.#pages.get(message.sessionId)?.event(message.method, message.params);
      }
    }
  }
}

class Page {
  #browser;
  #session;
  profile;
  // What the console showed as errors: {source, text}; "network" are requests that failed.
  errors = [];
  // Answers that came: {url, status, headers}.
  responses = [];
  // Texts that went over sockets: {sent, text}.
  frames = [];

  constructor(browser, session, profile) {
    this.#browser = browser;
    this.#session = session;
    this.profile = profile;
  }

  ask(method, params) {
    return this.#browser.ask(method, params, this.#session);
  }

  event(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const { exceptionDetails: thrown } = params;
      this.errors.push({ source: "exception", text: thrown.exception?.description ?? thrown.text });
    } else if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
      this.errors.push({ source: "console", text: params.args.map((one) => one.value ?? one.description).join(" ") });
    } else if (method === "Log.entryAdded" && params.entry.level === "error") {
      const { source, text, url } = params.entry;
      this.errors.push({ source: source === "network" || /WebSocket connection to/.test(text) ? "network" : source, text: `${text} ${url ?? ""}` });
    } else if (method === "Network.responseReceived") {
      const { url, status, headers } = params.response;
      this.responses.push({ url, status, headers });
    } else if (method === "Network.webSocketFrameSent" || method === "Network.webSocketFrameReceived") {
      this.frames.push({ sent: method.endsWith("Sent"), text: params.response.payloadData });
    } else if (method === "Page.javascriptDialogOpening") {
      this.ask("Page.handleJavaScriptDialog", { accept: true });
    }
  }

  async open(url) {
    const { errorText } = await this.ask("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await this.until(() => document.readyState === "complete");
  }

  async reload() {
    await this.run(() => { window.beforeReload = true; });
    await this.ask("Page.reload");
    await this.until(() => !window.beforeReload && document.readyState === "complete");
  }

  // What `what`, a function that knows nothing of its surroundings, gives in the page.
  async run(what, ...values) {
    const expression = `(${what})(...${JSON.stringify(values)})`;
    const { result, exceptionDetails } = await this.ask("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  // Until it gives something true, which is returned.
  async until(what, ...values) {
    const end = Date.now() + PATIENCE_MS;
    for (let last = null; ; ) {
      try {
        const found = await this.run(what, ...values);
        if (found) return found;
      } catch (error) {
        last = error;  // the page is just being replaced
      }
      if (Date.now() > end) throw new Error(`never: ${what} ${JSON.stringify(values)} ${last ?? ""}`);
      await wait(25);
    }
  }

  // An element that is to be seen.
  see(selector) {
    return this.until((wanted) => {
      const found = document.querySelector(wanted);
      return found !== null && found.checkVisibility();
    }, selector);
  }

  // One of `selector` that holds `text`.
  seeText(selector, text) {
    return this.until((wanted, words) =>
      [...document.querySelectorAll(wanted)].some((one) => one.checkVisibility() && one.textContent.includes(words)), selector, text);
  }

  async click(selector, text = "") {
    const at = await this.until((wanted, words) => {
      const found = [...document.querySelectorAll(wanted)].find((one) => one.checkVisibility() && one.textContent.includes(words));
      if (!found) return null;
      found.scrollIntoView({ block: "nearest" });
      const box = found.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }, selector, text);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.ask("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
    }
  }

  async type(selector, text) {
    await this.see(selector);
    await this.run((wanted) => {
      const field = document.querySelector(wanted);
      field.focus();
      field.select?.();
    }, selector);
    await this.ask("Input.insertText", { text });
  }

  async press(key, { shift = false, control = false } = {}) {
    const codes = { Enter: 13, Escape: 27, Tab: 9, ArrowUp: 38, ArrowDown: 40, Home: 36, End: 35, Delete: 46, PageUp: 33 };
    const text = key === "Enter" && !control ? "\r" : key.length === 1 && !control ? key : undefined;
    const modifiers = (shift ? 8 : 0) + (control ? 2 : 0);
    const code = codes[key] ?? key.toUpperCase().charCodeAt(0);
    const name = key.length === 1 ? "Key" + key.toUpperCase() : key;
    const base = { key, code: name, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code, modifiers };
    await this.ask("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...base });
    await this.ask("Input.dispatchKeyEvent", { type: "keyUp", ...base });
  }

  async screenshot(file) {
    const { data } = await this.ask("Page.captureScreenshot", { format: "png" });
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

module.exports = { Chromium, wait };
