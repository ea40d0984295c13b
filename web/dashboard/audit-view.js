/** The audit log: who changed what, searched, page by page, and as a file. */

import { entryRow } from "./audit-entries.js";
import { element } from "./dom.js";
import { field, form, input, select } from "./form.js";
import { moreButton, table } from "./tables.js";
import { empty, page, refillable } from "./view.js";

const PAGE = 50;
const ACTORS = [
  ["", "Everybody"], ["member", "Members"], ["key", "Keys"], ["operator", "The platform's operators"],
  ["anonymous", "Nobody known"], ["system", "The system itself"],
];
const OBJECTS = [
  ["", "Everything"], ["session", "Log-ins"], ["account", "Passwords and accounts"], ["member", "Members"],
  ["invitation", "Invitations"], ["key", "Keys"], ["identity_secret", "Identity secrets"], ["assistant", "Assistants"],
  ["widget", "Widgets"], ["tool", "Tools"], ["mcp_server", "MCP servers"], ["document", "Documents"],
  ["knowledge_source", "Knowledge elsewhere"], ["cap", "Caps"], ["tenant", "The company"], ["visitor", "Visitors"],
  ["conversation", "Conversations"], ["retention", "Retention"], ["data_request", "Exports and erasures"],
  ["audit", "This log"],
];
const FORMS = [["csv", "Download as CSV"], ["jsonl", "Download as JSON lines"]];

/** @param {import("./api.js").Api} api */
export function auditView(api) {
  const choices = filters();
  const list = refillable(async (signal) => {
    const asked = choices.query();
    const rows = element("tbody");
    const show = async (cursor, ending = undefined) => {
      const found = await api.get("/audit", { ...asked, limit: PAGE, cursor }, ending);
      rows.append(...found.entries.map(entryRow));
      return found.next_cursor;
    };
    const next = await show(null, signal);
    if (rows.children.length === 0) return [empty("versions", "Nothing here", "No change fits what you look for.")];
    const older = moreButton("Show older changes", next, show);
    return [table(["When", "Who", "What", "To", "Changes"], rows, { class: "audit" }), element("div", { class: "actions" }, older)];
  });
  const search = form("Search", choices.fields, () => list.refresh(),
    FORMS.map(([kind, label]) => [label, () => download(api, choices.query(), kind)]));
  search.classList.add("card", "key-form");
  search.addEventListener("input", () => delete search.dataset.changed); // there is nothing to save
  list.refresh();
  const intro = "Who changed what, when and from where. Nothing in it can be changed; secrets are never shown.";
  return { node: page("Audit log", intro, search, list.node), close: list.close };
}

function filters() {
  const text = input("", { type: "search", autocomplete: "off", placeholder: "A name, a field, a value" });
  const actor = select("", ACTORS);
  const object = select("", OBJECTS);
  const since = input("", { type: "date" });
  const until = input("", { type: "date" });
  const fields = [
    field("text", "Contains", text), field("actor", "Who", actor), field("object", "What", object),
    field("since", "From", since), field("until", "To", until),
  ];
  const query = () => auditQuery({
    text: text.value, actor: actor.value, object: object.value, since: since.value, until: until.value,
  });
  return { fields, query };
}

/** What the API is asked for: days are those of this computer, the last one included. */
export function auditQuery({ text, actor, object, since, until }) {
  const start = (day, later) => {
    const [year, month, date] = day.split("-").map(Number);
    return new Date(year, month - 1, date + later).toISOString();
  };
  return {
    text: text.trim() || null,
    actor: actor || null,
    object: object || null,
    since: since ? start(since, 0) : null,
    until: until ? start(until, 1) : null,
  };
}

/** One file after the other, until all that is meant is in one. */
async function download(api, asked, kind) {
  let cursor = null;
  for (let number = 1; number === 1 || cursor !== null; number += 1) {
    const answer = await api.file("/audit/export", { ...asked, format: kind, cursor });
    save(await answer.blob(), number === 1 ? `audit.${kind}` : `audit-${number}.${kind}`);
    cursor = answer.headers.get("X-Next-Cursor");
  }
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address));
}
