/** What visitors left in the widgets' contact forms. */

import { confirmed } from "./dialogs.js";
import { button, element, iconButton } from "./dom.js";
import { moment } from "./format.js";
import { notice, problem } from "./notices.js";
import { empty, fill, page } from "./view.js";

/** @param {import("./api.js").Api} api */
export function leadsView(api) {
  const place = element("div");
  const close = fill(place, async (signal) => {
    const { leads, cursor } = await api.get("/leads", {}, signal);
    if (leads.length === 0) return [empty("people", "No contacts yet", "Give a widget a contact form, and what visitors fill in comes here.")];
    const rows = element("tbody", {}, ...leads.map((lead) => leadRow(api, lead)));
    return [table(rows), more(api, rows, cursor)];
  });
  return { node: page("Contacts", "What visitors left in the contact form of a widget.", place), close };
}

function table(rows) {
  const heads = ["When", "What they left", "What they agreed to", ""];
  return element("div", { class: "table-frame card" },
    element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), rows));
}

function leadRow(api, lead) {
  const fields = Object.entries(lead.fields).map(([name, value]) => element("div", {}, element("span", { class: "soft" }, `${name} `), value));
  const row = element("tr", {},
    element("td", {}, moment(lead.created_at)), element("td", {}, ...fields), element("td", {}, lead.consent ?? "–"),
    element("td", {}, iconButton("trash", "Delete", () => forget(api, lead, row))));
  return row;
}

async function forget(api, lead, row) {
  if (!(await confirmed({ title: "Delete this contact?", text: "It cannot be brought back.", action: "Delete" }))) return;
  try {
    await api.delete(`/leads/${lead.id}`);
    row.remove();
    notice("The contact is deleted.");
  } catch (error) {
    problem(error);
  }
}

function more(api, rows, cursor) {
  let next = cursor;
  const show = button("quiet", "Show older contacts", async () => {
    try {
      const found = await api.get("/leads", { cursor: next });
      rows.append(...found.leads.map((lead) => leadRow(api, lead)));
      next = found.cursor;
      show.hidden = next === null;
    } catch (error) {
      problem(error);
    }
  });
  show.hidden = next === null;
  return element("div", { class: "actions" }, show);
}
