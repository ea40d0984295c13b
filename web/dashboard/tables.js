/** Tables of what there is, and the way to their further pages. */

import { button, element } from "./dom.js";
import { problem } from "./notices.js";

/**
 * A table in a card of its own.
 * @param {Array<string | Node>} heads an empty one stands over the row's buttons
 * @param {HTMLTableSectionElement} rows
 */
export function table(heads, rows, attributes = {}) {
  const cells = heads.map((head) => element("th", { scope: "col" }, head || element("span", { class: "unseen" }, "Action")));
  return element("div", { class: "table-frame card" },
    element("table", attributes, element("thead", {}, element("tr", {}, ...cells)), rows));
}

/** A table under its name. @param {HTMLTableRowElement[]} rows */
export function namedTable(name, heads, rows, attributes = {}) {
  return element("section", { "aria-label": name },
    element("h2", {}, name), table(heads, element("tbody", {}, ...rows), attributes));
}

/** A second, smaller line in a cell. */
export function beneath(content) {
  return element("span", { class: "beneath" }, content);
}

/**
 * A button that shows one page after the other, and goes with the last.
 * @param {string} label
 * @param {T | null} next what the following page is asked for by; null: there is none
 * @param {(next: T) => Promise<T | null>} show shows that page, and tells what the one after it is asked for by
 * @template T
 */
export function moreButton(label, next, show) {
  const more = button("quiet", label, async () => {
    more.disabled = true;
    try {
      next = await show(next);
      more.hidden = next === null;
    } catch (error) {
      problem(error);
    } finally {
      more.disabled = false;
    }
  }, { hidden: next === null });
  return more;
}
