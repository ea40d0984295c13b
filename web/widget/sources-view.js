/** Where an answer comes from: markers in its text, and the list of sources below it. */

import { element, icon } from "./dom.js";
import { fill } from "./texts.js";

/** Draws one answer's citations and leads from a marker to its source. */
export class SourcesView {
  node = element("section", { class: "sources", hidden: true });
  #texts;
  #citations = new Map();
  #sources = new Map();

  constructor(texts) {
    this.#texts = texts;
    this.node.setAttribute("aria-label", texts.sources);
  }

  /** The markers known so far, in a form that changes when they do. */
  get known() {
    return [...this.#citations.keys()].join();
  }

  /** Take the citations known so far; the list itself appears with `reveal`. */
  learn(citations) {
    this.#citations = new Map(citations.map((citation) => [plainMarker(citation.marker), citation]));
  }

  /** The marker as a button that opens its source, or null when there is no such source. */
  marker(marker) {
    const citation = this.#citations.get(marker);
    if (!citation) return null;
    const label = fill(this.#texts.source, { marker, title: citation.title });
    const attributes = { type: "button", "aria-label": label, title: label, onclick: () => this.#open(marker) };
    return element("button", { class: "marker", ...attributes }, marker);
  }

  /** Show the list, in the order of the markers. */
  reveal() {
    const markers = [...this.#citations.keys()].sort((one, other) => Number(one) - Number(other));
    this.#sources = new Map(markers.map((marker) => [marker, this.#source(marker)]));
    this.node.replaceChildren(element("h3", {}, this.#texts.sources), ...this.#sources.values());
    this.node.hidden = markers.length === 0;
  }

  /** Hide the list until the answer is complete again. */
  conceal() {
    this.node.hidden = true;
    this.#sources.clear();
  }

  #source(marker) {
    const { title, page, quote } = this.#citations.get(marker);
    const place = page ? element("span", { class: "page" }, fill(this.#texts.page, { page })) : null;
    const name = element("span", { class: "name", dir: "auto" }, title);
    const number = element("span", { class: "number" }, marker);
    const summary = element("summary", {}, number, icon("document"), name, place, icon("down"));
    return element("details", { class: "source" }, summary, element("blockquote", { dir: "auto" }, quote ?? ""));
  }

  #open(marker) {
    if (this.#sources.size === 0) this.reveal();
    const source = this.#sources.get(marker);
    source.open = true;
    source.querySelector("summary").focus({ preventScroll: true });
    source.scrollIntoView({ block: "nearest" });
  }
}

/** Servers may write a marker as 1, "1" or "[1]". */
function plainMarker(marker) {
  return String(marker).replace(/\D/g, "");
}
