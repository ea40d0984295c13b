/** A document's chunks, as the search sees them. */

import { button, element } from "./dom.js";
import { showPanel } from "./dialogs.js";
import { problem } from "./notices.js";
import { empty, fill } from "./view.js";

const PAGE = 50;

/** @param {import("./api.js").Api} api @param {{id: string, title: string}} document */
export function showChunks(api, document) {
  const place = element("div");
  fill(place, async (signal) => {
    const shown = await chunksAfter(api, document, -1, signal);
    if (shown.chunks.length === 0) return [empty("chunks", "No chunks", "Nothing of this document can be found yet.")];
    const list = element("ol", { class: "chunks" }, ...shown.chunks.map(chunkItem));
    return [list, more(api, document, list, shown.next_after)];
  });
  showPanel(`Chunks of ${document.title}`, place);
}

function chunksAfter(api, document, after, signal) {
  return api.get(`/documents/${document.id}/chunks`, { after, limit: PAGE }, signal);
}

function more(api, document, list, last) {
  const next = button("quiet", "Show more", async () => {
    try {
      const further = await chunksAfter(api, document, last);
      list.append(...further.chunks.map(chunkItem));
      last = further.next_after;
      next.hidden = last === null;
    } catch (error) {
      problem(error);
    }
  });
  next.hidden = last === null;
  return next;
}

function chunkItem({ position, text, page, start, end, headings }) {
  const facts = [`#${position + 1}`, page === null ? null : `page ${page}`, `characters ${start}–${end}`];
  return element("li", {},
    element("p", { class: "soft facts" }, [...facts, headings.join(" › ")].filter(Boolean).join(" · ")),
    element("p", { class: "passage" }, text));
}
