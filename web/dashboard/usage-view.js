/** The company's plan, what is used of its limits, and what was used before. */

import { element } from "./dom.js";
import { group } from "./form.js";
import { dayOf, money, monthOf, whole } from "./format.js";
import { featureNames, planTable } from "./plan-table.js";
import { namedTable } from "./tables.js";
import { capsForm } from "./usage-caps.js";
import { columns, daysOf, monthAt, monthsOf } from "./usage-chart.js";
import { limitList, limitsOf, otherLimits } from "./usage-limits.js";
import { fill, page } from "./view.js";

const DAYS = 31;
const MONTHS = 12;
const MEASURES = [
  ["Answers", ({ answers }) => answers, whole],
  ["Tokens", ({ input_tokens: read, output_tokens: written }) => read + written, whole],
  ["Cost", ({ cost_microusd: cost }) => cost, money],
  ["Documents' cost", ({ embedding_cost_microusd: cost }) => cost, money],
];
const AT_THE_LIMIT = [
  "From four fifths of a limit on, whoever asks is warned: the widget says that the chat is close to its limit.",
  "At the limit of a day or month, questions are refused until it ends, at midnight UTC, and the widget says so. Many questions at once do not go beyond it either.",
  "When documents or storage are full, new files are refused. What is there goes on answering, and deleting makes room.",
  "When there is no room for another member, invitations are refused.",
];

/** @param {import("./api.js").Api} api */
export function usageView(api) {
  const place = element("div");
  const close = fill(place, async (signal) => {
    const me = await api.get("/auth/me", {}, signal);
    const [company, { plans }, totals] = await Promise.all([
      api.get(`/tenants/${me.tenant_id}`, {}, signal),
      api.get("/plans", {}, signal),
      api.get("/usage", { since: monthAt(Date.now(), 1 - MONTHS) }, signal),
    ]);
    const may = ["owner", "admin"].includes(me.role);
    const limits = element("div", { class: "fields" });
    const show = (caps) => {
      const now = { ...company, used: { ...company.used, caps } };
      limits.replaceChildren(limitList(limitsOf(now)), explained(now));
    };
    show(company.used.caps);
    return [
      planCard(company),
      group("Limits", [limits]),
      history(totals),
      monthTable(totals.months),
      ...(may ? [group("Limits of your own", [capsForm(api, company.used.caps, show)])] : []),
      element("section", { class: "plans-section", "aria-label": "Plans" },
        element("h2", {}, "All plans"),
        element("p", { class: "soft" }, "Whoever runs this installation puts your company on another one."),
        planTable(plans, company.plan.name)),
    ];
  });
  return { node: page("Plan and usage", "What your company may use, and what it has used.", place), close };
}

function planCard({ plan }) {
  const facts = [["Price", plan.price || "–"], ["Model", plan.model], ["Includes", featureNames(plan.features)]];
  return group(`Your plan: ${plan.name}`, [element("dl", { class: "plan-facts" },
    ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))))]);
}

function explained(company) {
  const list = (items) => element("ul", { class: "bullets" }, ...items.map((item) => element("li", {}, item)));
  return element("details", {},
    element("summary", {}, "What happens at a limit, and which others there are"),
    list(AT_THE_LIMIT), element("h3", {}, "Limits without a running total"), list(otherLimits(company)));
}

/** The columns of one measure, and the choice of it. @param {{days: object[], months: object[]}} totals */
function history({ days, months }) {
  const charts = element("div", { class: "charts" });
  const tabs = new Map();
  const show = (chosen) => {
    for (const [name, tab] of tabs) tab.setAttribute("aria-pressed", String(name === chosen));
    const [, of, say] = MEASURES.find(([name]) => name === chosen);
    const stretches = (totals, label) => totals.map((total) => ({ label: label(total.starts_on), amount: of(total) }));
    charts.replaceChildren(
      columns(`${chosen} by day`, stretches(daysOf(days, DAYS), dayOf), say),
      columns(`${chosen} by month`, stretches(monthsOf(months, MONTHS), monthOf), say));
  };
  for (const [name] of MEASURES) {
    tabs.set(name, element("button", { type: "button", class: "tab", onclick: () => show(name) }, name));
  }
  show(MEASURES[0][0]);
  return group("Used so far", [
    element("div", { class: "tabs", role: "group", "aria-label": "What is shown" }, ...tabs.values()), charts,
    element("p", { class: "hint" }, "Days and months are those of UTC."),
  ]);
}

function monthTable(months) {
  const rows = months.map((month) => element("tr", {},
    element("th", { scope: "row" }, monthOf(month.starts_on)),
    ...MEASURES.map(([, of, say]) => element("td", {}, say(of(month))))));
  return rows.length > 0 ? namedTable("Month by month", ["Month", ...MEASURES.map(([name]) => name)], rows, { class: "figures" }) : "";
}
