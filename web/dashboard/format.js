/** Sizes, times and money as people read them. */

/** Unit, its size, its digits, and up to what it is used. */
const UNITS = [
  ["kilobyte", 1e3, 0, 1e6], ["megabyte", 1e6, 1, 1e9], ["gigabyte", 1e9, 1, Infinity],
];

/** A file size, for example "1.4 MB". */
export function bytes(count, locale = undefined) {
  if (count < 1000) return counted(count, "byte");
  const [unit, size, digits] = UNITS.find(([, , , below]) => count < below);
  const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, options).format(count / size);
}

/** A moment, for example "21 Nov 2026, 14:05". @param {string} iso */
export function moment(iso, locale = undefined) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** A day that the API names, for example "21 Nov 2026". @param {string} iso like "2026-11-21" */
export function dayOf(iso, locale = undefined) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(iso));
}

/** A month, named by its first day, for example "November 2026". */
export function monthOf(iso, locale = undefined) {
  return new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(iso));
}

/** A whole number, for example "1,204". */
export function whole(count, locale = undefined) {
  return new Intl.NumberFormat(locale).format(count);
}

/** Millionths of a US dollar as dollars; small amounts keep the digits that make them differ. */
export function money(microUsd, locale = undefined) {
  const options = { style: "currency", currency: "USD", maximumFractionDigits: microUsd > 0 && microUsd < 10_000 ? 6 : 2 };
  return new Intl.NumberFormat(locale, options).format(microUsd / 1_000_000);
}

/** A duration in milliseconds, for example "640 ms" or "2.1 s"; a dash when it is not known. */
export function milliseconds(count) {
  if (count === null || count === undefined) return "–";
  return count < 1000 ? `${Math.round(count)} ms` : `${(count / 1000).toFixed(1)} s`;
}

/** A number with its noun, for example "1 chunk", "1,204 chunks". */
export function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/** Lines of a text area as a list without the empty ones. */
export function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** The number that was typed, or the text itself, which the API then refuses at its field. */
export function numberOr(text) {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

/** A message of the API as a sentence: it begins with a capital and ends with a full stop. */
export function sentence(message) {
  const begun = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
