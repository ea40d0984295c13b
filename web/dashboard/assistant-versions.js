/** An assistant's versions: who saved what and why, what changed, and the way forth and back. */

import { confirmed, showPanel } from "./dialogs.js";
import { button, element } from "./dom.js";
import { moment } from "./format.js";
import { group } from "./form.js";
import { attempt, notice } from "./notices.js";
import { moreButton } from "./tables.js";
import { refillable } from "./view.js";

const PAGE = 10;

/**
 * @param {import("./api.js").Api} api
 * @param {string} id the assistant's
 * @param {() => void} onPublished called when another version is published
 * @returns {{node: Node, refresh: () => void, close: () => void}}
 */
export function versionsCard(api, id, onPublished) {
  const place = refillable(async (signal) => {
    const list = element("ul", { class: "version-list", "aria-label": "Versions" });
    const show = async (before, ending = undefined) => {
      const page = await api.get(`/assistants/${id}/versions`, { limit: PAGE, before }, ending);
      list.append(...page.versions.map((version) => row(api, id, version, page.published_version, onPublished)));
      return page.next_before;
    };
    return [list, moreButton("Show older versions", await show(null, signal), show)];
  });
  place.refresh();
  return { node: group("Versions", [place.node]), refresh: place.refresh, close: place.close };
}

function row(api, id, version, published, onPublished) {
  const { number, note, author, created_at: at } = version;
  const { label, tone, action } = versionState(number, published);
  const labelled = { "aria-label": `${action} version ${number}` };
  return element("li", {},
    element("div", {},
      element("strong", {}, `Version ${number}`), " ",
      label ? element("span", { class: `chip ${tone}` }, label) : null,
      element("p", { class: "soft" }, `${author?.email ?? "A server"}, ${moment(at)}`),
      note ? element("p", {}, note) : null),
    element("div", { class: "row-actions" },
      number > 1
        ? button("quiet small", "Changes", () => showChanges(api, id, number), { "aria-label": `Changes of version ${number}` })
        : null,
      action ? button("quiet small", action, () => move(api, id, number, action, onPublished), labelled) : null));
}

/** What a version is, and what can be done with it. */
export function versionState(number, published) {
  if (number === published) return { label: "Published", tone: "good", action: null };
  if (number > published) return { label: "Draft", tone: "busy", action: "Publish" };
  return { label: null, tone: "idle", action: "Roll back to" };
}

async function move(api, id, number, action, onPublished) {
  const publishes = action === "Publish";
  const question = publishes
    ? { title: `Publish version ${number}?`, text: "The next question of every visitor meets it.", action: "Publish" }
    : {
      title: `Roll back to version ${number}?`,
      text: "A new version with that configuration is published. The access token stays the present one.",
      action: "Roll back",
    };
  if (!(await confirmed(question))) return;
  await attempt(async () => {
    const saved = await api.post(`/assistants/${id}/${publishes ? "publish" : "rollback"}`, { version: number });
    notice(publishes ? `Version ${number} is published.` : `Rolled back: version ${saved.version} is published.`);
    onPublished();
  });
}

function showChanges(api, id, number) {
  return attempt(async () => {
    const { changes, since } = await api.get(`/assistants/${id}/versions/${number}/changes`);
    const content = changes.length === 0 ? element("p", {}, "Nothing is different.") : changeTable(changes);
    showPanel(`Version ${number}, compared with version ${since}`, content);
  });
}

function changeTable(changes) {
  const heads = ["Setting", "Before", "After"].map((head) => element("th", { scope: "col" }, head));
  return element("table", { class: "comparison" },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...changes.map(({ field, before, after }) => element("tr", {},
      element("th", { scope: "row" }, field.replaceAll("_", " ").replaceAll(".", ": ")),
      element("td", {}, valueText(before)),
      element("td", {}, valueText(after))))));
}

/** A value of a configuration as people read it. */
export function valueText(value) {
  if (value === null || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
