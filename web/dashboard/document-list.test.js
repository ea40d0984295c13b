import assert from "node:assert/strict";
import { test } from "node:test";

import { anyBusy, batchesOf, fetchDocuments, queryOf, stateOf, summaryOf } from "./document-list.js";

const NOW = Date.parse("2026-11-21T12:00:00Z");

/** An API that has so many documents, and shows them in pages of its own size at most. */
function library(count, largest = 200) {
  const asked = [];
  const fetchPage = async ({ limit, cursor }) => {
    asked.push(limit);
    const begin = Number(cursor ?? 0);
    const end = Math.min(begin + Math.min(limit, largest), count);
    const documents = Array.from({ length: end - begin }, (_, n) => ({ id: begin + n }));
    return { documents, next_cursor: end < count ? String(end) : null, counts: { ready: count } };
  };
  return { asked, fetchPage };
}

test("a document is worth asking for again while it is uploaded or processed", () => {
  const updated_at = "2026-11-21T11:59:00Z";
  assert.equal(anyBusy([{ status: "ready", updated_at }, { status: "failed", updated_at }], NOW), false);
  assert.equal(anyBusy([{ status: "ready", updated_at }, { status: "processing", updated_at }], NOW), true);
  assert.equal(anyBusy([{ status: "uploaded", updated_at }], NOW), true);
});

test("an upload whose form has run out is no longer waited for", () => {
  const state = stateOf({ status: "uploaded", updated_at: "2026-11-21T11:40:00Z" }, NOW);
  assert.deepEqual(state, { label: "Never arrived", tone: "idle", busy: false });
});

test("only what was chosen is asked for", () => {
  assert.deepEqual(queryOf({ status: "", type: "", text: "  ", sort: "created" }), { status: null, type: null, text: null, sort: null });
  assert.deepEqual(queryOf({ status: "failed", type: "pdf", text: " price ", sort: "size" }), {
    status: "failed", type: "pdf", text: "price", sort: "size",
  });
});

test("as many documents are fetched again as were shown, and the first time a page", async () => {
  const { asked, fetchPage } = library(450);
  const first = await fetchDocuments(fetchPage, 0);
  const again = await fetchDocuments(fetchPage, 420);
  assert.deepEqual([first.documents.length, first.next, first.counts.ready], [50, "50", 450]);
  assert.deepEqual([again.documents.length, again.next], [450, null]);
  assert.deepEqual(asked, [50, 200, 200, 50]);
});

test("a document that moved between two pages is shown once", async () => {
  const pages = [
    { documents: [{ id: "a" }, { id: "b" }], next_cursor: "2", counts: {} },
    { documents: [{ id: "b" }, { id: "c" }], next_cursor: null, counts: {} },
  ];
  const { documents } = await fetchDocuments(async () => pages.shift(), 60);
  assert.deepEqual(documents.map(({ id }) => id), ["a", "b", "c"]);
});

test("more documents than the API takes at once go in batches", () => {
  const ids = Array.from({ length: 1001 }, (_, n) => n);
  assert.deepEqual(batchesOf(ids).map((batch) => batch.length), [500, 500, 1]);
  assert.deepEqual(batchesOf(ids).flat(), ids);
  assert.deepEqual(batchesOf([]), []);
});

test("what became of several documents is said with each reason once", () => {
  const lost = { done: false, error: { message: "the file was never uploaded" } };
  assert.deepEqual(summaryOf([{ done: true, error: null }, lost, lost], "read again"), {
    success: "1 document is read again.",
    failure: "2 documents could not be read again: the file was never uploaded.",
  });
  assert.deepEqual(summaryOf([{ done: true }, { done: true }], "deleted"), { success: "2 documents are deleted.", failure: "" });
});
