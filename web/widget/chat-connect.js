/** `window.ChatConnect`: what the page around the widget can do with it. */

/**
 * The page's side of the widget. Calls made before the widget is ready wait for it.
 * A page may call even before the script has loaded: `(window.ChatConnect ||= []).push(["open"])`.
 */
export class ChatConnect {
  #events = new EventTarget();
  #listeners = new Map();
  #parts;

  /** @param {Promise<{api: object, conversation: object, widget: object}>} parts */
  constructor(parts) {
    this.#parts = parts;
    parts.then((ready) => this.#connect(ready)).catch(() => {}); // whoever starts the widget reports it
  }

  async open() {
    (await this.#parts).widget.open();
  }

  async close() {
    (await this.#parts).widget.close();
  }

  async toggle() {
    (await this.#parts).widget.toggle();
  }

  /** Open the chat and ask; resolves when the answer has ended, to false when it could not be sent. */
  async send(text) {
    const { widget, conversation } = await this.#parts;
    widget.open();
    await widget.restore();
    return conversation.send(String(text));
  }

  /**
   * Say who the visitor is; `identity` is what the site's own server has signed, a function that fetches it, or null
   * when they have logged out. What is left on this device of somebody else's conversation is forgotten.
   */
  async identify(identity) {
    const { api, conversation } = await this.#parts;
    api.identify(identity);
    if (conversation.remembered && !(await api.returning())) conversation.reset();
  }

  /** Forget the conversation on this device and begin a new one. */
  async reset() {
    (await this.#parts).conversation.reset();
  }

  /** Call `listener(detail)` on every `ready`, `open`, `close`, `message`, `answer`, `failure` or `reset`. */
  on(type, listener) {
    const forward = ({ detail }) => listener(detail);
    this.#listeners.set(listener, [...(this.#listeners.get(listener) ?? []), [type, forward]]);
    this.#events.addEventListener(type, forward);
  }

  off(type, listener) {
    for (const [listened, forward] of this.#listeners.get(listener) ?? []) {
      if (listened === type) this.#events.removeEventListener(type, forward);
    }
  }

  /** Make a call written as an array: method first, then its arguments. */
  push([method, ...values]) {
    return this[method](...values);
  }

  #connect({ widget, conversation }) {
    const emit = (type, detail = null) => this.#events.dispatchEvent(new CustomEvent(type, { detail }));
    for (const type of ["open", "close"]) widget.addEventListener(type, () => emit(type));
    const hear = (type, tell) => conversation.addEventListener(type, ({ detail }) => tell(detail));
    hear("message", ({ role, text }) => role === "user" && emit("message", { text }));
    hear("answer", ({ id, text, citations }) => emit("answer", { id, text, citations }));
    hear("failure", ({ failure }) => emit("failure", { code: failure.code }));
    hear("restart", () => conversation.messages.length === 0 && emit("reset"));
    emit("ready");
  }
}
