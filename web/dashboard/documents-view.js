/** The documents: upload, follow their processing, look inside, renew, delete. */

import { showChunks } from "./chunks.js";
import { confirmed } from "./dialogs.js";
import { DocumentRow } from "./document-row.js";
import { anyBusy, withNewest } from "./document-list.js";
import { button, element } from "./dom.js";
import { dropZone, pickFile } from "./drop-zone.js";
import { notice, problem } from "./notices.js";
import { Poll } from "./poll.js";
import { UploadList } from "./upload-list.js";
import { empty, failed, page, waiting } from "./view.js";

const PAGE = 50;
const LARGEST_PAGE = 200;

/** @param {import("./api.js").Api} api */
export function documentsView(api) {
  const view = new DocumentsView(api);
  view.refresh();
  return { node: view.node, close: () => view.close() };
}

class DocumentsView {
  #api;
  #documents = [];
  #rows = new Map();
  #nextBefore = null;
  #failing = false;
  #closing = new AbortController();
  #poll = new Poll(() => this.refresh());
  #uploads;
  #list = element("ul", { class: "documents", "aria-label": "Documents" });
  #place = element("div", {}, waiting());
  #status = element("p", { class: "unseen", role: "status" });
  #more = button("quiet", "Show older documents", () => this.#showOlder(), { hidden: true });

  constructor(api) {
    this.#api = api;
    this.#uploads = new UploadList(api, () => this.refresh());
    this.node = page("Documents", "What your assistant knows. It answers from these, and from nothing else.",
      dropZone((files) => files.forEach((file) => this.#uploads.add(file))),
      this.#uploads.node, this.#status, this.#place, this.#more);
  }

  close() {
    this.#closing.abort();
    this.#poll.stop();
  }

  /** Fetch the newest documents, and again a second later while one is in progress. @returns {Promise<boolean>} so */
  async refresh() {
    try {
      const limit = Math.min(LARGEST_PAGE, Math.max(PAGE, this.#documents.length));
      const fresh = await this.#api.get("/documents", { limit }, this.#closing.signal);
      if (this.#documents.length <= limit) this.#nextBefore = fresh.next_before;
      this.#show(withNewest(this.#documents, fresh));
      this.#failing = false;
    } catch (error) {
      this.#fail(error);
      if (this.#closing.signal.aborted || error.status < 500) return false;
    }
    const busy = anyBusy(this.#documents);
    if (busy) this.#poll.start();
    return busy;
  }

  async #showOlder() {
    try {
      const older = await this.#api.get("/documents", { limit: PAGE, before: this.#nextBefore }, this.#closing.signal);
      this.#nextBefore = older.next_before;
      this.#show([...this.#documents, ...older.documents]);
    } catch (error) {
      problem(error);
    }
  }

  #show(documents) {
    this.#announceChanges(documents);
    this.#documents = documents;
    const rows = new Map();
    for (const document of documents) {
      const row = this.#rows.get(document.id) ?? new DocumentRow(document, this.#actions);
      row.update(document);
      rows.set(document.id, row);
    }
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.node.remove();
    this.#rows = rows;
    this.#arrange([...rows.values()].map((row) => row.node));
    this.#more.hidden = this.#nextBefore === null;
  }

  /** Put the rows in order, moving only those that are not in their place: a moved element would lose the focus. */
  #arrange(nodes) {
    nodes.forEach((node, place) => {
      if (this.#list.children[place] !== node) this.#list.insertBefore(node, this.#list.children[place] ?? null);
    });
    const first = "Add your first ones above: price lists, policies, manuals.";
    const content = nodes.length > 0 ? this.#list : empty("document", "No documents yet", first);
    if (this.#place.firstChild !== content) this.#place.replaceChildren(content);
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
    chunks: (document) => showChunks(this.#api, document),
    renew: async (document) => {
      const file = await pickFile();
      if (file) this.#uploads.add(file, document);
    },
    reprocess: async (document) => {
      const again = () => this.#api.post(`/documents/${document.id}/reprocess`);
      await this.#attempt(again, `“${document.title}” is being read again.`);
    },
    remove: async (document) => {
      const text = `“${document.title}” will no longer be found or quoted. This cannot be undone.`;
      if (!(await confirmed({ title: "Delete this document?", text, action: "Delete" }))) return;
      await this.#attempt(() => this.#api.delete(`/documents/${document.id}`), `“${document.title}” is deleted.`);
    },
  };

  async #attempt(action, done) {
    try {
      await action();
      notice(done);
    } catch (error) {
      problem(error);
    }
    await this.refresh();
  }
}
