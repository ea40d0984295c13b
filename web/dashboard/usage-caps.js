/** The limits that a company sets itself, below those of its plan. */

import { element } from "./dom.js";
import { field, form, input, typed } from "./form.js";
import { numberOr } from "./format.js";
import { notice } from "./notices.js";
import { amountOf } from "./usage-limits.js";

const MICROUSD = 1_000_000;
const OWN = [
  ["money", "day", "US dollars a day"], ["money", "month", "US dollars a month"],
  ["tokens", "day", "Tokens a day"], ["tokens", "month", "Tokens a month"],
  ["messages", "day", "Messages a day"], ["messages", "month", "Messages a month"],
];

/** @param {import("./api.js").Api} api @param {object[]} caps as the API shows them @param {(caps: object[]) => void} onSaved */
export function capsForm(api, caps, onSaved) {
  const controls = OWN.map(([measure, period]) => {
    const known = caps.find((cap) => isFor(cap, measure, period));
    const placeholder = known?.plan ? `${amountOf(measure)(known.plan)} by the plan` : "No limit";
    const step = measure === "money" ? "any" : "1";
    return input(shownAmount(measure, known?.own ?? null), { type: "number", min: 0, step, placeholder });
  });
  const send = async () => {
    const wanted = OWN.map(([measure, period], n) => ({ measure, period, text: typed(controls[n]) }));
    const sent = wantedCaps(caps, wanted);
    try {
      ({ caps } = await api.put("/usage/caps", { caps: sent }));
    } catch (error) {
      if (error.code) error.fields = fieldsOf(error, sent);
      throw error;
    }
    notice("Saved. The limits hold from the next question on.");
    onSaved(caps);
  };
  const fields = OWN.map(([measure, period, label], n) => field(nameOf({ measure, period }), label, controls[n]));
  const hint = "Empty: the plan's limit alone. Whoever asks is warned from four fifths on.";
  return form("Save", [element("p", { class: "hint" }, hint), element("div", { class: "pair" }, ...fields)], send);
}

function nameOf({ measure, period }) {
  return `${measure}_per_${period}`;
}

/** What is wrong, by the names of the fields: the API tells it by a cap's name, or by its place among those sent. */
export function fieldsOf({ code, message, details, fields }, sent) {
  if (code === "cap_above_plan") return new Map([[details.limit, message]]);
  const place = (field) => /^caps\.(\d+)/.exec(field)?.[1];
  return new Map([...fields].map(([field, wrong]) => [place(field) ? nameOf(sent[place(field)]) : field, wrong]));
}

function isFor(cap, measure, period) {
  return cap.subject === "tenant" && cap.measure === measure && cap.period === period;
}

function shownAmount(measure, amount) {
  return amount !== null && measure === "money" ? amount / MICROUSD : amount;
}

/**
 * All of the company's own caps to save: those that were typed, and as they are those that the form does not show.
 * @param {object[]} caps in force
 * @param {Array<{measure: string, period: string, text: string}>} wanted as it was typed
 */
export function wantedCaps(caps, wanted) {
  const shown = (cap) => wanted.some(({ measure, period }) => isFor(cap, measure, period));
  const others = caps.filter((cap) => cap.own !== null && !shown(cap)).map((cap) => kept(cap, cap.own));
  const own = wanted.filter(({ text }) => text.trim() !== "").map(({ measure, period, text }) => {
    const amount = numberOr(text);
    const hard = measure === "money" && typeof amount === "number" ? Math.round(amount * MICROUSD) : amount;
    const before = caps.find((cap) => isFor(cap, measure, period));
    return kept(before ?? { subject: "tenant", measure, period }, hard);
  });
  return [...others, ...own];
}

/** A cap that stays as it is keeps its warning; of another height the server sets it. */
function kept({ subject, measure, period, own, hard: inForce, soft = null }, hard) {
  return { subject, measure, period, hard, soft: own === hard && inForce === hard ? soft : null };
}
