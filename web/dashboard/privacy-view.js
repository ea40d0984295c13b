/** What people may ask of their data: archives of it, its end, and how long it is kept at all. */

import { confirmed, showPanel } from "./dialogs.js";
import { button, element, icon } from "./dom.js";
import { field, form, input, typed } from "./form.js";
import { moment, numberOr } from "./format.js";
import { attempt, notice, problem } from "./notices.js";
import { beneath, namedTable } from "./tables.js";
import { fill, page } from "./view.js";

const PAUSE_MS = 3_000;
const STATES = {
  waiting: ["Waiting", "busy"],
  open: ["Under way", "busy"],
  done: ["Done", "good"],
  cancelled: ["Called off", "idle"],
  expired: ["Archive removed", "idle"],
};

/** @param {import("./api.js").Api} api */
export function privacyView(api) {
  const forms = element("div", { class: "stack" });
  const requests = element("div", { "aria-live": "polite" });
  let stop = () => {};
  const look = () => {
    stop();
    stop = requestsShown(api, requests, look);
  };
  const close = fill(forms, async (signal) => {
    const me = await api.get("/auth/me", {}, signal);
    if (!["owner", "admin"].includes(me.role)) return [element("p", { class: "soft" }, "Owners and admins export and erase data.")];
    const periods = await api.get(`/tenants/${me.tenant_id}/retention`, {}, signal);
    look();
    return [visitorForm(api, look), retentionForm(api, me, periods), me.role === "owner" ? companyCard(api, me, look) : null].filter(Boolean);
  });
  const lead = "Give people their data, erase it everywhere, and decide how long it is kept.";
  const closeAll = () => {
    close();
    stop();
  };
  return { node: page("Privacy", lead, forms, requests), close: closeAll };
}

function visitorForm(api, onDone) {
  const id = input("", { autocomplete: "off", placeholder: "00000000-0000-0000-0000-000000000000", spellcheck: "false" });
  const ask = async (what) => {
    const request = await api.post(`/visitors/${encodeURIComponent(id.value.trim())}/${what}`);
    notice(request.status === "done" ? "It is done." : "It is under way.");
    onDone();
  };
  const erase = async () => {
    const text = "Conversations, feedback and everything else of this visitor go for good, and archives with them in it.";
    if (await confirmed({ title: "Erase this visitor?", text, action: "Erase" })) await ask("erase");
  };
  const hint = "It stands at the head of each of their conversations.";
  const made = form("Export", [field("visitor_id", "The visitor's id", id, hint)], () => ask("export"), [["Erase", erase]]);
  return card("A visitor", made);
}

function retentionForm(api, me, periods) {
  const days = (name) => input(periods[name] ?? "", { type: "number", min: 1, max: 3650, placeholder: "for ever" });
  const conversations = days("conversation_days");
  const audit = days("audit_days");
  const send = async () => {
    const wish = { conversation_days: daysIn(typed(conversations)), audit_days: daysIn(typed(audit)) };
    await api.put(`/tenants/${me.tenant_id}/retention`, wish);
    notice("Saved. What is older goes within a day.");
  };
  const fields = [
    field("conversation_days", "Days that conversations are kept after their last message", conversations, "Empty: for ever."),
    field("audit_days", "Days that the audit log is kept", audit, "Empty: for ever."),
  ];
  return card("How long data is kept", form("Save", fields, send));
}

/** @param {string} text @returns {number | null} null for ever */
export function daysIn(text) {
  return text.trim() === "" ? null : numberOr(text);
}

function companyCard(api, me, onDone) {
  const name = input("", { autocomplete: "off" });
  const exportAll = async () => {
    await attempt(() => api.post(`/tenants/${me.tenant_id}/export`), "The archive is being made.");
    onDone();
  };
  const erase = async () => {
    await api.post(`/tenants/${me.tenant_id}/erase`, { name: name.value });
    name.value = "";
    notice("Everything is erased in 72 hours, unless an owner calls it off.");
    onDone();
  };
  const hint = "Everything goes in 72 hours: conversations, documents, assistants, members. Until then it can be called off.";
  return card("The whole company",
    element("div", { class: "actions" }, button("quiet", "Export everything", exportAll)),
    form("Erase the company", [field("name", "Type the company's name to erase it", name, hint)], erase));
}

function card(title, ...content) {
  return element("section", { class: "card privacy-card", "aria-label": title }, element("h2", {}, title), ...content);
}

/** The requests, asked for again while one is under way. @returns {() => void} ends it */
function requestsShown(api, place, onChange) {
  const ending = new AbortController();
  const ask = async () => {
    const { requests } = await api.get("/data-requests", {}, ending.signal);
    if (ending.signal.aborted) return;
    place.replaceChildren(...(requests.length > 0 ? [requestTable(api, requests, onChange)] : []));
    if (requests.some(({ status }) => status === "open")) timer = setTimeout(attempt, PAUSE_MS);
  };
  let timer = null;
  const attempt = () => ask().catch((error) => ending.signal.aborted || problem(error));
  attempt();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

function requestTable(api, requests, onChange) {
  const rows = requests.map((request) => requestRow(api, request, onChange));
  return namedTable("Requests", ["What", "Of whom", "Asked for", "State", ""], rows);
}

function requestRow(api, request, onChange) {
  const [label, tone] = STATES[request.status];
  const buttons = [
    request.download_url ? element("a", { class: "button quiet small", href: request.download_url, download: true }, icon("download"), "Archive") : null,
    request.receipt ? button("quiet small", "Receipt", () => showReceipt(request)) : null,
    request.status === "waiting" ? button("quiet small", "Call off", () => callOff(api, request, onChange)) : null,
  ];
  return element("tr", {},
    element("th", { scope: "row" }, request.kind === "erase" ? "Erasure" : "Export"),
    element("td", {}, request.visitor_id ? element("code", {}, request.visitor_id) : "The whole company"),
    element("td", {}, moment(request.requested_at)),
    element("td", {},
      element("span", { class: `chip ${tone}` }, label),
      request.due_at ? beneath(`begins ${moment(request.due_at)}`) : null),
    element("td", {}, element("div", { class: "row-actions" }, ...buttons.filter(Boolean))));
}

function showReceipt({ kind, receipt, signature }) {
  const lines = kind === "erase" ? storeLines(receipt) : rowLines(receipt);
  showPanel("Receipt",
    element("ul", {}, ...lines.map((line) => element("li", {}, line))),
    element("pre", { class: "receipt" }, JSON.stringify({ receipt, signature }, null, 2)));
}

/** What became of the data in each store, in words. @param {{stores: object}} receipt */
export function storeLines({ stores }) {
  return Object.entries(stores).map(([name, { found, erased, left }]) => `${name}: ${found} found, ${erased} erased, ${left} left`);
}

function rowLines({ rows }) {
  return Object.entries(rows).map(([name, count]) => `${name}: ${count}`);
}

async function callOff(api, request, onDone) {
  await attempt(() => api.post(`/data-requests/${request.id}/cancel`), "The erasure is called off.");
  onDone();
}
