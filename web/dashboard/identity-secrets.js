/** The secrets with which the company's own servers say who its visitors are. */

import { copyable } from "./copyable.js";
import { chosen, confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { moment } from "./format.js";
import { attempt } from "./notices.js";
import { OVERLAPS } from "./overlaps.js";
import { refillable } from "./view.js";

/** @param {import("./api.js").Api} api */
export function identitySecrets(api) {
  const made = element("div", { "aria-live": "polite" });
  const list = refillable(async (signal) => {
    const { secrets } = await api.get("/identity-secrets", {}, signal);
    const add = button("quiet", secrets.length > 0 ? "Rotate the secret" : "Make a secret", () => addSecret(api, secrets, made, list.refresh));
    return [...secrets.map((secret) => secretRow(secret, () => endSecret(api, secret, list.refresh))), element("div", { class: "actions" }, add)];
  });
  list.refresh();
  const node = element("section", { class: "card identity-secrets" },
    element("h2", {}, "Visitors who are logged in on your website"),
    element("p", { class: "soft" }, "Your server signs who they are with this secret, and the page hands it to the widget: ",
      element("code", {}, "ChatConnect.identify(identity)"), ". They keep their conversations on every device."),
    made, list.node);
  return { node, close: list.close };
}

function secretRow(secret, onEnd) {
  const until = secret.expires_at ? `until ${moment(secret.expires_at)}` : `since ${moment(secret.created_at)}`;
  return element("p", { class: "identity-secret" },
    element("code", {}, secret.hint), element("span", { class: "soft" }, until),
    button("quiet small", "End", onEnd, { "aria-label": `End ${secret.hint}` }));
}

async function addSecret(api, secrets, place, onDone) {
  const hours = secrets.length > 0 ? await overlap() : "0";
  if (hours === null) return;
  await attempt(async () => {
    const { secret } = await api.post("/identity-secrets", { overlap_hours: Number(hours) });
    place.replaceChildren(
      element("p", {}, "Copy it now: it is not shown again. It belongs on your server only."),
      copyable(secret, "identity secret"),
      element("div", { class: "actions" }, button("quiet", "I have copied it", () => place.replaceChildren())));
  });
  onDone();
}

function overlap() {
  const text = "Your server has to use the new secret before the old one ends.";
  const label = "The old secret goes on for";
  return chosen({ title: "Rotate the secret?", text, action: "Rotate", label, value: "24", options: OVERLAPS });
}

async function endSecret(api, secret, onDone) {
  const text = `What is signed with ${secret.hint} is refused from now on. This cannot be undone.`;
  if (!(await confirmed({ title: "End this secret?", text, action: "End" }))) return;
  await attempt(() => api.delete(`/identity-secrets/${secret.id}`), "The secret has ended.");
  onDone();
}
