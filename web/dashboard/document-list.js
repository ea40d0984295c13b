/** What a document's status means, and how a fresh page of documents joins those already shown. */

/** A presigned form lives 15 minutes: an upload that has not begun by then never will. */
const UPLOAD_LIVES_MS = 15 * 60 * 1000;

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

/**
 * Put the newest page before the older documents that are shown already: what the page should hold but does not
 * was deleted.
 * @param {object[]} shown newest first
 * @param {{documents: object[], next_before: string | null}} page
 */
export function withNewest(shown, page) {
  if (page.next_before === null) return page.documents;
  const fresh = new Set(page.documents.map((document) => document.id));
  const end = Date.parse(page.next_before);
  return [...page.documents, ...shown.filter((each) => !fresh.has(each.id) && Date.parse(each.created_at) < end)];
}
