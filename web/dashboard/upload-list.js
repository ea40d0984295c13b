/** Files on their way to the store. */

import { button, element, iconButton } from "./dom.js";
import { sendFile } from "./upload.js";

const AT_ONCE = 3;

/** Uploads files, a few at a time, each with its progress; one that is refused stays with its reason. */
export class UploadList {
  node = element("ul", { class: "uploads", "aria-label": "Uploads" });
  #api;
  #onChange;
  #waiting = [];
  #running = 0;

  /** @param {import("./api.js").Api} api @param {() => void} onChange called when the documents have changed */
  constructor(api, onChange) {
    this.#api = api;
    this.#onChange = onChange;
  }

  /** @param {File} file @param {object | null} document the one that this is a new version of */
  add(file, document = null) {
    const bar = element("progress", { max: 1, "aria-label": `Uploading ${file.name}` });
    const said = element("p", { class: "soft", role: "status" }, "Waiting");
    const node = element("li", {}, element("div", {}, element("p", { class: "upload-name" }, file.name), said), bar);
    this.node.append(node);
    this.#waiting.push({ file, document, node, bar, said });
    this.#next();
  }

  async #next() {
    if (this.#running >= AT_ONCE || this.#waiting.length === 0) return;
    const upload = this.#waiting.shift();
    this.#running += 1;
    try {
      await this.#send(upload);
      upload.node.remove();
    } catch (error) {
      this.#showRefusal(upload, error);
    }
    this.#running -= 1;
    this.#onChange();
    this.#next();
  }

  async #send({ file, document, bar, said }) {
    said.textContent = "Uploading";
    const body = { filename: file.name, content_type: file.type, size: file.size };
    const promised = await this.#api.post("/documents", document ? { ...body, document_id: document.id } : body);
    this.#onChange();
    try {
      await sendFile(promised.upload, file, (fraction) => (bar.value = fraction));
    } catch (error) {
      if (!document) await this.#api.delete(`/documents/${promised.document.id}`).catch(() => null); // nothing came of it
      throw error;
    }
  }

  #showRefusal({ file, document, node, bar, said }, error) {
    const again = () => {
      node.remove();
      this.add(file, document);
    };
    node.classList.add("refused");
    said.className = "upload-problem";
    said.textContent = error.message;
    bar.replaceWith(button("quiet", "Try again", again), iconButton("close", `Dismiss ${file.name}`, () => node.remove()));
  }
}
