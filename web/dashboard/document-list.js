/** What a document's status means, which documents are asked for, and what became of several at once. */

import { counted } from "./format.js";

/** A presigned form lives 15 minutes: an upload that has not begun by then never will. */
const UPLOAD_LIVES_MS = 15 * 60 * 1000;

export const PAGE = 50;
const LARGEST_PAGE = 200;
/** The API takes so many documents at once. */
const BATCH = 500;

/**
 * A document's state in words.
 * @returns {{label: string, tone: "busy" | "good" | "bad" | "idle", busy: boolean}}
 */
export function stateOf(document, now = Date.now()) {
  switch (document.status) {
    case "ready":
      return { label: "Ready", tone: "good", busy: false };
    case "failed":
      return { label: "Failed", tone: "bad", busy: false };
    case "processing":
      return { label: "Processing", tone: "busy", busy: true };
    case "uploaded":
      return now - Date.parse(document.updated_at) > UPLOAD_LIVES_MS
        ? { label: "Never arrived", tone: "idle", busy: false }
        : { label: "Uploaded", tone: "busy", busy: true };
    default:
      return { label: document.status, tone: "idle", busy: false };
  }
}

/** Whether a document will change by itself, so that it is worth asking again. */
export function anyBusy(documents, now = Date.now()) {
  return documents.some((document) => stateOf(document, now).busy);
}

/** What of the choices over the list is asked of the API: only what was chosen. */
export function queryOf({ status, type, text, sort }) {
  return { status: status || null, type: type || null, text: text.trim() || null, sort: sort === "created" ? null : sort };
}

/**
 * Fetch at least `count` documents, in pages, each document once: one may move while the pages are fetched.
 * @param {(query: object) => Promise<object>} fetchPage
 * @returns {Promise<{documents: object[], next: string | null, counts: Record<string, number>}>}
 */
export async function fetchDocuments(fetchPage, count) {
  const documents = new Map();
  let page = { next_cursor: null };
  do {
    const limit = Math.min(LARGEST_PAGE, Math.max(PAGE, count - documents.size));
    page = await fetchPage({ limit, cursor: page.next_cursor });
    for (const document of page.documents) documents.set(document.id, document);
  } while (page.next_cursor !== null && page.documents.length > 0 && documents.size < count);
  return { documents: [...documents.values()], next: page.next_cursor, counts: page.counts };
}

/** As many ids at a time as the API takes. */
export function batchesOf(ids) {
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, n) => ids.slice(n * BATCH, (n + 1) * BATCH));
}

/**
 * What became of several documents, in words; `failure` says why some were left as they are.
 * @param {Array<{done: boolean, error: {message: string} | null}>} results
 * @param {string} done for example "deleted"
 */
export function summaryOf(results, done) {
  const failed = results.filter((result) => !result.done);
  const good = results.length - failed.length;
  const reasons = [...new Set(failed.map(({ error }) => error.message))].join("; ");
  return {
    success: good > 0 ? `${counted(good, "document")} ${good === 1 ? "is" : "are"} ${done}.` : "",
    failure: failed.length > 0 ? `${counted(failed.length, "document")} could not be ${done}: ${reasons}.` : "",
  };
}
