/** The documents: upload, follow their processing, choose, look inside, renew, delete. */

import { showChunkSettings } from "./chunk-settings.js";
import { showChunks } from "./chunks.js";
import { confirmed } from "./dialogs.js";
import { showDetails } from "./document-details.js";
import { DocumentFilters } from "./document-filters.js";
import { DocumentRow } from "./document-row.js";
import { DocumentSelection } from "./document-selection.js";
import { PAGE, anyBusy, batchesOf, fetchDocuments, summaryOf } from "./document-list.js";
import { withProgress } from "./document-progress.js";
import { button, element } from "./dom.js";
import { dropZone, pickFile } from "./drop-zone.js";
import { counted } from "./format.js";
import { attempt, notice, problem } from "./notices.js";
import { Poll } from "./poll.js";
import { UploadList } from "./upload-list.js";
import { download, showVersions } from "./document-versions.js";
import { empty, failed, page, waiting } from "./view.js";

// How often to ask while a document is in progress: seldom when the server says by itself what moves.
const ASK_MS = 1_000;
const ASK_BESIDE_LIVE_MS = 10_000;
const SOON_MS = 300;

/** @param {import("./api.js").Api} api */
export function documentsView(api) {
  const view = new DocumentsView(api);
  view.refresh();
  return { node: view.node, close: () => view.close() };
}

class DocumentsView {
  #api;
  #documents = [];
  #counts = {};
  #rows = new Map();
  #next = null;
  #failing = false;
  #asking = 0;
  #closing = new AbortController();
  #poll = new Poll(() => this.refresh());
  #live;
  #soon = null;
  #uploads;
  #filters = new DocumentFilters(() => this.#chooseAnew());
  #selection = new DocumentSelection({
    reprocess: (ids) => this.#doToAll("reprocess", ids, "being read again"),
    remove: (ids) => this.#removeAll(ids),
    onChange: () => this.#show(this.#documents),
  });
  #list = element("ul", { class: "documents", "aria-label": "Documents" });
  #place = element("div", {}, waiting());
  #status = element("p", { class: "unseen", role: "status" });
  #more = button("quiet", "Show more documents", () => this.#showMore(), { hidden: true });

  constructor(api) {
    this.#api = api;
    this.#uploads = new UploadList(api, () => this.refresh());
    this.#live = api.live((message) => this.#hear(message), (connected) => {
      this.#poll.interval = connected ? ASK_BESIDE_LIVE_MS : ASK_MS;
      this.refresh(); // what moved while nothing was heard
    });
    this.node = page("Documents", "What your assistant knows. It answers from these, and from nothing else.",
      dropZone((files) => files.forEach((file) => this.#uploads.add(file))),
      element("div", { class: "beside-zone" },
        element("button", { type: "button", class: "link", onclick: () => showChunkSettings(api) }, "How documents are cut")),
      this.#uploads.node, this.#status, this.#filters.node, this.#selection.node, this.#place, this.#more);
  }

  close() {
    this.#closing.abort();
    this.#poll.stop();
    this.#live.close();
    clearTimeout(this.#soon);
    this.#filters.close();
  }

  /** Fetch what is shown again, and again a second later while something is in progress. @returns {Promise<boolean>} so */
  async refresh() {
    const asking = this.#asking;
    try {
      const found = await fetchDocuments((paging) => this.#fetchPage(paging), this.#documents.length);
      if (asking !== this.#asking) return anyBusy(this.#documents); // something else was chosen meanwhile
      this.#next = found.next;
      this.#counts = found.counts;
      this.#filters.show(found.counts);
      this.#show(found.documents);
      this.#failing = false;
    } catch (error) {
      this.#fail(error);
      if (this.#closing.signal.aborted || error.status < 500) return false;
    }
    const busy = anyBusy(this.#documents) || this.#counts.processing > 0;
    if (busy) this.#poll.start();
    return busy;
  }

  /** Show how far a document is; what else there is to know of one that is new or done only the API tells. */
  #hear({ type, document }) {
    if (type !== "document") return;
    const documents = withProgress(this.#documents, document);
    if (documents) this.#show(documents);
    if (!documents || document.status !== "processing") this.#refreshSoon();
  }

  /** Ask once for all that has changed within a moment: many documents may become ready at once. */
  #refreshSoon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.refresh();
    }, SOON_MS);
  }

  #fetchPage(paging) {
    return this.#api.get("/documents", { ...this.#filters.query, ...paging }, this.#closing.signal);
  }

  #chooseAnew() {
    this.#asking += 1;
    this.#documents = [];
    this.refresh();
  }

  #showMore() {
    const asking = this.#asking;
    return attempt(async () => {
      const further = await this.#fetchPage({ limit: PAGE, cursor: this.#next });
      if (asking !== this.#asking) return;
      this.#next = further.next_cursor;
      const shown = new Set(this.#documents.map((document) => document.id));
      this.#show([...this.#documents, ...further.documents.filter((document) => !shown.has(document.id))]);
    });
  }

  #show(documents) {
    this.#announceChanges(documents);
    this.#documents = documents;
    this.#selection.keepTo(documents.map((document) => document.id));
    const rows = new Map();
    for (const document of documents) {
      const row = this.#rows.get(document.id) ?? new DocumentRow(document, this.#actions);
      row.update(document, this.#selection.has(document.id));
      rows.set(document.id, row);
    }
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.node.remove();
    this.#rows = rows;
    this.#arrange([...rows.values()].map((row) => row.node));
    this.#more.hidden = this.#next === null;
  }

  /** Put the rows in order, moving only those that are not in their place: a moved element would lose the focus. */
  #arrange(nodes) {
    nodes.forEach((node, place) => {
      if (this.#list.children[place] !== node) this.#list.insertBefore(node, this.#list.children[place] ?? null);
    });
    if (nodes.length > 0) {
      if (this.#place.firstChild !== this.#list) this.#place.replaceChildren(this.#list);
    } else {
      const first = "Add your first ones above: price lists, policies, manuals.";
      this.#place.replaceChildren(this.#filters.narrow
        ? empty("search", "No such documents", "Choose another status or kind, or other words.")
        : empty("document", "No documents yet", first));
    }
  }

  #announceChanges(documents) {
    const before = new Map(this.#documents.map((document) => [document.id, document.status]));
    const changed = documents.filter(({ id, status }) => before.has(id) && before.get(id) !== status);
    const ended = changed.filter(({ status }) => status === "ready" || status === "failed");
    if (ended.length > 0) this.#status.textContent = ended.map(({ title, status }) => `${title}: ${status}.`).join(" ");
  }

  /** Say it once, however often the poll then fails in the same way. */
  #fail(error) {
    if (this.#closing.signal.aborted || this.#failing) return;
    this.#failing = this.#documents.length > 0;
    if (this.#failing) problem(error);
    else this.#place.replaceChildren(failed(error, () => this.refresh()));
  }

  #actions = {
    tick: (document, ticked) => this.#selection.toggle(document.id, ticked),
    chunks: (document) => showChunks(this.#api, document),
    describe: (document) => showDetails(this.#api, document, () => this.refresh()),
    versions: (document) => showVersions(this.#api, document),
    download: (document) => download(this.#api, document),
    renew: async (document) => {
      const file = await pickFile();
      if (file) this.#uploads.add(file, document);
    },
    reprocess: async (document) => {
      const again = () => this.#api.post(`/documents/${document.id}/reprocess`);
      await this.#do(again, `“${document.title}” is being read again.`);
    },
    remove: async (document) => {
      const text = `“${document.title}” will no longer be found or quoted. This cannot be undone.`;
      if (!(await confirmed({ title: "Delete this document?", text, action: "Delete" }))) return;
      await this.#do(() => this.#api.delete(`/documents/${document.id}`), `“${document.title}” is deleted.`);
    },
  };

  async #removeAll(ids) {
    const title = `Delete ${counted(ids.length, "document")}?`;
    const text = "They will no longer be found or quoted. This cannot be undone.";
    if (await confirmed({ title, text, action: "Delete" })) await this.#doToAll("delete", ids, "deleted");
  }

  async #doToAll(action, ids, done) {
    await this.#do(async () => {
      const results = [];
      for (const batch of batchesOf(ids)) results.push(...(await this.#api.post("/documents/bulk", { action, ids: batch })).results);
      const { success, failure } = summaryOf(results, done);
      if (success) notice(success);
      if (failure) problem(new Error(failure));
    });
  }

  async #do(action, done = "") {
    await attempt(action, done);
    await this.refresh();
  }
}
