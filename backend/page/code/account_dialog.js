// One's own account: name, password, language, logging out.

import { closeDialog, field, form, openDialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { explain } from "./errors.js";
import { say, switchLanguage } from "./language.js";
import { notice } from "./notices.js";

// `renamed(me)`, `out()`: what has to follow. `withoutSocket(work)`: a new password closes sockets of
// the session before, and this must not look as if somebody had logged us out.
export function accountDialog({ api, session, renamed, out, withoutSocket }) {
  const leave = async (everywhere) => {
    try {
      await session.logOut(everywhere);
    } catch (error) {
      return notice(explain(error), { bad: true });
    }
    closeDialog();
    out();
  };
  openDialog(session.me.name,
    form([field(say("displayName"), "display_name", { value: session.me.display_name, required: true, maxlength: 64 })],
      say("save"),
      async ({ display_name: name }) => {
        renamed(await api.patch("me", { display_name: name.trim() }));
        closeDialog();
      }),
    element("details", {}, element("summary", {}, say("changePassword")), form([
      field(say("currentPassword"), "before", { type: "password", required: true, autocomplete: "current-password" }),
      field(say("newPassword"), "after", { type: "password", required: true, autocomplete: "new-password" }),
    ], say("changePassword"), async ({ before, after }) => {
      await withoutSocket(() => session.changePassword(before, after));
      closeDialog();
      notice(say("passwordChanged"));
    })),
    element("div", { class: "stack" },
      button(say("otherLanguage"), () => {
        switchLanguage();
        closeDialog();
      }),
      button(say("logOut"), () => leave(false)),
      button(say("logOutEverywhere"), () => leave(true), "secondary danger")));
}
