/** One's own account: the password, the devices one is logged in on, and the companies one belongs to. */

import { button, element } from "./dom.js";
import { field, form, input } from "./form.js";
import { moment } from "./format.js";
import { attempt, notice } from "./notices.js";
import { table } from "./tables.js";
import { page, refillable } from "./view.js";

/** @param {import("./api.js").Api} api */
export function accountView(api) {
  const lists = refillable(async (signal) => {
    const [{ sessions }, { tenants }] = await Promise.all([api.get("/auth/sessions", {}, signal), api.get("/auth/tenants", {}, signal)]);
    return [sessionList(api, sessions, lists.refresh), tenants.length > 1 ? companyList(api, tenants) : null].filter(Boolean);
  });
  lists.refresh();
  const node = page("Your account", "Your password, and where you are logged in.", passwordForm(api, lists.refresh), lists.node);
  return { node, close: lists.close };
}

function passwordForm(api, onDone) {
  const current = input("", { type: "password", autocomplete: "current-password" });
  const wanted = input("", { type: "password", autocomplete: "new-password" });
  const send = async (made) => {
    await api.post("/auth/password", { current_password: current.value, new_password: wanted.value });
    made.reset();
    notice("Your password is changed. Your other devices are logged out.");
    onDone();
  };
  const fields = [
    field("current_password", "Present password", current),
    field("new_password", "New password", wanted, "At least 10 characters."),
  ];
  const made = form("Change the password", fields, send);
  made.classList.add("card", "key-form");
  return made;
}

function sessionList(api, sessions, onDone) {
  const end = async (send, said) => {
    await attempt(send, said);
    onDone();
  };
  const endOne = (session) => end(() => api.delete(`/auth/sessions/${session.id}`), "That device is logged out.");
  const endOthers = () => end(() => api.post("/auth/logout-everywhere", { keep_current: true }), "All other devices are logged out.");
  const rows = sessions.map((session) => element("tr", {},
    element("th", { scope: "row" }, deviceName(session.device)),
    element("td", {}, moment(session.created_at)),
    element("td", {}, session.current ? element("span", { class: "chip good" }, "This device") : moment(session.last_used_at)),
    element("td", {}, session.current ? "" : button("quiet small", "Log out", () => endOne(session), { "aria-label": `Log out ${deviceName(session.device)}` }))));
  return element("section", { "aria-label": "Devices" },
    element("h2", {}, "Where you are logged in"),
    table(["Device", "Logged in", "Last used", ""], element("tbody", {}, ...rows)),
    sessions.length > 1 ? element("div", { class: "actions" }, button("quiet", "Log out all other devices", endOthers)) : null);
}

function companyList(api, tenants) {
  const go = (tenant) => attempt(async () => {
    await api.switchTo(tenant.tenant_id);
    location.reload();
  });
  const items = tenants.map((tenant) => element("li", {},
    element("strong", {}, tenant.name), ` ${tenant.role} `,
    tenant.current ? element("span", { class: "chip good" }, "You are here") : button("quiet small", "Go there", () => go(tenant), { "aria-label": `Go to ${tenant.name}` })));
  return element("section", { "aria-label": "Companies" }, element("h2", {}, "Your companies"), element("ul", { class: "card companies" }, ...items));
}

const BROWSERS = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["Linux", "Linux"]];

/** A browser's own name for itself, as people say it: "Firefox on Linux"; other programs keep the name they give. */
export function deviceName(agent) {
  const known = (pairs) => pairs.find(([mark]) => agent.includes(mark))?.[1];
  const [browser, system] = [known(BROWSERS), known(SYSTEMS)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? (agent || "Unknown program");
}
