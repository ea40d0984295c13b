/** The keys: which there are, new ones, rotating and ending them; and the secrets for signed visitor identities. */

import { copyable } from "./copyable.js";
import { chosen, confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { embedSnippet, servedFrom } from "./embed.js";
import { field, form, input, select } from "./form.js";
import { moment } from "./format.js";
import { identitySecrets } from "./identity-secrets.js";
import { attempt } from "./notices.js";
import { OVERLAPS } from "./overlaps.js";
import { beneath, table } from "./tables.js";
import { empty, page, refillable } from "./view.js";

const DAY_MS = 86_400_000;
const KINDS = [["publishable", "Publishable, for a website"], ["secret", "Secret, for a server"]];
const ENDS = [["", "Never"], ["30", "In 30 days"], ["90", "In 90 days"], ["365", "In a year"]];
const SCOPES = [
  ["chat", "Chat"],
  ["conversations:read", "Read conversations"],
  ["conversations:write", "Change conversations"],
  ["knowledge:read", "Search and read documents"],
  ["knowledge:write", "Change documents"],
  ["config:read", "Read the configuration"],
  ["config:write", "Change the configuration"],
  ["usage:read", "Read usage"],
];

/** @param {import("./api.js").Api} api */
export function keysView(api) {
  const made = element("div", { "aria-live": "polite" });
  const identities = identitySecrets(api);
  const list = refillable(async (signal) => {
    const { keys } = await api.get("/keys", {}, signal);
    if (keys.length === 0) return [empty("key", "No keys", "Make one to embed the widget or to call the API.")];
    const rotate = (key) => rotateKey(api, key, made, list.refresh);
    const revoke = (key) => revokeKey(api, key, list.refresh);
    return [table(["Name", "May", "Last used", "State", ""], element("tbody", {}, ...keys.map((key) => keyRow(key, { rotate, revoke }))))];
  });
  list.refresh();
  const intro = "Publishable keys embed the widget; secret keys let your servers use the API.";
  const node = page("Keys", intro, newKeyForm(api, made, list.refresh), made, list.node, identities.node);
  const closeAll = () => {
    list.close();
    identities.close();
  };
  return { node, close: closeAll };
}

function newKeyForm(api, place, onMade) {
  const name = input("", { autocomplete: "off", placeholder: "Website" });
  const kind = select("publishable", KINDS);
  const ends = select("", ENDS);
  const scopes = scopeBoxes();
  kind.addEventListener("change", () => (scopes.node.hidden = kind.value !== "secret"));
  const send = async () => {
    const wish = { kind: kind.value, name: name.value, expires_at: endOf(ends.value) };
    if (kind.value === "secret") wish.scopes = scopes.chosen();
    const key = await api.post("/keys", wish);
    name.value = "";
    showNew(place, key);
    onMade();
  };
  const fields = [field("name", "Name", name), field("kind", "Kind", kind), field("expires_at", "Ends", ends), scopes.node];
  const made = form("Make a key", fields, send);
  made.classList.add("card", "key-form");
  return made;
}

/** When a key made now is to end. @param {string} days "" for never */
export function endOf(days, now = Date.now()) {
  return days === "" ? null : new Date(now + Number(days) * DAY_MS).toISOString();
}

function scopeBoxes() {
  const boxes = SCOPES.map(([value, label]) => [element("input", { type: "checkbox", value, checked: true }), label]);
  const node = element("fieldset", { class: "scopes", hidden: true },
    element("legend", {}, "May be used to"),
    ...boxes.map(([box, label]) => element("label", {}, box, label)));
  return { node, chosen: () => boxes.filter(([box]) => box.checked).map(([box]) => box.value) };
}

/** What a key may do, in words. @param {{kind: string, scopes: string[]}} key */
export function scopesIn({ kind, scopes }) {
  if (kind === "publishable") return "Widget";
  return scopes.length === SCOPES.length ? "Everything" : scopes.join(", ");
}

/** The text of a new key, for as long as it is shown. */
function showNew(place, { key, kind, name }) {
  const embed = () => [element("p", {}, "To embed the widget:"), copyable(embedSnippet(key, servedFrom()), "embed code")];
  place.replaceChildren(element("section", { class: "card new-key", "aria-label": "New key" },
    element("h2", {}, `“${name}” is ready`),
    element("p", { class: "soft" }, "Copy it now: it is not shown again."),
    copyable(key, `${kind} key`),
    ...(kind === "publishable" ? embed() : []),
    element("div", { class: "actions" }, button("quiet", "I have copied it", () => place.replaceChildren()))));
}

function keyRow(key, { rotate, revoke }) {
  const { label, tone, usable } = keyState(key);
  const action = (verb, act) => button("quiet small", verb, () => act(key), { "aria-label": `${verb} ${key.name}` });
  const actions = usable ? [key.replaced_by ? null : action("Rotate", rotate), action("Revoke", revoke)] : [];
  return element("tr", {},
    element("th", { scope: "row" }, key.name, beneath(element("code", {}, key.hint))),
    element("td", { class: "wrapping" }, scopesIn(key)),
    element("td", {}, key.last_used_at ? moment(key.last_used_at) : "Never", beneath(`made ${moment(key.created_at)}`)),
    element("td", {},
      element("span", { class: `chip ${tone}` }, label),
      usable && key.expires_at ? beneath(`until ${moment(key.expires_at)}`) : null),
    element("td", {}, element("div", { class: "row-actions" }, ...actions)));
}

/** What a key is good for now. */
export function keyState({ revoked_at: revokedAt, expires_at: expiresAt, replaced_by: replacedBy }, now = Date.now()) {
  if (revokedAt !== null) return { label: "Revoked", tone: "idle", usable: false };
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return { label: "Expired", tone: "idle", usable: false };
  if (replacedBy) return { label: "Replaced", tone: "busy", usable: true };
  return { label: "Active", tone: "good", usable: true };
}

async function rotateKey(api, key, place, onDone) {
  const text = `A new key takes the place of “${key.name}” (${key.hint}). Exchange it wherever it is used before the old one ends.`;
  const label = "The old key goes on for";
  const hours = await chosen({ title: "Rotate this key?", text, action: "Rotate", label, value: "24", options: OVERLAPS });
  if (hours === null) return;
  await attempt(async () => showNew(place, await api.post(`/keys/${key.id}/rotate`, { overlap_hours: Number(hours) })));
  onDone();
}

async function revokeKey(api, key, onDone) {
  const text = `Whatever uses “${key.name}” (${key.hint}) stops working at once. This cannot be undone.`;
  if (!(await confirmed({ title: "Revoke this key?", text, action: "Revoke" }))) return;
  await attempt(() => api.delete(`/keys/${key.id}`), `“${key.name}” is revoked.`);
  onDone();
}
