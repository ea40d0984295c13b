/** The round button that opens the chat. */

import { element, icon } from "./dom.js";

/** Emits `toggle`; shows whether the chat is open and whether an answer waits unread. */
export class Launcher extends EventTarget {
  node;
  #texts;

  constructor(texts) {
    super();
    this.#texts = texts;
    const toggle = () => this.dispatchEvent(new Event("toggle"));
    this.node = element("button", { class: "launcher", type: "button", onclick: toggle }, icon("chat"), icon("down"));
    this.show({ open: false });
  }

  show({ open }) {
    const label = open ? this.#texts.launcher_close : this.#texts.launcher_open;
    this.node.setAttribute("aria-label", label);
    this.node.setAttribute("aria-expanded", String(open));
    if (open) this.node.classList.remove("unread");
  }

  /** An answer has come while the chat was closed. */
  markUnread() {
    this.node.classList.add("unread");
  }

  focus() {
    this.node.focus({ preventScroll: true });
  }
}
