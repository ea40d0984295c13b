/** What was used, day by day and month by month, as plain columns. */

import { element } from "./dom.js";

/**
 * One column per stretch of time; screen readers hear each as a sentence.
 * @param {string} name
 * @param {Array<{label: string, amount: number}>} stretches the oldest first
 * @param {(amount: number) => string} say
 */
export function columns(name, stretches, say) {
  const highest = Math.max(...stretches.map(({ amount }) => amount), 0);
  const items = stretches.map(({ label, amount }) => {
    const said = `${label}: ${say(amount)}`;
    const bar = element("span", { class: "column" });
    bar.style.setProperty("--height", String(highest > 0 ? amount / highest : 0));
    return element("li", { title: said }, bar, element("span", { class: "unseen" }, said));
  });
  return element("figure", { class: "chart" },
    element("figcaption", {}, element("strong", {}, name), element("span", { class: "soft" }, `up to ${say(highest)}`)),
    element("ol", { class: "columns", "aria-label": name }, ...items),
    element("div", { class: "chart-ends soft", "aria-hidden": "true" },
      element("span", {}, stretches[0].label), element("span", {}, stretches.at(-1).label)));
}

/**
 * The days up to today (in UTC), those without any use among them.
 * @param {object[]} totals as the API gives them @param {number} count
 */
export function daysOf(totals, count, now = Date.now()) {
  const today = new Date(now);
  const starts = Array.from({ length: count }, (_, n) => dayAt(today, n + 1 - count));
  return complete(totals, starts);
}

/** The months up to this one (in UTC), those without any use among them. */
export function monthsOf(totals, count, now = Date.now()) {
  return complete(totals, Array.from({ length: count }, (_, n) => monthAt(now, n + 1 - count)));
}

/** The first day of a month, so many months from now. */
export function monthAt(now, months) {
  const today = new Date(now);
  return new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + months)).toISOString().slice(0, 10);
}

function dayAt(today, days) {
  return new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + days)).toISOString().slice(0, 10);
}

function complete(totals, starts) {
  const known = new Map(totals.map((total) => [total.starts_on, total]));
  return starts.map((start) => ({ ...NOTHING, ...known.get(start), starts_on: start }));
}

const NOTHING = { answers: 0, input_tokens: 0, output_tokens: 0, cost_microusd: 0, embedding_tokens: 0, embedding_cost_microusd: 0 };
