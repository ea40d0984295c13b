/** The documents that are ticked, and what to do to all of them. */

import { button, element } from "./dom.js";
import { counted } from "./format.js";

export class DocumentSelection {
  #ids = new Set();
  #shown = [];
  #said = element("p", { role: "status" });

  /** @param {{reprocess: (ids: string[]) => void, remove: (ids: string[]) => void, onChange: () => void}} actions */
  constructor({ reprocess, remove, onChange }) {
    this.onChange = onChange;
    this.node = element("section", { class: "selection", "aria-label": "Ticked documents", hidden: true },
      this.#said,
      button("quiet", "Tick all shown", () => this.#set(this.#shown)),
      button("quiet", "Untick", () => this.#set([])),
      button("quiet", "Reprocess ticked", () => reprocess([...this.#ids])),
      button("danger", "Delete ticked", () => remove([...this.#ids])));
  }

  has(id) {
    return this.#ids.has(id);
  }

  toggle(id, ticked) {
    if (ticked) this.#ids.add(id);
    else this.#ids.delete(id);
    this.#say();
  }

  /** What is no longer shown is no longer ticked: nobody deletes what they do not see. @param {string[]} ids */
  keepTo(ids) {
    this.#shown = ids;
    const shown = new Set(ids);
    for (const id of this.#ids) if (!shown.has(id)) this.#ids.delete(id);
    this.#say();
  }

  #set(ids) {
    this.#ids = new Set(ids);
    this.#say();
    this.onChange();
  }

  #say() {
    this.node.hidden = this.#ids.size === 0;
    this.#said.textContent = this.#ids.size === 0 ? "" : `${counted(this.#ids.size, "document")} ticked`;
  }
}
