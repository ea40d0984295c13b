/** One line of the audit log as people read it. */

import { element } from "./dom.js";
import { counted, moment } from "./format.js";
import { beneath } from "./tables.js";

/** What somebody is called in the log. @param {{kind: string, name: string | null}} actor */
export function actorName({ kind, name }) {
  if (name !== null) return name;
  return {
    member: "Somebody who has left", key: "A key that is gone", operator: "The platform's operator",
    anonymous: "Nobody known", system: "The system itself",
  }[kind] ?? kind;
}

/** An action in words: "identity_secret.created" becomes "Identity secret created". */
export function actionName(action) {
  const words = action.replaceAll("_", " ").replace(".", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value in one line. */
export function valueText(value) {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @param {object} entry as the API gives it */
export function entryRow(entry) {
  const { at, actor, action, object, object_id: id, object_name: name, network, changes } = entry;
  return element("tr", {},
    element("td", {}, element("time", { datetime: at }, moment(at))),
    element("td", {}, actorName(actor), network ? beneath(network) : null),
    element("th", { scope: "row", title: action }, actionName(action)),
    element("td", { title: id }, name ?? "", beneath(object.replaceAll("_", " "))),
    element("td", { class: "changes" }, fieldList(Object.entries(changes))));
}

function fieldList(changes) {
  if (changes.length === 0) return "";
  return element("details", {},
    element("summary", {}, counted(changes.length, "field")),
    element("dl", {}, ...changes.flatMap(([field, { before, after }]) => [
      element("dt", {}, field),
      element("dd", {}, element("del", {}, valueText(before)), " → ", element("ins", {}, valueText(after))),
    ])));
}
