/** What staff note about a document: its title, and the metadata by which searches are filtered. */

import { showForm } from "./dialogs.js";
import { element } from "./dom.js";
import { field, form, input } from "./form.js";
import { metadataEditor } from "./metadata-editor.js";
import { notice } from "./notices.js";

const HINT = "By these, searches and assistants can be kept to some documents: language = de, year = 2026. Other than the "
  + "title, visitors do not see them.";

/** @param {import("./api.js").Api} api @param {object} document @param {() => void} onSaved */
export function showDetails(api, document, onSaved) {
  const title = input(document.title, { autocomplete: "off" });
  const metadata = metadataEditor(document.metadata);
  const send = async () => {
    const saved = await api.patch(`/documents/${document.id}`, changeOf(document, title.value.trim(), metadata.read()));
    close();
    notice(`“${saved.title}” is saved. It holds from the next question on.`);
    onSaved();
  };
  const fields = [
    field("title", "Title", title, "Sources in answers bear it."),
    element("section", { "aria-label": "Metadata" },
      element("h3", {}, "Metadata"), element("p", { class: "hint" }, HINT), metadata.node),
  ];
  const close = showForm(`Title and metadata of ${document.title}`, form("Save", fields, send));
}

/** What is to be replaced: only what is different, so that what somebody else has changed meanwhile stays. */
export function changeOf(document, title, metadata) {
  const change = {};
  if (title !== document.title) change.title = title;
  if (inOrder(metadata) !== inOrder(document.metadata)) change.metadata = metadata;
  return change;
}

function inOrder(metadata) {
  return JSON.stringify(Object.entries(metadata).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Metadata in one line, for example "language: de · year: 2026". */
export function metadataText(metadata) {
  return Object.entries(metadata).map(([name, value]) => `${name}: ${valueText(value)}`).join(" · ");
}

function valueText(value) {
  return typeof value === "boolean" ? { true: "yes", false: "no" }[value] : String(value);
}
