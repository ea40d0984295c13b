/** The limits that a company sets itself, below those of its plan. */

import { element } from "./dom.js";
import { field, form, input } from "./form.js";
import { notice } from "./notices.js";
import { amountOf } from "./usage-limits.js";

const MICROUSD = 1_000_000;
const OWN = [
  ["money", "day", "US dollars a day"], ["money", "month", "US dollars a month"],
  ["tokens", "day", "Tokens a day"], ["tokens", "month", "Tokens a month"],
  ["messages", "day", "Messages a day"], ["messages", "month", "Messages a month"],
];

/** @param {import("./api.js").Api} api @param {object[]} caps as the API shows them @param {() => void} onSaved */
export function capsForm(api, caps, onSaved) {
  const controls = OWN.map(([measure, period]) => {
    const known = caps.find((cap) => isFor(cap, measure, period));
    const placeholder = known?.plan ? `${amountOf(measure)(known.plan)} by the plan` : "No limit";
    const step = measure === "money" ? "any" : "1";
    return input(shownAmount(measure, known?.own ?? null), { type: "number", min: 0, step, placeholder });
  });
  const send = async () => {
    const typed = OWN.map(([measure, period], n) => ({ measure, period, text: controls[n].value }));
    await api.put("/usage/caps", { caps: wantedCaps(caps, typed) });
    notice("Saved. The limits hold from the next question on.");
    onSaved();
  };
  const fields = OWN.map(([measure, period, label], n) => field(`${measure}_per_${period}`, label, controls[n]));
  const hint = "Empty: the plan's limit alone. Whoever asks is warned from four fifths on.";
  return form("Save", [element("p", { class: "hint" }, hint), element("div", { class: "pair" }, ...fields)], send);
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
 * @param {Array<{measure: string, period: string, text: string}>} typed
 */
export function wantedCaps(caps, typed) {
  const shown = (cap) => typed.some(({ measure, period }) => isFor(cap, measure, period));
  const others = caps.filter((cap) => cap.own !== null && !shown(cap)).map((cap) => kept(cap, cap.own));
  const own = typed.filter(({ text }) => text.trim() !== "").map(({ measure, period, text }) => {
    const hard = measure === "money" ? Math.round(Number(text) * MICROUSD) : Number(text);
    const before = caps.find((cap) => isFor(cap, measure, period));
    return kept(before ?? { subject: "tenant", measure, period }, hard);
  });
  return [...others, ...own];
}

/** A cap that stays as it is keeps its warning; of another height the server sets it. */
function kept({ subject, measure, period, own, hard: inForce, soft = null }, hard) {
  return { subject, measure, period, hard, soft: own === hard && inForce === hard ? soft : null };
}
