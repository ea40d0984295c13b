/** The plans that there are, side by side. */

import { element } from "./dom.js";
import { bytes, money, whole } from "./format.js";
import { table } from "./tables.js";

const FEATURES = {
  tools: "Tools", mcp: "MCP servers", handover: "Hand-over to people", webhooks: "Webhooks", analytics: "Analytics", branding: "Own branding",
};
const ROWS = [
  ["Model", ({ model }) => model],
  ["Messages a day", ({ messages_per_day: most }) => limited(most, whole)],
  ["Tokens a day", ({ tokens_per_day: most }) => limited(most, whole)],
  ["Tokens a month", ({ tokens_per_month: most }) => limited(most, whole)],
  ["Cost a day", ({ microusd_per_day: most }) => limited(most, money)],
  ["Cost a month", ({ microusd_per_month: most }) => limited(most, money)],
  ["Documents", ({ documents: most }) => limited(most, whole)],
  ["Storage", ({ storage_bytes: most }) => limited(most, bytes)],
  ["Members", ({ members: most }) => limited(most, whole)],
  ["Features", ({ features }) => featureNames(features)],
];

/** @param {object[]} plans @param {string} own the name of the company's */
export function planTable(plans, own) {
  const heads = ["What it includes", ...plans.map(({ name, price }) => planHead(name, price, name === own))];
  const rows = ROWS.map(([label, of]) => element("tr", {},
    element("th", { scope: "row" }, label), ...plans.map((plan) => element("td", { class: "wrapping" }, of(plan)))));
  return table(heads, element("tbody", {}, ...rows), { class: "plans" });
}

/** What a plan can do, in words. @param {string[]} features */
export function featureNames(features) {
  return features.map((feature) => FEATURES[feature] ?? feature).join(", ") || "–";
}

function planHead(name, price, own) {
  return element("span", { class: "plan-head" },
    element("strong", {}, name), own ? element("span", { class: "chip good" }, "Yours") : null,
    element("span", { class: "beneath" }, price));
}

function limited(most, say) {
  return most === null ? "No limit" : say(most);
}
