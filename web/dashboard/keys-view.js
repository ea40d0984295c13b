/** The keys: which there are, new ones, and ending them. */

import { copyable } from "./copyable.js";
import { confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { embedSnippet, servedFrom } from "./embed.js";
import { field, form, input, select } from "./form.js";
import { moment } from "./format.js";
import { notice, problem } from "./notices.js";
import { empty, fill, page } from "./view.js";

const KINDS = [["publishable", "Publishable, for a website"], ["secret", "Secret, for a server"]];

/** @param {import("./api.js").Api} api */
export function keysView(api) {
  const place = element("div");
  const made = element("div", { "aria-live": "polite" });
  let close = () => {};
  const refresh = () => {
    close();
    close = fill(place, async (signal) => {
      const { keys } = await api.get("/keys", {}, signal);
      const revoke = (key) => revokeKey(api, key, refresh);
      if (keys.length === 0) return [empty("key", "No keys", "Make one to embed the widget or to call the API.")];
      return [keyTable(keys, revoke)];
    });
  };
  refresh();
  const intro = "Publishable keys embed the widget; secret keys let your servers use the API.";
  return { node: page("Keys", intro, newKeyForm(api, made, refresh), made, place), close: () => close() };
}

function newKeyForm(api, place, onMade) {
  const name = input("", { autocomplete: "off", placeholder: "Website" });
  const kind = select("publishable", KINDS);
  const send = async () => {
    const key = await api.post("/keys", { kind: kind.value, name: name.value });
    name.value = "";
    place.replaceChildren(newKey(key, () => place.replaceChildren()));
    onMade();
  };
  const made = form("Make a key", [field("name", "Name", name), field("kind", "Kind", kind)], send);
  made.classList.add("card", "key-form");
  return made;
}

/** The text of a new key, for as long as it is shown. */
function newKey({ key, kind, name }, onDone) {
  const embed = () => [element("p", {}, "To embed the widget:"), copyable(embedSnippet(key, servedFrom()), "embed code")];
  return element("section", { class: "card new-key", "aria-label": "New key" },
    element("h2", {}, `“${name}” is ready`),
    element("p", { class: "soft" }, "Copy it now: it is not shown again."),
    copyable(key, `${kind} key`),
    ...(kind === "publishable" ? embed() : []),
    element("div", { class: "actions" }, button("quiet", "I have copied it", onDone)));
}

function keyTable(keys, revoke) {
  const heads = ["Name", "Key", "Kind", "Made", "State", ""];
  return element("div", { class: "table-frame card" },
    element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head || screenOnly("Action"))))),
      element("tbody", {}, ...keys.map((key) => keyRow(key, revoke)))));
}

function screenOnly(text) {
  return element("span", { class: "unseen" }, text);
}

function keyRow(key, revoke) {
  const { label, tone, usable } = keyState(key);
  return element("tr", {},
    element("th", { scope: "row" }, key.name),
    element("td", {}, element("code", {}, key.hint)),
    element("td", {}, key.kind),
    element("td", {}, moment(key.created_at)),
    element("td", {}, element("span", { class: `chip ${tone}` }, label)),
    element("td", {}, usable ? button("quiet small", "Revoke", () => revoke(key), { "aria-label": `Revoke ${key.name}` }) : ""));
}

/** What a key is good for now. */
export function keyState({ revoked_at: revokedAt, expires_at: expiresAt }, now = Date.now()) {
  if (revokedAt !== null) return { label: "Revoked", tone: "idle", usable: false };
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return { label: "Expired", tone: "idle", usable: false };
  return { label: "Active", tone: "good", usable: true };
}

async function revokeKey(api, key, onDone) {
  const text = `Whatever uses “${key.name}” (${key.hint}) stops working at once. This cannot be undone.`;
  if (!(await confirmed({ title: "Revoke this key?", text, action: "Revoke" }))) return;
  try {
    await api.delete(`/keys/${key.id}`);
    notice(`“${key.name}” is revoked.`);
  } catch (error) {
    problem(error);
  }
  onDone();
}
