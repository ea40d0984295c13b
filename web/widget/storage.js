/** What one widget remembers on the visitor's device. */

/** Values kept under one widget's key; when the browser forbids storage they last until the page is left. */
export class Memory {
  #prefix;
  #store;
  #unsaved = new Map();

  /** @param {string} widgetKey @param {Storage | null} store */
  constructor(widgetKey, store) {
    this.#prefix = `chatconnect:${widgetKey}:`;
    this.#store = store;
  }

  /** @returns {string | null} */
  get(name) {
    try {
      return this.#store.getItem(this.#prefix + name);
    } catch {
      return this.#unsaved.get(name) ?? null;
    }
  }

  /** Keep the value, or forget it when it is null. */
  set(name, value) {
    try {
      if (value === null) this.#store.removeItem(this.#prefix + name);
      else this.#store.setItem(this.#prefix + name, value);
    } catch {
      this.#unsaved.set(name, value);
    }
  }
}

/** The page's storage, or null where even asking for it is refused (sandboxed frames, blocked cookies). */
export function storageOf(page, kind) {
  try {
    return page[kind];
  } catch {
    return null;
  }
}
