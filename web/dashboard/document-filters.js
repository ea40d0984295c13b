/** The choices over the list of documents: which ones, and in what order. */

import { element } from "./dom.js";
import { input, select } from "./form.js";
import { queryOf } from "./document-list.js";

const STATUSES = [["", "All"], ["ready", "Ready"], ["processing", "Processing"], ["uploaded", "Uploaded"], ["failed", "Failed"]];
const TYPES = [
  ["", "All kinds"], ["pdf", "PDF"], ["docx", "Word"], ["txt", "Text"], ["csv", "CSV"], ["md", "Markdown"], ["html", "HTML"],
];
const SORTS = [["created", "Newest first"], ["updated", "Last changed first"], ["title", "By title"], ["size", "Largest first"]];
/** While somebody types, the list waits for a pause. */
const PAUSE_MS = 250;

export class DocumentFilters {
  #status = "";
  #text = input("", { type: "search", placeholder: "Search titles", "aria-label": "Search titles", autocomplete: "off" });
  #type = select("", TYPES, { "aria-label": "Kind of file" });
  #sort = select("created", SORTS, { "aria-label": "Order" });
  #counts = new Map();
  #tabs = new Map();
  #timer = null;
  #onChange;

  /** @param {() => void} onChange called when something else is chosen */
  constructor(onChange) {
    this.#onChange = onChange;
    for (const [status, label] of STATUSES) {
      const count = element("span", { class: "tab-count" });
      const tab = element("button", { type: "button", class: "tab", onclick: () => this.#choose(status) }, label, " ", count);
      this.#counts.set(status, count);
      this.#tabs.set(status, tab);
    }
    this.#mark();
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(onChange, PAUSE_MS);
    });
    for (const choice of [this.#type, this.#sort]) choice.addEventListener("change", onChange);
    this.node = element("section", { class: "filters", "aria-label": "Filter documents", hidden: true },
      element("div", { class: "tabs", role: "group", "aria-label": "Status" }, ...this.#tabs.values()),
      this.#text, this.#type, this.#sort);
  }

  /** What to ask the API for. */
  get query() {
    return queryOf({ status: this.#status, type: this.#type.value, text: this.#text.value, sort: this.#sort.value });
  }

  /** Whether some documents are left out. */
  get narrow() {
    const { status, type, text } = this.query;
    return status !== null || type !== null || text !== null;
  }

  /** Show how many there are of each status; the choices appear with the first document. */
  show(counts) {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    for (const [status, place] of this.#counts) place.textContent = status === "" ? total : counts[status];
    if (total > 0) this.node.hidden = false;
  }

  close() {
    clearTimeout(this.#timer);
  }

  #choose(status) {
    this.#status = status;
    this.#mark();
    this.#onChange();
  }

  #mark() {
    for (const [status, tab] of this.#tabs) tab.setAttribute("aria-pressed", String(status === this.#status));
  }
}
