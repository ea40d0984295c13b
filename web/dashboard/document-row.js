/** One document in the list. */

import { element, icon, iconButton } from "./dom.js";
import { stateOf } from "./document-list.js";
import { metadataText } from "./document-details.js";
import { bytes, counted, moment } from "./format.js";

/** A row that follows its document: only what changed is touched, so that the focus stays where it is. */
export class DocumentRow {
  #document;
  #tick;
  #title = element("h2", { class: "document-title" });
  #facts = element("p", { class: "soft facts" });
  #metadata = element("p", { class: "soft facts clamped" });
  #state = element("div", { class: "document-state" });
  #failure = element("div", { class: "failure", hidden: true });
  #shown = "";

  /**
   * @param {object} document
   * @param {Record<string, (document: object, ticked?: boolean) => void>} actions tick, and those of the buttons
   */
  constructor(document, actions) {
    this.#document = document;
    const action = (drawing, label, act) => iconButton(drawing, label, () => act(this.#document), { "data-label": label });
    const tick = () => actions.tick(this.#document, this.#tick.checked);
    this.#tick = element("input", { type: "checkbox", class: "tick", "data-label": "Tick", onchange: tick });
    this.node = element("li", { class: "document" },
      this.#tick,
      element("span", { class: "document-icon" }, icon("document")),
      element("div", { class: "document-text" }, this.#title, this.#facts, this.#metadata),
      this.#state,
      element("div", { class: "document-actions" },
        action("chunks", "View chunks of", actions.chunks),
        action("versions", "Versions of", actions.versions),
        action("tag", "Title and metadata of", actions.describe),
        action("download", "Download", actions.download),
        action("replace", "Upload a new version of", actions.renew),
        action("again", "Reprocess", actions.reprocess),
        action("trash", "Delete", actions.remove)),
      this.#failure);
  }

  /** @param {object} document as the API shows it @param {boolean} ticked */
  update(document, ticked) {
    this.#tick.checked = ticked;
    const { label, tone } = stateOf(document);
    const shown = JSON.stringify([document, label]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#document = document;
    this.#name(document.title);
    this.#facts.textContent = factsOf(document);
    this.#metadata.textContent = metadataText(document.metadata);
    this.#state.replaceChildren(element("span", { class: `chip ${tone}` }, label), ...progressOf(document));
    this.#failure.hidden = document.status !== "failed";
    this.#failure.replaceChildren(...failureOf(document));
  }

  /** Whatever can be done with the document says its title. */
  #name(title) {
    this.#title.textContent = title;
    for (const control of this.node.querySelectorAll("[data-label]")) {
      const label = `${control.dataset.label} ${title}`;
      control.setAttribute("aria-label", label);
      if (control !== this.#tick) control.title = label;
    }
  }
}

function factsOf({ title, filename, size, version, updated_at: updatedAt, status, progress }) {
  return [
    filename === title ? null : filename,
    bytes(size),
    version > 1 ? `version ${version}` : null,
    status === "ready" ? counted(progress.total, "chunk") : null,
    moment(updatedAt),
  ].filter(Boolean).join(" · ");
}

function progressOf({ status, progress, title }) {
  if (status !== "processing") return [];
  const known = progress.total > 0;
  const bar = element("progress", { "aria-label": `Processing ${title}`, max: known ? progress.total : 1 });
  if (known) bar.value = progress.done; // without a value the bar says that it does not know yet
  return [bar, element("span", { class: "count soft" }, known ? countOf(progress) : "reading")];
}

function countOf({ done, total, unit }) {
  if (unit === "percent") return `read ${done} %`;
  return unit === "pages" ? `page ${done} / ${total}` : `${done} / ${total}`;
}

function failureOf({ failure, answers }) {
  if (!failure) return [];
  const earlier = answers ? element("p", { class: "soft" }, "The earlier version still answers.") : null;
  return [
    icon("alert"),
    element("div", {}, element("p", {}, failure.message), ...[earlier].filter(Boolean)),
    element("code", {}, failure.code),
  ];
}
