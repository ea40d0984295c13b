/** A document's chunks, as the search sees them. */

import { element } from "./dom.js";
import { showPanel } from "./dialogs.js";
import { moreButton } from "./tables.js";
import { empty, fill } from "./view.js";

const PAGE = 50;

/** @param {import("./api.js").Api} api @param {{id: string, title: string}} document */
export function showChunks(api, document) {
  const place = element("div");
  fill(place, async (signal) => {
    const list = element("ol", { class: "chunks" });
    const show = async (after, ending = undefined) => {
      const found = await api.get(`/documents/${document.id}/chunks`, { after, limit: PAGE }, ending);
      list.append(...found.chunks.map(chunkItem));
      return found.next_after;
    };
    const next = await show(-1, signal);
    if (list.children.length === 0) return [empty("chunks", "No chunks", "Nothing of this document can be found yet.")];
    return [list, moreButton("Show more", next, show)];
  });
  showPanel(`Chunks of ${document.title}`, place);
}

function chunkItem({ position, text, page, start, end, headings }) {
  const facts = [`#${position + 1}`, page === null ? null : `page ${page}`, `characters ${start}–${end}`];
  return element("li", {},
    element("p", { class: "soft facts" }, [...facts, headings.join(" › ")].filter(Boolean).join(" · ")),
    element("p", { class: "passage" }, text));
}
