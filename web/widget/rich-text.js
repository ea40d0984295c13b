/** An answer's Markdown as DOM nodes, redrawn block by block while it streams. */

import { element } from "./dom.js";
import { parseBlocks, parseInline } from "./markdown.js";

/** Draws a growing text; blocks that have not changed keep their nodes, so a selection survives. */
export class RichText {
  node = element("div", { class: "rich" });
  #drawn = [];
  #citation;

  /** @param {(marker: string) => Node | null} citation draws a citation's marker, or null when it is unknown */
  constructor(citation) {
    this.#citation = citation;
  }

  /** Show this text; `known` says which citations there are, so that a late one redraws its block. */
  show(text, known = "") {
    const blocks = parseBlocks(text);
    blocks.forEach((block, position) => this.#place(block, JSON.stringify(block) + known, position));
    this.#drawn.splice(blocks.length).forEach(({ node }) => node.remove());
  }

  #place(block, signature, position) {
    const before = this.#drawn[position];
    if (before?.signature === signature) return;
    const node = this.#block(block);
    if (block.type !== "code") node.dir = "auto"; // each block by its own first letter
    if (before) before.node.replaceWith(node);
    else this.node.append(node);
    this.#drawn[position] = { signature, node };
  }

  #block(block) {
    switch (block.type) {
      case "heading":
        return element("p", { class: "heading", role: "heading", "aria-level": "3" }, ...this.#inline(block.inline));
      case "quote":
        return element("blockquote", {}, ...block.blocks.map((inner) => this.#block(inner)));
      case "code":
        return element("pre", { dir: "ltr", tabindex: "0" }, element("code", {}, block.code));
      case "rule":
        return element("hr");
      case "list":
        return this.#list(block);
      default:
        return element("p", {}, ...this.#inline(block.inline));
    }
  }

  #list({ ordered, start, items }) {
    const drawn = items.map((blocks) => element("li", {}, ...blocks.map((block) => this.#block(block))));
    return element(ordered ? "ol" : "ul", { start: ordered && start !== 1 ? start : null }, ...drawn);
  }

  #inline(text) {
    return this.#spans(parseInline(text));
  }

  #spans(spans) {
    const nodes = [];
    for (const span of spans) {
      const marker = span.type === "citation" ? this.#citation(span.marker) : null;
      if (marker) attach(marker, nodes);
      else nodes.push(this.#span(span));
    }
    return nodes;
  }

  #span(span) {
    const inside = () => this.#spans(span.spans);
    switch (span.type) {
      case "strong":
        return element("strong", {}, ...inside());
      case "emphasis":
        return element("em", {}, ...inside());
      case "code":
        return element("code", { dir: "ltr" }, span.code);
      case "link":
        return element("a", { href: span.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...inside());
      case "break":
        return element("br");
      default:
        return document.createTextNode(span.text);
    }
  }
}

/** Put a marker on the line of the word that it supports. */
function attach(marker, nodes) {
  const before = nodes.at(-1);
  if (before?.className === "kept") {
    before.append(marker);
    return;
  }
  const word = before?.nodeType === Node.TEXT_NODE ? before.splitText(/\S*$/.exec(before.data).index) : "";
  nodes.push(element("span", { class: "kept" }, word, before ? "\u00a0" : "", marker));
}
