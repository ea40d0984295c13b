/** A document's metadata as rows of a name, a kind and a value. */

import { button, element, iconButton } from "./dom.js";
import { input, select } from "./form.js";

const KINDS = [["text", "Text"], ["number", "Number"], ["flag", "Yes or no"]];
const FLAGS = [["true", "Yes"], ["false", "No"]];

/** What somebody typed cannot be sent; `fields` says what is wrong where, as an ApiError's do. */
class WrongEntry extends Error {
  name = "WrongEntry";

  /** @param {string} field @param {string} message */
  constructor(field, message) {
    super(message);
    this.fields = new Map([[field, message]]);
  }
}

/** The kind of a stored value. @param {string | number | boolean} value */
export function kindOf(value) {
  return { number: "number", boolean: "flag" }[typeof value] ?? "text";
}

/**
 * The metadata that rows mean; rows with neither a name nor a value mean nothing.
 * @param {Array<{name: string, kind: string, value: string}>} rows
 * @returns {Record<string, string | number | boolean>}
 * Throws WrongEntry.
 */
export function metadataOf(rows) {
  const metadata = new Map();
  for (const { name, kind, value } of rows) {
    if (!name && (!value || kind === "flag")) continue;
    if (!name) throw new WrongEntry(fieldOf(name), "An entry needs a name.");
    if (metadata.has(name)) throw new WrongEntry(fieldOf(name), "Another entry has this name.");
    if (kind === "number" && (value.trim() === "" || !Number.isFinite(Number(value)))) {
      throw new WrongEntry(fieldOf(name), "This needs a number.");
    }
    metadata.set(name, { text: String, number: Number, flag: (text) => text === "true" }[kind](value));
  }
  return Object.fromEntries(metadata);
}

/** What the API calls an entry in its errors. */
function fieldOf(name) {
  return `metadata.${name}`;
}

/** @param {Record<string, string | number | boolean>} metadata */
export function metadataEditor(metadata) {
  const list = element("ul", { class: "entries", "aria-label": "Metadata" });
  const rows = new Set();
  const add = (name, value) => {
    const row = entryRow(name, value, () => {
      rows.delete(row);
      list.dispatchEvent(new Event("input", { bubbles: true })); // the form has changed
      row.node.remove();
      more.focus();
    });
    rows.add(row);
    list.append(row.node);
    return row;
  };
  const more = button("quiet small", "Add an entry", () => add("", "").focus());
  for (const [name, value] of Object.entries(metadata)) add(name, value);
  return { node: element("div", {}, list, more), read: () => metadataOf([...rows].map((row) => row.read())) };
}

let made = 0;

function entryRow(name, value, remove) {
  const errorId = `entry-${(made += 1)}-error`;
  const described = { "aria-describedby": errorId, autocomplete: "off" };
  const legend = element("legend", { class: "unseen" });
  const names = input(name, { ...described, "aria-label": "Name", placeholder: "Name" });
  const kind = select(kindOf(value), KINDS, { "aria-label": "Kind" });
  const place = element("div");
  const node = element("li", {},
    element("fieldset", { class: "entry" }, legend, names, kind, place,
      iconButton("trash", "Remove this entry", remove)),
    element("p", { class: "field-error", id: errorId, hidden: true }));
  const rename = () => {
    node.dataset.field = fieldOf(names.value.trim());
    legend.textContent = names.value.trim() || "New entry";
  };
  const show = (shown) => place.replaceChildren(valueControl(kind.value, shown, described));
  names.addEventListener("input", rename);
  kind.addEventListener("change", () => show(kind.value === "flag" ? "true" : place.firstChild.value));
  rename();
  show(String(value));
  const read = () => ({ name: names.value.trim(), kind: kind.value, value: place.firstChild.value });
  return { node, read, focus: () => names.focus() };
}

function valueControl(kind, value, described) {
  const labelled = { ...described, class: "control value", "aria-label": "Value", placeholder: "Value" };
  if (kind === "flag") return select(value, FLAGS, labelled);
  return input(value, kind === "number" ? { ...labelled, type: "number", step: "any" } : labelled);
}
