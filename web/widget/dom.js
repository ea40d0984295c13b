/** Building DOM without a string of HTML, as `require-trusted-types-for 'script'` demands. */

/**
 * Make an element.
 * @param {string} tag
 * @param {object} attributes functions become listeners (`onclick`), true an empty attribute, false and null none
 * @param {...(Node | string | null)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SHAPES = {
  chat: ["M21 11.5a8.5 8.5 0 0 1-12.3 7.6L3 21l1.9-5.7A8.5 8.5 0 1 1 21 11.5Z"],
  down: ["m6 9 6 6 6-6"],
  close: ["M18 6 6 18", "m6 6 12 12"],
  send: ["M12 19V5", "m5 12 7-7 7 7"],
  again: ["M20 11a8 8 0 0 0-14.9-3", "M4 4v4h4", "M4 13a8 8 0 0 0 14.9 3", "M20 20v-4h-4"],
  plus: ["M12 5v14", "M5 12h14"],
  next: ["m9 6 6 6-6 6"],
  previous: ["m15 6-6 6 6 6"],
  stop: ["M7 7h10v10H7z"],
  edit: ["M12 20h9", "M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4Z"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  check: ["m5 12 5 5L20 7"],
  up: ["M7 11v10H3V11Z", "M7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9H19a2 2 0 0 1 2 2.3l-1.3 8A2 2 0 0 1 17.7 21H7"],
  document: ["M14 3H6v18h12V7Z", "M14 3v4h4"],
  alert: ["M12 8v5", "M12 16.5v.01", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z"],
  spark: ["M12 3l2.2 6.3L20.5 12l-6.3 2.7L12 21l-2.2-6.3L3.5 12l6.3-2.7Z"],
};

/** A line drawing of 24 by 24 units in the text's colour; decoration, so hidden from screen readers. */
export function icon(name) {
  const svg = shape("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" });
  svg.append(...SHAPES[name].map((d) => shape("path", { d })));
  return svg;
}

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
