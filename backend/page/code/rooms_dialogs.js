// Making rooms and conversations, finding public ones, who is in one, leaving it.

import { choice, closeDialog, confirm, field, form, openDialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { explain } from "./errors.js";
import { newClientId } from "./ids.js";
import { say } from "./language.js";
import { notice } from "./notices.js";
import { placeName } from "./side.js";

// What the API calls a room, as the chat knows it.
export function fromApi(room, kind) {
  return { ...room, kind, role: room.my_state ?? "owner" };
}

function visibilityChoice(chosen) {
  return choice(say("visibility"), "visibility", [["private", say("visibilityPrivate")], ["public", say("visibilityPublic")]], chosen);
}

// Null where there is nothing to choose from. A model that is not offered any more can be kept.
function assistantChoice(models, chosen) {
  const known = models.some(([name]) => name === chosen) || !chosen ? models : [[chosen, chosen], ...models];
  return known.length > 0 ? choice(say("roomAssistant"), "assistant", [["", say("none")], ...known], chosen ?? "") : null;
}

export class RoomsDialogs {
  #api;
  #chat;
  #open;

  // `open(id)`: shows a room.
  constructor(api, chat, open) {
    this.#api = api;
    this.#chat = chat;
    this.#open = open;
  }

  async newRoom() {
    const models = await this.#models();
    const key = newClientId();
    openDialog(say("newRoom"), form([
      field(say("roomName"), "name", { required: true, maxlength: 80 }),
      visibilityChoice("private"),
      assistantChoice(models, null),
    ].filter(Boolean), say("create"), async ({ name, visibility, assistant }) => {
      const body = { name: name.trim(), visibility, assistant: assistant || null };
      this.#made(fromApi(await this.#api.post("rooms", body, key), "room"));
    }));
  }

  async newConversation() {
    const models = await this.#models();
    const key = newClientId();
    openDialog(say("newConversation"), form([
      field(say("conversationName"), "name", { maxlength: 80 }),
      models.length > 0 && choice(say("model"), "assistant", models),
    ].filter(Boolean), say("begin"), async ({ name, assistant }) => {
      const body = {};
      if (name.trim()) body.name = name.trim();
      if (assistant) body.assistant = assistant;
      this.#made(fromApi(await this.#api.post("conversations", body, key), "conversation"));
    }));
  }

  async browse() {
    let rooms;
    try {
      rooms = await this.#api.all("rooms", { of: "public" }, 500);
    } catch (error) {
      return notice(explain(error), { bad: true });
    }
    const list = element("ul", { class: "public-rooms" }, ...rooms.map((room) => element("li", {},
      element("span", { class: "place-name" }, room.name),
      this.#chat.rooms.has(room.id)
        ? button(say("open"), () => this.#go(room.id))
        : button(say("join"), () => this.join(room.id), "primary"))));
    openDialog(say("browseTitle"), rooms.length > 0 ? list : element("p", { class: "hint" }, say("noPublicRooms")));
  }

  async join(id) {
    try {
      this.#made(fromApi(await this.#api.put(`rooms/${id}/membership`), "room"));
    } catch (error) {
      notice(explain(error), { bad: true });
    }
  }

  async people(room) {
    let members;
    try {
      members = await this.#api.all(`rooms/${room.id}/members`, {}, 500);
    } catch (error) {
      return notice(explain(error), { bad: true });
    }
    const isOwner = members.some((one) => one.user.id === this.#chat.me.id && one.state === "owner");
    const list = element("ul", { class: "persons" }, ...members.map((one) => this.#person(room, one, isOwner)));
    const invite = isOwner && form(
      [field(say("inviteName"), "user", { required: true, maxlength: 64, autocapitalize: "none", spellcheck: "false" })],
      say("invite"),
      async ({ user }) => {
        await this.#api.post(`rooms/${room.id}/members`, { user: user.trim() });
        notice(say("invited", { name: user.trim() }));
        await this.people(room);
      }, { words: { not_found: "errNoUser" } });
    openDialog(say("people"), element("div", { class: "stack" }, list), invite);
  }

  async about(room) {
    const isConversation = room.kind === "conversation";
    const path = `${isConversation ? "conversations" : "rooms"}/${room.id}`;
    const isOwner = isConversation || room.role === "owner";
    const models = isOwner ? await this.#models() : [];
    const change = isOwner && form([
      field(say(isConversation ? "conversationName" : "roomName"), "name", { value: room.name, required: room.name !== "", maxlength: 80 }),
      !isConversation && visibilityChoice(room.visibility),
      assistantChoice(models, room.assistant),
    ].filter(Boolean), say("save"), async ({ name, visibility, assistant }) => {
      const body = {};
      if (name.trim() !== room.name) body.name = name.trim();
      if (visibility !== undefined && visibility !== room.visibility) body.visibility = visibility;
      if (assistant !== undefined && assistant !== (room.assistant ?? "")) body.assistant = assistant || null;
      if (Object.keys(body).length > 0) this.#chat.know(fromApi(await this.#api.patch(path, body), room.kind));
      closeDialog();
    });
    const name = placeName(room);
    const away = () => {
      this.#chat.forget(room.id);
      this.#open("");
    };
    const leave = isOwner
      ? button(say(isConversation ? "deleteConversation" : "deleteRoom"), () =>
        confirm(say("deleteRoomTitle", { room: name }), say("deleteRoomText"), say("delete"), async () => {
          await this.#api.delete(path);
          away();
        }), "secondary danger")
      : button(say("leaveRoom"), () =>
        confirm(say("leaveTitle", { room: name }), say("leaveText"), say("leaveRoom"), async () => {
          await this.#api.delete(`rooms/${room.id}/membership`);
          away();
        }), "secondary danger");
    openDialog(name, change, element("div", { class: "stack" }, leave));
  }

  #person(room, one, isOwner) {
    const isHere = room.online.has(one.user.id);
    const words = [one.state === "owner" && say("owner"), one.state === "invited" && say("isInvited"),
      one.user.id === this.#chat.me.id && say("you"), isHere && say("isHere")].filter(Boolean);
    const remove = isOwner && one.state !== "owner" && button(say("remove"), async () => {
      try {
        await this.#api.delete(`rooms/${room.id}/members/${one.user.id}`);
        await this.people(room);
      } catch (error) {
        notice(explain(error), { bad: true });
      }
    }, "link");
    return element("li", {}, element("i", { class: isHere ? "dot here" : "dot", "aria-hidden": "true" }),
      element("span", { class: "person" }, one.user.display_name || one.user.name,
        element("span", {}, " " + [one.user.name, ...words].join(" · "))), remove);
  }

  async #models() {
    try {
      return (await this.#api.get("models")).items.map(({ name }) => [name, name]);
    } catch {
      return [];
    }
  }

  #made(room) {
    this.#chat.know(room);
    this.#go(room.id);
  }

  #go(id) {
    closeDialog();
    this.#open(id);
  }
}
