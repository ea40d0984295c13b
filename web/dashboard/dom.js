/** Building DOM from text and elements only: what tenants and visitors wrote never becomes markup. */

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

/** A button of one of the page's kinds: "primary", "quiet", "danger". */
export function button(kind, label, onclick, attributes = {}) {
  return element("button", { type: "button", class: `button ${kind}`, onclick, ...attributes }, label);
}

/** A button that shows a drawing only; `label` is its name and its tooltip. */
export function iconButton(drawing, label, onclick, attributes = {}) {
  const described = { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes };
  return element("button", described, icon(drawing));
}

const SHAPES = {
  alert: ["M12 8v5", "M12 16.5v.01", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z"],
  chat: ["M21 11.5a8.5 8.5 0 0 1-12.3 7.6L3 21l1.9-5.7A8.5 8.5 0 1 1 21 11.5Z"],
  check: ["m5 12 5 5L20 7"],
  chunks: ["M4 5h16", "M4 10h10", "M4 15h16", "M4 20h7"],
  close: ["M18 6 6 18", "m6 6 12 12"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  download: ["M12 4v11", "m7 10 5 5 5-5", "M4 20h16"],
  document: ["M14 3H6v18h12V7Z", "M14 3v4h4"],
  gauge: ["M4.5 18.5a9 9 0 1 1 15 0", "m12 14 4-5", "M12 14v.01"],
  key: ["M15 3a6 6 0 1 0 0 12 6 6 0 0 0 0-12Z", "M10.8 13.2 3 21v-4", "M6 18l2.5 2.5", "M16.5 7.5v.01"],
  again: ["M20 11a8 8 0 0 0-14.9-3", "M4 4v4h4", "M4 13a8 8 0 0 0 14.9 3", "M20 20v-4h-4"],
  people: ["M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z", "M2.5 20a6.5 6.5 0 0 1 13 0", "M16 4.8a3.5 3.5 0 0 1 0 6.4", "M18 14.5a6.5 6.5 0 0 1 3.5 5.5"],
  person: ["M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", "M4.5 20.5a7.5 7.5 0 0 1 15 0"],
  replace: ["M12 15V4", "m7 9 5-5 5 5", "M4 20h16"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Z", "m20 20-4.8-4.8"],
  shield: ["M12 3 4.5 6v5.5c0 4.5 3.1 8 7.5 9.5 4.4-1.5 7.5-5 7.5-9.5V6Z", "m9 12 2 2 4-4"],
  spark: ["M12 3l2.2 6.3L20.5 12l-6.3 2.7L12 21l-2.2-6.3L3.5 12l6.3-2.7Z"],
  tag: ["M3 12V4h8l10 10-8 8Z", "M7.5 8v.01"],
  trash: ["M4 7h16", "M9 7V4h6v3", "M6 7l1 14h10l1-14", "M10 11v6", "M14 11v6"],
  versions: ["M12 7.5V12l3 2", "M4.6 9A8 8 0 1 1 4 12", "M4 4v5h5"],
  widget: ["M3 4h18v16H3z", "M3 8.5h18", "M13 13h5v4h-5z"],
};

/** A line drawing of 24 by 24 units in the text's colour; decoration, so hidden from screen readers. */
export function icon(name) {
  const svg = shape("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  svg.append(...SHAPES[name].map((d) => shape("path", { d })));
  return svg;
}

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
