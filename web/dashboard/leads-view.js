/** What visitors left in the widgets' contact forms. */

import { confirmed } from "./dialogs.js";
import { element, iconButton } from "./dom.js";
import { moment } from "./format.js";
import { attempt } from "./notices.js";
import { moreButton, table } from "./tables.js";
import { empty, fill, page } from "./view.js";

/** @param {import("./api.js").Api} api */
export function leadsView(api) {
  const place = element("div");
  const close = fill(place, async (signal) => {
    const rows = element("tbody");
    const show = async (cursor, ending = undefined) => {
      const found = await api.get("/leads", { cursor }, ending);
      rows.append(...found.leads.map((lead) => leadRow(api, lead)));
      return found.cursor;
    };
    const next = await show(null, signal);
    if (rows.children.length === 0) return [empty("people", "No contacts yet", "Give a widget a contact form, and what visitors fill in comes here.")];
    const older = moreButton("Show older contacts", next, show);
    return [table(["When", "What they left", "What they agreed to", ""], rows), element("div", { class: "actions" }, older)];
  });
  return { node: page("Contacts", "What visitors left in the contact form of a widget.", place), close };
}

function leadRow(api, lead) {
  const fields = Object.entries(lead.fields).map(([name, value]) => element("div", {}, element("span", { class: "soft" }, `${name} `), value));
  const row = element("tr", {},
    element("td", {}, moment(lead.created_at)), element("td", {}, ...fields), element("td", {}, lead.consent ?? "–"),
    element("td", {}, iconButton("trash", `Delete the contact of ${moment(lead.created_at)}`, () => forget(api, lead, row))));
  return row;
}

async function forget(api, lead, row) {
  if (!(await confirmed({ title: "Delete this contact?", text: "It cannot be brought back.", action: "Delete" }))) return;
  await attempt(async () => {
    await api.delete(`/leads/${lead.id}`);
    row.remove();
  }, "The contact is deleted.");
}
