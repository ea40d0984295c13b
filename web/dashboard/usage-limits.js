/** A company's limits: what is used of each, and how near it is. */

import { element } from "./dom.js";
import { bytes, counted, money, whole } from "./format.js";

const MEASURES = { messages: "Messages", tokens: "Tokens", money: "Cost" };
const PERIODS = { day: "today", month: "this month" };
const EACH = { tenant: "", visitor: " of each visitor", conversation: " in each conversation", key: " through each secret key" };
/** How full a holding is when it is time to look after it; caps say so themselves. */
const NEARLY = 0.8;

/**
 * What is used of each limit that has a running total.
 * @param {{plan: object, used: object}} company as the API shows it
 * @returns {Array<{name: string, used: number, most: number | null, soft: number | null, say: (count: number) => string}>}
 */
export function limitsOf({ plan, used }) {
  const caps = used.caps.filter((cap) => cap.used !== null).map((cap) => ({
    name: `${MEASURES[cap.measure]} ${PERIODS[cap.period]}`,
    used: cap.used, most: cap.hard, soft: cap.soft, say: amountOf(cap.measure),
  }));
  const holding = (name, count, most, say) => ({ name, used: count, most, soft: most && most * NEARLY, say });
  return [
    ...caps,
    holding("Documents", used.documents, plan.documents, whole),
    holding("Storage", used.storage_bytes, plan.storage_bytes, bytes),
    holding("Members", used.members, plan.members, whole),
  ];
}

/** How an amount of a measure is written. @returns {(amount: number) => string} */
export function amountOf(measure) {
  return measure === "money" ? (amount) => money(amount) : (amount) => whole(amount);
}

/** Where a limit stands, in words. @returns {{label: string, tone: "good" | "busy" | "bad" | "idle"}} */
export function standingOf({ used, most, soft }) {
  if (most === null) return { label: "No limit", tone: "idle" };
  if (used >= most) return { label: "Reached", tone: "bad" };
  return used >= soft ? { label: "Nearly reached", tone: "busy" } : { label: "Within it", tone: "good" };
}

/** The limits as bars. @param {ReturnType<typeof limitsOf>} limits */
export function limitList(limits) {
  return element("ul", { class: "limits", "aria-label": "Limits" }, ...limits.map(limitItem));
}

function limitItem(limit) {
  const { name, used, most, say } = limit;
  const { label, tone } = standingOf(limit);
  const said = most === null ? say(used) : `${say(used)} of ${say(most)}`;
  const bar = most === null ? null : element("progress", { class: tone, max: most, value: Math.min(used, most), "aria-label": `${name}: ${said}` });
  return element("li", {},
    element("div", { class: "limit-head" }, element("strong", {}, name), tone === "good" ? null : element("span", { class: `chip ${tone}` }, label)),
    bar,
    element("p", { class: "soft count" }, said));
}

/** Limits without a running total, in words: those of a minute or an hour, and of each visitor, conversation or key. */
export function otherLimits({ plan, used }) {
  const caps = used.caps.filter((cap) => cap.used === null);
  return [
    `${counted(plan.requests_per_minute, "request")} a minute of each visitor and each secret key`,
    ...caps.map(({ subject, measure, period, hard }) => `${amountWith(measure, hard)} ${period === "hour" ? "an" : "a"} ${period}${EACH[subject]}`),
  ];
}

function amountWith(measure, amount) {
  return measure === "money" ? money(amount) : counted(amount, measure.slice(0, -1));
}
